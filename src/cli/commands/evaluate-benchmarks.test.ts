/**
 * The five benchmark files of the recipe, with every odd kind of truth they hold, evaluated through the command against a
 * local server whose answers are planned: right, wrong, cut, without a box, cut after the box. Every number of the result
 * file is compared with arithmetic on the plan, written out here.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readProblems } from "../../data/problems.ts";
import { startDialectServer } from "../../engine/openai/testing/dialect-server.ts";
import type { EvaluationFile } from "../../recipe/evaluation/evaluation-file.ts";
import { studentQuantile } from "../../stats/index.ts";
import type { Problem } from "../../types.ts";
import { runProgram } from "../program.ts";

const DATA = fileURLToPath(new URL("../../../../shared/data", import.meta.url));
const FILES = ["aime24", "aime25", "amc23", "minerva", "olympiad"];
const SIZES = [30, 30, 83, 272, 675];
const BENCHMARKS = ["test-math-aime24", "test-math-aime25", "amc23", "minerva", "olympiad"];

/** Lengths in tokens; the fake model has one token per character. */
const RIGHT = 400;
const WRONG = 100;
const BOXLESS = 50;
const LIMIT = 1000;

/** Responses of the five kinds of problem, in turn; `right cut` is cut after it wrote its box. */
const PLAN = [
  ["right", "right", "right", "right"],
  ["right", "wrong", "wrong", "cut"],
  ["boxless", "right", "right", "other wrong"],
  ["wrong", "other wrong", "cut", "boxless"],
  ["right cut", "wrong", "other wrong", "right"],
] as const;
type Kind = (typeof PLAN)[number][number];

/** One of a problem's accepted answers as a model writes it: the last form for odd rows, no leading zeros, no marks. */
function answerOf({ answer }: Problem, row: number): string {
  const forms = (Array.isArray(answer) ? answer : [answer]).map(String);
  const form = (row % 2 === 1 ? forms.at(-1) : forms[0]) as string;
  return form.trim().replace(/^0+(?=\d+$)/, "");
}

function respond(kind: Kind, answer: string): { text: string; finish: "stop" | "length" } {
  const box = `\\boxed{${answer}}`;
  switch (kind) {
    case "right":
      return { text: box.padStart(RIGHT, "x"), finish: "stop" };
    case "wrong":
      return { text: "\\boxed{8641975}".padStart(WRONG, "x"), finish: "stop" };
    case "other wrong":
      return { text: "\\boxed{-7.531}".padStart(WRONG, "x"), finish: "stop" };
    case "boxless":
      return { text: "the answer is as above".padStart(BOXLESS, "x"), finish: "stop" };
    case "cut":
      return { text: "y".repeat(LIMIT), finish: "length" };
    case "right cut":
      return { text: box.padEnd(LIMIT, "y"), finish: "length" };
  }
}

