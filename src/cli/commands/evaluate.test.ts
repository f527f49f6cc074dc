import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startDialectServer } from "../../engine/openai/testing/dialect-server.ts";
import type { EvaluationFile } from "../../recipe/evaluation/evaluation-file.ts";
import { evaluationOf } from "../../recipe/evaluation/testing.ts";
import { nameOfModel } from "../evaluate-recipe.ts";
import { runProgram } from "../program.ts";

let folder: string;
let output = "";
let errors = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-cli-evaluate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs the program with its output caught. */
async function polaris(...words: string[]): Promise<number> {
  output = "";
  errors = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  const code = await runProgram(words);
  vi.restoreAllMocks();
  return code;
}

const save = (name: string, value: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
};

describe("polaris evaluate", () => {
  const words = () => [
    "evaluate",
    "builtin:practice-small",
    "practice:chain",
    ...[
      "--count",
      "3",
      "-n",
      "2",
      "--max-new-tokens",
      "24",
      "--prompt",
      "plain",
      "--run-dir",
      join(folder, "run"),
    ],
  ];

  it("samples the real engine, prints a table, writes the file and its tables, and continues when repeated", async () => {
    expect(await polaris(...words(), "--out", join(folder, "small.md"))).toBe(0);
    expect(output).toContain("3 problems × 2");
    expect(readFileSync(join(folder, "small.md"), "utf8")).toMatch(/^# Evaluation\n/);
    const file = JSON.parse(readFileSync(join(folder, "run/evaluations/evaluation.json"), "utf8"));
    expect(file).toMatchObject({
      layout: 2,
      sampling: { temperature: 1, topK: 0, maxNewTokens: 24 },
      prompt: { instruction: "plain" },
      problems: { reference: "problems", count: 3 },
      arms: [{ arm: "practice-small", model: "builtin:practice-small" }],
    });
    expect(await polaris(...words())).toBe(0);
    expect(output).toContain("done before");
  }, 120_000);

  it("scores a model that a server holds, and leaves its positions alone", async () => {
    const server = await startDialectServer({
      dialect: "vllm",
      models: ["m"],
      respond: ({ body }) => ({ text: JSON.stringify(body).includes("2+2") ? "\\boxed{4}" : "no idea" }),
    });
    try {
      const problems = join(folder, "sums.jsonl");
      writeFileSync(
        problems,
        ["2+2", "3+3"]
          .map(
            (prompt, i) =>
              `${JSON.stringify({ id: `s${i}`, prompt, answer: String(4 + 2 * i), source: "sums" })}\n`,
          )
          .join(""),
      );
      const served = [
        "evaluate",
        "served:m",
        problems,
        "-n",
        "3",
        "--max-new-tokens",
        "20",
        "--base-url",
        server.url,
      ];
      expect(await polaris(...served, "--run-dir", join(folder, "served"))).toBe(0);
      const file = JSON.parse(readFileSync(join(folder, "served/evaluations/evaluation.json"), "utf8"));
      expect(file.arms[0]).toMatchObject({ model: "served:m", modelSha256: null });
      expect(file.rows.find((row: { metric: string }) => row.metric === "avg@3").value).toBe(0.5);
      expect(file.rows.find((row: { metric: string }) => row.metric === "format_error").value).toBe(0.5);
      expect(await polaris(...served, "--rope-factor", "2", "--run-dir", join(folder, "served-long"))).toBe(
        2,
      );
      expect(errors).toMatch(/cannot change a model that a server holds[\s\S]*polaris yarn export/);
    } finally {
      await server.close();
    }
  }, 60_000);

  it("takes several files, other numbers of responses, the first few problems, and a served name as it is", async () => {
    const server = await startDialectServer({
      dialect: "vllm",
      models: ["org/m"],
      respond: ({ body }) => ({ text: JSON.stringify(body).includes("2+2") ? "\\boxed{4}" : "\\boxed{0}" }),
    });
    const file = (name: string, prompts: string[]): string => {
      const path = join(folder, `${name}.jsonl`);
      const row = (prompt: string, i: number) => JSON.stringify({ id: String(i), prompt, answer: "4" });
      writeFileSync(path, `${prompts.map(row).join("\n")}\n`);
      return path;
    };
    const here = process.cwd();
    try {
      // Both files number their rows from 0.
      const files = [file("aime24", ["2+2", "3+1", "1+3"]), file("sums", ["5-1", "2+2 again"])];
      process.chdir(folder);
      const ask = (...more: string[]) =>
        polaris(
          ...["evaluate", "org/m", ...files, "-n", "2", "--samples-of", "AIME 2024=3", "--limit", "2"],
          ...["--max-new-tokens", "20", "--base-url", server.url, ...more],
        );
      expect(await ask("--keep-rollouts")).toBe(0);
      const [run] = readdirSync(join(folder, "runs"));
      expect(run).toMatch(/^evaluate-m-aime24-and-1-[0-9a-f]{8}$/);
      const result = JSON.parse(
        readFileSync(join(folder, "runs", run as string, "evaluations/evaluation.json"), "utf8"),
      );
      expect(result.problems).toMatchObject({ count: 4, limit: 2, reference: files.join(", ") });
      const [arm] = result.arms;
      expect(arm.model).toBe("served:org/m");
      const found = arm.benchmarks.map(
        ({ benchmark, samplesPerProblem, problems }: EvaluationFile["arms"][0]["benchmarks"][0]) => [
          benchmark,
          samplesPerProblem,
          problems.map(({ id, correct }) => [id, correct]),
        ],
      );
      expect(found).toEqual([
        [
          "aime24",
          3,
          [
            ["0", 3],
            ["1", 0],
          ],
        ],
        [
          "sums",
          2,
          [
            ["sums/0", 0],
            ["sums/1", 2],
          ],
        ],
      ]);
      expect(arm.mean.value).toBeCloseTo(0.5, 12);
      expect(output).toMatch(
        /aime24 +2 × 3 +50\.0 .*\n +sums +2 × 2 +50\.0 .*\n +mean, equal weight +50\.0 \(/,
      );
      // A trial is no score to hold beside the paper's.
      expect(output).toContain("only the first 2 problems of each benchmark");
      expect(output).not.toContain("POLARIS");
      expect(output).toMatch(
        /responses +polaris rollouts show runs\/evaluate-m-aime24-and-1-[0-9a-f]+ --wrong/,
      );
      expect(await polaris("rollouts", "show", join("runs", run as string), "--wrong", "--limit", "1")).toBe(
        0,
      );
      expect(output).toContain("answer 0");
      // Another temperature is another folder: no result is replaced.
      expect(await ask("-t", "0.5")).toBe(0);
      expect(readdirSync(join(folder, "runs"))).toHaveLength(2);
      expect(output).toContain("--keep-rollouts keeps them");
      expect(await ask("--samples-of", "aime25=3")).toBe(2);
      expect(errors).toMatch(/overrides: expected one of the benchmarks aime24, sums, got aime25/);
      expect(await ask("--samples-of", "aime24")).toBe(2);
      expect(errors).toContain("<benchmark>=<n>");
      expect(existsSync(join(folder, "runs", run as string, "evaluations/evaluation.json"))).toBe(true);
    } finally {
      process.chdir(here);
      await server.close();
    }
  }, 120_000);

  it("refuses what it cannot mean", async () => {
    expect(await polaris("evaluate", "builtin:practice-small", "practice:chain")).toBe(2);
    expect(errors).toContain("--max-new-tokens");
    expect(await polaris(...words(), "--rope-original", "64")).toBe(2);
    expect(errors).toContain("need --rope-factor");
    expect(await polaris(...words(), "--set", "stages.evaluation.sample_per_problem=3")).toBe(2);
    expect(errors).toContain("samples_per_problem");
  });

  it("names rows and folders after the model", () => {
    expect(nameOfModel("./models/Qwen3 4B/")).toBe("Qwen3-4B");
    expect(nameOfModel("served:default")).toBe("default");
    expect(nameOfModel("///")).toBe("model");
  });
});

describe("polaris compare", () => {
  const base = evaluationOf({ base: { x: ["wwww", "ccww", "wwww", "cwww"] } });
  const good = evaluationOf({ good: { x: ["cccc", "ccww", "cwww", "cwww"] } });

  it("gives the paired difference with its interval, problems won and lost, and p", async () => {
    const files = [save("good.json", good), save("base.json", base)];
    expect(await polaris("compare", ...files, "--json")).toBe(0);
    const result = JSON.parse(output);
    expect(result).toMatchObject({ shared: 4, notes: [] });
    expect(result.comparisons[0]).toMatchObject({
      arm: "good",
      reference: "base",
      wins: 2,
      losses: 0,
      ties: 2,
    });
    expect(result.comparisons[0].value).toBeCloseTo(1.25 / 4, 12);
    expect(await polaris("compare", ...files)).toBe(0);
    expect(output).toContain("good - base");
    expect(output).toContain("+31.3 (-49.2 to +100.0)");
  });

  it("refuses evaluations made under different conditions, unless told to go on", async () => {
    const hot = { ...base, sampling: { ...base.sampling, topK: 0 }, graderVersion: "other" };
    const files = [save("good.json", good), save("hot.json", hot)];
    expect(await polaris("compare", ...files)).toBe(3);
    expect(errors).toMatch(
      /expected equal conditions, got top_k 20 and 0; grader version test-1 and other[\s\S]*--anyway/,
    );
    expect(output).toBe("");
    expect(await polaris("compare", ...files, "--anyway")).toBe(0);
    expect(output).toContain("different conditions: top_k 20 and 0");
    expect(output).toContain("this is no comparison of the models alone");
    expect(await polaris("compare", ...files, "--anyway", "--json")).toBe(0);
    expect(JSON.parse(output).conflicts).toEqual(["top_k 20 and 0", "grader version test-1 and other"]);
  });

  it("ends in a verdict: one is higher, or the two are not told apart", async () => {
    const often = evaluationOf({ m: { x: new Array<string>(20).fill("cccw") } });
    const seldom = evaluationOf({
      m: { x: Array.from({ length: 20 }, (_, i) => (i % 2 ? "cwww" : "ccww")) },
    });
    for (const [name, value] of [
      ["often", often],
      ["seldom", seldom],
    ] as const) {
      mkdirSync(join(folder, name, "evaluations"), { recursive: true });
      save(join(name, "evaluations", "eval.json"), value);
    }
    // Run folders do as well as files; arms of one name are told apart by their runs.
    const runs = [join(folder, "often"), join(folder, "seldom")] as const;
    expect(await polaris("compare", ...runs)).toBe(0);
    expect(output).toMatch(/^m \(often\) scores 37\.5 points higher than m \(seldom\)/m);
    expect(await polaris("compare", runs[1], runs[0])).toBe(0);
    expect(output).toMatch(/^m \(often\) scores 37\.5 points higher than m \(seldom\)/m);
    expect(await polaris("compare", runs[1], runs[0], "--json")).toBe(0);
    expect(JSON.parse(output).verdict).toBe("second_higher");
    expect(await polaris("compare", runs[0], runs[0])).toBe(0);
    expect(output).toMatch(/^undecided: m \(first\) and m \(second\) are not told apart/m);
  });

  it("says which file of a run folder it wants", async () => {
    const run = join(folder, "several");
    expect(await polaris("compare", folder)).toBe(3);
    expect(errors).toMatch(/expected a run folder with one evaluation, got none/);
    mkdirSync(join(run, "evaluations"), { recursive: true });
    for (const name of ["a", "b"]) save(join("several", "evaluations", `${name}.json`), good);
    expect(await polaris("compare", run)).toBe(3);
    expect(errors).toMatch(/got a\.json, b\.json\nhint: name one of them, for example .*evaluations.a\.json/);
  });

  it("needs to know which arms, and problems they share", async () => {
    const both = save("both.json", evaluationOf({ base: { x: ["c"] }, good: { x: ["w"] } }));
    expect(await polaris("compare", both)).toBe(3);
    expect(errors).toMatch(/expected one arm, got base, good[\s\S]*--first/);
    expect(await polaris("compare", both, "--first", "good", "--second", "bass")).toBe(3);
    expect(errors).toContain('did you mean "base"');
    expect(await polaris("compare", both, "--first", "good", "--second", "base")).toBe(0);
    expect(await polaris("compare", both, "--first", "good", "--second", "good")).toBe(3);
    const other = save("other.json", evaluationOf({ z: { y: ["c"] } }));
    expect(await polaris("compare", save("good.json", good), other)).toBe(3);
    expect(errors).toContain("expected problems with the same benchmark and id");
  });
});

describe("polaris yarn", () => {
  it("prints the scaling for every engine", async () => {
    expect(await polaris("yarn", "export", "--model", "./assets/practice-small", "--factor", "1.5")).toBe(0);
    expect(output).toContain("vllm serve ./assets/practice-small --hf-overrides");
    expect(output).toContain("sglang.launch_server");
    expect(output).toContain('"attention_factor":1.0,');
    expect(output).toContain('"original_max_position_embeddings":256');
    expect(output).not.toContain("note:");
    expect(await polaris("yarn", "export", "--engine", "vllm", "--json", "--rope-theta", "1000000")).toBe(0);
    expect(JSON.parse(output).config.rope_scaling.attn_factor).toBeCloseTo(0.961033, 6);
    expect(await polaris("yarn", "export", "--beta-fast", "1", "--beta-slow", "2")).toBe(2);
  });

  it("applies it to a folder and checks what engines make of one", async () => {
    const out = join(folder, "long");
    expect(await polaris("yarn", "apply", "./assets/practice-small", "--factor", "2", "--out", out)).toBe(0);
    expect(output).toContain("512 positions");
    expect(await polaris("yarn", "check", out)).toBe(0);
    expect(output.match(/1\.000000/g)).toHaveLength(5);
    const config = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
    config.rope_scaling = { rope_type: "yarn", factor: 1.5, attn_factor: 1 };
    writeFileSync(join(out, "config.json"), JSON.stringify(config));
    expect(await polaris("yarn", "check", out)).toBe(0);
    expect(output).toContain("engines disagree");
    expect(output).toContain("original_max_position_embeddings is missing");
  });
});
