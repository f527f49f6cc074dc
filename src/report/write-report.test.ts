import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { DataError } from "../errors.ts";
import { formatEstimate, formatShare } from "./format.ts";
import type { ReportSummary } from "./index.ts";
import { writeReport } from "./index.ts";
import { HOSTILE_TEXT } from "./testing/fixture-run.ts";
import { scratchFolder, scratchRun } from "./testing/scratch-run.ts";

const SECTIONS = [
  "results",
  "evaluation",
  "learning-curves",
  "process-reward",
  "difficulty",
  "similarity",
  "difference-filter",
  "gradient-cancellation",
  "merge",
  "samples",
  "paper",
  "reproduction",
];

async function render(
  runFolder: string,
): Promise<{ page: string; document: Document; summary: ReportSummary }> {
  const written = await writeReport({ runFolder });
  const page = readFileSync(written.html, "utf8");
  const { document } = parseHTML(page);
  return { page, document, summary: JSON.parse(readFileSync(written.summary, "utf8")) as ReportSummary };
}

/** The fixture run as it is, rendered once for the tests that only read it. */
const fixture = (() => {
  let rendered: ReturnType<typeof render> | undefined;
  return () => {
    rendered ??= render(scratchRun());
    return rendered;
  };
})();

/** The part of the DOM these tests read; the project compiles without browser types. */
interface Document {
  querySelectorAll(selector: string): Iterable<Element>;
  querySelector(selector: string): Element | null;
}
interface Element {
  textContent: string;
  localName: string;
  attributes: Iterable<{ name: string; value: string }>;
  querySelectorAll(selector: string): Iterable<Element>;
}

const texts = (document: Document, selector: string): string[] =>
  [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);