describe.skipIf(!existsSync(DATA))("the five benchmark files", () => {
  let folder: string;
  let file: EvaluationFile;
  let output = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "polaris-five-"));
    const rows = new Map<string, { problem: Problem; row: number; asked: number }>();
    for (const name of FILES)
      for (const [row, problem] of (await readProblems(join(DATA, `${name}.parquet`))).entries())
        rows.set(problem.prompt, { problem, row, asked: 0 });
    const suffix = " Let's think step by step and output the final answer within \\boxed{}.";
    const server = await startDialectServer({
      dialect: "vllm",
      models: ["m"],
      respond: ({ body }) => {
        const messages = (body?.["messages"] ?? []) as { content: string }[];
        const text = messages[0]?.content ?? "";
        expect(text.endsWith(suffix)).toBe(true);
        const entry = rows.get(text.slice(0, -suffix.length));
        if (entry === undefined) throw new Error(`a question nobody asked: ${text.slice(0, 80)}`);
        const kind = PLAN[entry.row % 5]?.[entry.asked++ % 4] as Kind;
        return respond(kind, answerOf(entry.problem, entry.row));
      },
    });
    vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      output += String(text);
      return true;
    });
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const files = FILES.map((name) => join(DATA, `${name}.parquet`));
      const words = ["-n", "4", "-t", "1.4", "--top-k", "20", "--max-new-tokens", String(LIMIT)];
      const run = join(folder, "run");
      const code = await runProgram([
        ...["evaluate", "m", ...files, ...words, "--base-url", server.url, "--run-dir", run],
      ]);
      expect(code).toBe(0);
      file = JSON.parse(readFileSync(join(run, "evaluations/evaluation.json"), "utf8"));
    } finally {
      vi.restoreAllMocks();
      await server.close();
    }
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Problems of each kind among the first `size` rows. */
  const kinds = (size: number): [number, number, number, number, number] => {
    const count = (kind: number): number => Math.ceil((size - kind) / 5);
    return [count(0), count(1), count(2), count(3), count(4)];
  };

  it("asks every problem of every file once, in order", () => {
    const [arm] = file.arms;
    expect(arm?.benchmarks.map(({ benchmark }) => benchmark)).toEqual(BENCHMARKS);
    expect(arm?.benchmarks.map(({ problems }) => problems.length)).toEqual(SIZES);
    expect(file.problems?.count).toBe(1090);
    expect(file.problems?.reference.split(", ")).toHaveLength(5);
    expect(file.sampling).toEqual({ temperature: 1.4, topK: 20, topP: 1, minP: 0, maxNewTokens: LIMIT });
    expect(file.prompt?.instruction).toBe("boxed");
  });

  it("counts each problem as planned: truths with leading zeros, numbers, zero, lists with line ends and dollars", () => {
    const planned = [
      { correct: 4, truncated: 0, noBoxed: 0, meanTokens: RIGHT },
      { correct: 1, truncated: 1, noBoxed: 0, meanTokens: (RIGHT + 2 * WRONG + LIMIT) / 4 },
      { correct: 2, truncated: 0, noBoxed: 1, meanTokens: (BOXLESS + 2 * RIGHT + WRONG) / 4 },
      { correct: 0, truncated: 1, noBoxed: 1, meanTokens: (2 * WRONG + LIMIT + BOXLESS) / 4 },
      { correct: 2, truncated: 1, noBoxed: 0, meanTokens: (LIMIT + 2 * WRONG + RIGHT) / 4 },
    ];
    const wrong = file.arms[0]?.benchmarks.flatMap(({ benchmark, problems }) =>
      problems.flatMap(({ id, graderErrors, responses: _, distinct4: __, ...counts }, row) => {
        const found = JSON.stringify({ ...counts, graderErrors });
        return found === JSON.stringify({ ...planned[row % 5], graderErrors: 0 })
          ? []
          : [`${benchmark} ${row} ${id}: ${found}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it.each(BENCHMARKS.map((name, i) => [name, SIZES[i] as number] as const))("rows of %s", (name, size) => {
    const [all, one, two, none, cut] = kinds(size);
    expect(all + one + two + none + cut).toBe(size);
    const samples = 4 * size;
    const rows = Object.fromEntries(
      file.rows.filter(({ benchmark }) => benchmark === name).map((row) => [row.metric, row]),
    );
    const expected: Record<string, number> = {
      "avg@4": (4 * all + one + 2 * two + 2 * cut) / samples,
      // 1 - C(4 - c, 2) / C(4, 2): 1 of 4 correct gives 1 - 3/6, 2 of 4 give 1 - 1/6.
      "pass@2": (all + one / 2 + (5 / 6) * (two + cut)) / size,
      "pass@4": (size - none) / size,
      // One right answer loses to two equal wrong ones; two right ones win against two different wrong ones.
      "maj@4": (all + two + cut) / size,
      "best@4": (size - none) / size,
      solve_none: none / size,
      solve_all: all / size,
      truncated: (one + none + cut) / samples,
      format_error: (two + none) / samples,
      length_tokens:
        ((4 * all + one + 2 * two + cut) * RIGHT +
          (2 * one + two + 2 * none + 2 * cut) * WRONG +
          (one + none + cut) * LIMIT +
          (two + none) * BOXLESS) /
        samples,
    };
    const { distinct_4: diversity, ...counted } = rows;
    expect(Object.keys(counted).sort()).toEqual(Object.keys(expected).sort());
    // Filled with one long word, most responses have no four words in a row.
    expect(diversity?.value).toBeGreaterThan(0);
    expect(diversity?.value).toBeLessThan(1);
    for (const [metric, value] of Object.entries(expected)) {
      expect(rows[metric]?.value, metric).toBeCloseTo(value, 10);
      expect(rows[metric]).toMatchObject({ arm: "m", problems: size, samples: 4, seed: 0 });
    }
    // Wilson's interval with as many independent samples as have the standard error of the problems' means.
    const mean = expected["avg@4"] as number;
    const spread = [1, 0.25, 0.5, 0, 0.5].reduce(
      (sum, share, kind) => sum + (kinds(size)[kind] as number) * (share - mean) ** 2,
      0.1 * (mean ** 2 + (1 - mean) ** 2),
    );
    const effective = Math.max(size, (mean * (1 - mean)) / (spread / (size - 1) / size));
    const t = studentQuantile(0.975, size - 1);
    const centre = (mean + t ** 2 / 2 / effective) / (1 + t ** 2 / effective);
    const half =
      (t / (1 + t ** 2 / effective)) *
      Math.sqrt((mean * (1 - mean)) / effective + t ** 2 / 4 / effective ** 2);
    expect(rows["avg@4"]?.low).toBeCloseTo(centre - half, 10);
    expect(rows["avg@4"]?.high).toBeCloseTo(centre + half, 10);
  });

  it.each(BENCHMARKS.map((name, i) => [name, SIZES[i] as number] as const))(
    "lengths and shorter limits of %s",
    (name, size) => {
      const [all, one, two, none, cut] = kinds(size);
      const own = file.arms[0]?.benchmarks.find(({ benchmark }) => benchmark === name);
      const short = 2 * one + two + 2 * none + 2 * cut + two + none;
      const right = 4 * all + one + 2 * two + cut;
      const long = one + none + cut;
      expect(
        own?.lengths?.map(({ fromTokens, toTokens, responses, correct, truncated, accuracy }) => [
          [fromTokens, toTokens],
          [responses, correct, truncated],
          accuracy?.value ?? null,
        ]),
      ).toEqual([
        [[0, 250], [short, 0, 0], 0],
        [[250, 500], [right, right, 0], 1],
        [[500, 750], [0, 0, 0], null],
        [[750, null], [long, cut, long], cut / long],
      ]);
      const points = own?.budgets ?? [];
      expect(points.map(({ budgetTokens }) => budgetTokens)).toEqual([125, 250, 500, 750, 1000]);
      const shares = [0, 0, right, right, right + cut].map((count) => count / 4 / size);
      const left = [right + long, right + long, long, long, long].map((count) => count / 4 / size);
      for (const [i, { accuracy, truncated }] of points.entries()) {
        expect(accuracy.value).toBeCloseTo(shares[i] as number, 10);
        expect(truncated).toBeCloseTo(left[i] as number, 10);
      }
    },
  );

  it("means of the five, and the tables on the terminal", () => {
    const means = SIZES.map((size) => {
      const [all, one, two, , cut] = kinds(size);
      return (4 * all + one + 2 * two + 2 * cut) / 4 / size;
    });
    const mean = means.reduce((sum, one) => sum + one, 0) / 5;
    expect(file.arms[0]?.mean?.value).toBeCloseTo(mean, 10);
    expect(output).toMatch(new RegExp(`mean, equal weight +${(100 * mean).toFixed(1)} \\(`));
    expect(output).toMatch(/minerva +272 × 4 +45\.1 \(/);
    expect(output).toMatch(/here: m +45\.0 \(avg@4\) +45\.0 \(avg@4\) +45\.5 \(avg@4\) +45\.1 +45\.0\n/);
    // V2 does not say how many samples its numbers are from.
    expect(output).toMatch(/V2 \(2026\), 4B[^\n]*\n +AIME25\n/);
  });
});