describe("the page", () => {
  it("has every section with its figures, and an entry for each in the contents", async () => {
    const { document } = await fixture();
    expect([...document.querySelectorAll("main > section")].length).toBe(SECTIONS.length);
    for (const id of SECTIONS) {
      expect(document.querySelector(`section#${id}`), id).not.toBeNull();
      expect(document.querySelector(`nav a[href="#${id}"]`), id).not.toBeNull();
    }
    for (const id of [
      "results",
      "evaluation",
      "learning-curves",
      "process-reward",
      "difficulty",
      "similarity",
      "difference-filter",
      "merge",
    ])
      expect([...document.querySelectorAll(`section#${id} svg.chart`)].length, id).toBeGreaterThan(0);
    expect(texts(document, ".missing")).toEqual([]);
  });

  it("runs no script, asks the network for nothing, and allows one style sheet by its hash", async () => {
    const { page, document } = await fixture();
    const forbidden =
      "script, img, iframe, object, embed, link, form, base, audio, video, foreignObject, style ~ style";
    expect([...document.querySelectorAll(forbidden)].map(({ localName }) => localName)).toEqual([]);
    for (const element of document.querySelectorAll("*"))
      for (const { name, value } of element.attributes) {
        expect(name, `${element.localName} ${name}`).not.toMatch(/^on|^style$|^src|^srcset$|^ping$/i);
        if (/href$/i.test(name)) expect(value).toMatch(/^#/);
        expect(value).not.toMatch(/url\(|javascript:/i);
      }
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] as string;
    expect(style).not.toMatch(/@import|url\(/);
    const hash = createHash("sha256").update(style, "utf8").digest("base64");
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
  });

  it("shows hostile model output as text, with its steps and answer marked", async () => {
    const { document, page } = await fixture();
    const shown = texts(document, "#samples .sample pre");
    expect(shown.some((text) => text.startsWith("</pre></section><script>alert(1)</script>"))).toBe(true);
    expect(page).not.toContain("<script");
    expect(page).not.toContain("\u202e");
    expect(HOSTILE_TEXT).toContain("\u202e");
    expect(texts(document, "#samples pre .step")).toContain("\\underline{<b>x</b>}");
    expect(texts(document, "#samples pre .boxed")).toContain("\\boxed{50}");
  });

  it("escapes hostile names of stages, arms, benchmarks and files' own text everywhere", async () => {
    const runFolder = scratchRun();
    const attack = `"><script>alert('x')</script>`;
    for (const file of [
      "recipe.yaml",
      "metrics.jsonl",
      "evaluations/evaluate.json",
      "stages/difference/difference.json",
    ]) {
      const path = join(runFolder, file);
      const inJson = JSON.stringify(attack).slice(1, -1);
      const inYaml = `'${attack.replaceAll("'", "''")}'`;
      const text = readFileSync(path, "utf8");
      const changed = file.endsWith(".yaml")
        ? text.replaceAll(/\bcore\b(?=[,}])/g, inYaml)
        : text.replaceAll('"core"', `"${inJson}"`).replaceAll('"chain"', `"${inJson}"`);
      expect(changed).not.toBe(text);
      writeFileSync(path, changed);
    }
    const { page, document } = await render(runFolder);
    expect(page).not.toContain("<script");
    expect([...document.querySelectorAll("main > section")].length).toBe(SECTIONS.length);
    expect(texts(document, "#results table").join(" ")).toContain(attack);
  });

  it("is the same, byte for byte, for the same run folder", async () => {
    const a = await fixture();
    const b = await render(scratchRun());
    expect(b.page.replaceAll(/polaris-report-\w+/g, "")).toBe(a.page.replaceAll(/polaris-report-\w+/g, ""));
    expect(b.summary).toEqual(a.summary);
  });
});

describe("the numbers", () => {
  it("are those of the evaluation's own rows", async () => {
    const runFolder = scratchRun();
    const { document, summary } = await render(runFolder);
    const evaluation = JSON.parse(readFileSync(join(runFolder, "evaluations/evaluate.json"), "utf8"));
    const row = evaluation.rows.find(
      (candidate: { arm: string; benchmark: string; metric: string }) =>
        candidate.arm === "grpo" && candidate.benchmark === "inverse" && candidate.metric === "avg@4",
    );
    const line = [...document.querySelectorAll("#results tr")].find(({ textContent }) =>
      textContent.startsWith("+ GRPO"),
    );
    const cells = [...(line?.querySelectorAll("td") ?? [])].map(({ textContent }) => textContent.trim());
    expect(cells[2]).toBe(formatEstimate(row));
    expect(summary.rows).toContainEqual(row);
  });

  it("of the tables are all in the summary", async () => {
    const { document, summary } = await fixture();
    const known = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value === "number") for (const decimals of [0, 1]) known.add(formatShare(value, decimals));
      else if (value !== null && typeof value === "object")
        for (const inner of Object.values(value)) collect(inner);
    };
    collect([summary.rows, summary.differences, summary.accuracyBySteps, summary.accuracyByBase]);
    const cells = [...document.querySelectorAll("#results td .value, #results td .size")];
    expect(cells.length).toBeGreaterThan(60);
    for (const { textContent } of cells)
      expect(known.has(textContent.replace(/^\+/, "")), textContent).toBe(true);
  });

  it("carry the seed and hashes of what they were read from, and no path or time", async () => {
    const runFolder = scratchRun();
    const { summary } = await render(runFolder);
    expect(summary).toMatchObject({ run: "report-fixture", seed: 7, notes: [] });
    const source = summary.generatedFrom.find(({ file }) => file === "metrics.jsonl");
    const bytes = readFileSync(join(runFolder, "metrics.jsonl"));
    expect(source?.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(JSON.stringify(summary)).not.toContain(runFolder);
    expect(summary.generatedFrom.map(({ file }) => file)).not.toContain("timings.jsonl");
  });

  it("follow the data: another seed gives other numbers", async () => {
    const a = await fixture();
    const b = await render(scratchRun({ seed: 8 }));
    expect(b.summary.rows).not.toEqual(a.summary.rows);
    expect(b.page).not.toBe(a.page);
  });
});

describe("a run that is not complete", () => {
  const FILES: [file: string, section: string, stageKind: string][] = [
    ["stages/calibrate/pass-rates.json", "difficulty", "calibrate"],
    ["stages/difference/similarity.json", "similarity", "similarity"],
    ["stages/cancellation/cancellation.json", "gradient-cancellation", "gradient_cancellation"],
    ["stages/merge/alpha.json", "merge", "merge"],
    ["stages/evaluate/samples.json", "samples", "evaluate"],
    ["metrics.jsonl", "learning-curves", "rl"],
  ];
  const others: Record<string, string[]> = {
    "stages/calibrate/pass-rates.json": ["stages/calibrate_after/pass-rates.json"],
  };

  it.each(FILES)(
    "without %s says so in its section and names the stage",
    async (file, section, stageKind) => {
      const { document } = await render(scratchRun({ omit: [file, ...(others[file] ?? [])] }));
      const missing = texts(document, `#not-in-this-run #${section}.missing`);
      expect(missing.length).toBe(1);
      expect(missing[0]).toContain(stageKind);
    },
  );

  it("without evaluations names the evaluate stage and keeps the rest", async () => {
    const runFolder = scratchRun({ omit: ["evaluations/evaluate.json", "evaluations/evaluate_large.json"] });
    const { document, summary } = await render(runFolder);
    expect(texts(document, "#not-in-this-run #results")[0]).toContain("evaluate");
    expect([...document.querySelectorAll("#learning-curves svg.chart")].length).toBeGreaterThan(3);
    expect(summary.rows).toEqual([]);
  });

  it("of which nothing is there yet is a page all the same", async () => {
    const { document, summary } = await render(scratchFolder());
    expect([...document.querySelectorAll("main > section")].length).toBe(3);
    for (const id of ["paper", "reproduction", "not-in-this-run"])
      expect(document.querySelector(`main > section#${id}`)).not.toBeNull();
    expect(texts(document, "#not-in-this-run .missing").length).toBe(SECTIONS.length - 2);
    expect(summary.seed).toBeNull();
  });

  it("leaves out damaged files and says which", async () => {
    const runFolder = scratchRun();
    writeFileSync(join(runFolder, "stages/merge/alpha.json"), '{"stage": "merge", "chosen": ');
    writeFileSync(join(runFolder, "stages/difference/similarity.json"), '{"stage": 3}');
    appendFileSync(join(runFolder, "metrics.jsonl"), '{"stage":"core","step":101,"accu');
    const { document, summary } = await render(runFolder);
    const notes = texts(document, "#reproduction li");
    expect(notes).toEqual(summary.notes);
    expect(notes).toEqual([
      "metrics.jsonl: 1 damaged line left out",
      expect.stringMatching(/^stages\/difference\/similarity\.json is left out: /),
      "stages/merge/alpha.json is left out: it is not complete JSON",
    ]);
  });

  it("only a folder that does not exist is an error", async () => {
    const runFolder = join(scratchFolder(), "absent");
    await expect(writeReport({ runFolder })).rejects.toThrow(DataError);
    const file = join(scratchFolder(), "file");
    writeFileSync(file, "");
    await expect(writeReport({ runFolder: file })).rejects.toThrow(/expected a folder/);
  });

  it("ignores folders of stages that are not finished", async () => {
    const runFolder = scratchRun();
    mkdirSync(join(runFolder, "stages/merge2.partial"), { recursive: true });
    writeFileSync(join(runFolder, "stages/merge2.partial/alpha.json"), "{}");
    rmSync(join(runFolder, "timings.jsonl"));
    const { summary } = await render(runFolder);
    expect(summary.notes).toEqual([]);
    expect(summary.alpha.length).toBe(1);
  });
});
