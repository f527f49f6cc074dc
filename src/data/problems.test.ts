import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { BOXED_SUFFIX } from "../text/prompts.ts";
import type { Json, Problem } from "../types.ts";
import { writeJsonl } from "./jsonl.ts";
import { problemRow } from "./problem-dialects.ts";
import { parseProblemRow } from "./problem-row.ts";
import { dedupeProblems, readProblems, writeProblems } from "./problems.ts";
import { normalizePrompt, promptId } from "./prompt-digest.ts";
import { scratchFolder } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

const parse = (row: unknown) => parseProblemRow(row, { where: "x.jsonl:1", source: "x" });

describe("dialects", () => {
  test("POLARIS: problem, answer, difficulty", () => {
    expect(parse({ problem: "What is 1+1?", answer: "2", difficulty: 0.5 })).toEqual({
      id: promptId("What is 1+1?"),
      prompt: "What is 1+1?",
      answer: "2",
      source: "x",
      meta: { difficulty: 0.5 },
    });
  });

  test("verl: messages, reward_model, extra_info; the boxed suffix is not part of the question", () => {
    const row = {
      data_source: "test-math-aime24",
      prompt: [{ role: "user", content: `Q?${BOXED_SUFFIX}` }],
      ability: "math",
      reward_model: { style: "rule", ground_truth: "025" },
      extra_info: { index: 7n, split: "test" },
    };
    expect(parse(row)).toEqual({
      id: promptId("Q?"),
      prompt: "Q?",
      answer: "025",
      source: "test-math-aime24",
      meta: { ability: "math", reward_model: { style: "rule" }, extra_info: { index: 7, split: "test" } },
    });
  });

  test("verl: number, list and zero as ground truth; an empty data_source is the file's", () => {
    const row = (ground_truth: unknown) => ({ prompt: "Q", data_source: "", reward_model: { ground_truth } });
    expect(parse(row(0)).answer).toBe(0);
    expect(parse(row(["9.6\n", "9.60"])).answer).toEqual(["9.6\n", "9.60"]);
    expect(parse(row(142n)).answer).toBe(142);
    expect(parse(row(2n ** 60n)).answer).toBe("1152921504606846976");
    expect(parse(row("1")).source).toBe("x");
  });

  test("TRL: text or messages, any answer column, other columns kept", () => {
    expect(parse({ prompt: "Q", solution: "3", level: 5 })).toMatchObject({
      answer: "3",
      meta: { level: 5 },
    });
    const messages = [
      { role: "system", content: "Be brief" },
      { role: "user", content: "Q" },
    ];
    expect(parse({ prompt: messages, ground_truth: "3" })).toMatchObject({
      prompt: "Q",
      meta: { system: "Be brief" },
    });
    expect(parse({ question: "Q", answer: "3", solution: "because" }).meta).toEqual({ solution: "because" });
  });

  test("named columns", () => {
    const row = { uid: 9, text: "Q", target: "3", answer: "no", set: "s" };
    const columns = { id: "uid", prompt: "text", answer: "target", source: "set" };
    expect(parseProblemRow(row, { where: "w", source: "x", columns })).toEqual({
      id: "9",
      prompt: "Q",
      answer: "3",
      source: "s",
      meta: { answer: "no" },
    });
  });

  test.each<[string, unknown, string]>([
    ["no object", 3, "expected an object"],
    ["no question", { answer: "1" }, "no question: expected a column prompt"],
    ["empty question", { prompt: "  ", answer: "1" }, "prompt: expected text or messages"],
    ["only an instruction", { prompt: BOXED_SUFFIX, answer: "1" }, "got only an instruction"],
    ["question of numbers", { prompt: 3, answer: "1" }, "prompt: expected text or messages"],
    ["no answer", { prompt: "Q" }, "no answer: expected a column reward_model.ground_truth, answer"],
    ["empty answer", { prompt: "Q", answer: " " }, "answer: expected an answer, got empty text"],
    ["answer true", { prompt: "Q", answer: true }, "answer: expected text, a number or a list"],
    ["no answers", { prompt: "Q", answer: [] }, "answer: expected 1..256 answers, got 0"],
    ["nested answers", { prompt: "Q", answer: [["1"]] }, "answer: expected text or numbers in the list"],
    ["an essay", { prompt: "Q", answer: "x".repeat(20_000) }, "answer: expected at most 10000 characters"],
    [
      "two turns",
      {
        prompt: [
          { role: "user", content: "a" },
          { role: "user", content: "b" },
        ],
        answer: "1",
      },
      "expected one user message, got several",
    ],
    ["no user", { prompt: [{ role: "system", content: "a" }], answer: "1" }, "expected a user message"],
    ["images", { prompt: [{ role: "user", content: [{ type: "image" }] }], answer: "1" }, "text content"],
  ])("%s is refused with its place", (_, row, message) => {
    expect(() => parse(row)).toThrow(DataError);
    expect(() => parse(row)).toThrow(`x.jsonl:1: `);
    expect(() => parse(row)).toThrow(message);
  });

  test("a column named meta that is no object is a column like any other", () => {
    expect(parse({ prompt: "Q", answer: "1", meta: "text" }).meta).toEqual({ meta: "text" });
  });
});

test("any row is a problem or one DataError line", () => {
  const names = [
    "prompt",
    "problem",
    "answer",
    "meta",
    "id",
    "source",
    "reward_model",
    "extra_info",
    "solution",
  ];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.bigInt(),
    fc.constantFrom(undefined, Number.NaN),
    fc.record({ ground_truth: fc.oneof(fc.bigInt(), fc.jsonValue()) }),
    fc.array(
      fc.record({ role: fc.constantFrom("user", "system"), content: fc.anything({ withBigInt: true }) }),
    ),
  );
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(fc.dictionary(fc.constantFrom(...names), value), fc.bigInt()), (row) => {
      try {
        const { prompt, id, answer } = parse(row);
        expect(prompt.trim() !== "" && id !== "" && answer !== null).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        expect((error as Error).message).not.toContain("\n");
        refused++;
      }
    }),
    { numRuns: 1000 },
  );
  expect(refused).toBeGreaterThan(100);
});

describe("round trip", () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).map((s) => `${s}?`.trimStart());
  const answer = fc.oneof(
    fc.integer(),
    text,
    fc.array(fc.oneof(fc.integer(), text), { minLength: 1, maxLength: 3 }),
  );
  const reserved = ["meta", "id", "prompt", "problem", "question", "messages", "answer", "source", "dataset"];
  const columns = fc.dictionary(
    fc
      .stringMatching(/^[a-z]{1,8}$/)
      .filter((key) => !reserved.includes(key) && !/^(gold|solution|label)$/.test(key)),
    fc.oneof(fc.integer(), fc.string(), fc.boolean()) as fc.Arbitrary<Json>,
    { maxKeys: 3 },
  );
  const problem = fc.record({ id: text, prompt: text, answer, source: text, meta: columns });

  test.each(["own", "polaris", "verl", "trl"] as const)("%s keeps the problem", (dialect) => {
    fc.assert(
      fc.property(problem, (item) => {
        const back = parse(JSON.parse(JSON.stringify(problemRow(item as Problem, dialect, 3))));
        const { meta, ...rest } = back;
        const { meta: before, ...expected } = item;
        expect(rest).toEqual(expected);
        expect(meta).toMatchObject(before);
        if (dialect !== "verl") expect(meta).toEqual(before);
      }),
    );
  });

  test("verl rows have the columns of recipe A1.6", () => {
    const item: Problem = { id: "a", prompt: "Q", answer: "1", source: "", meta: {} };
    expect(problemRow(item, "verl", 4)).toEqual({
      id: "a",
      data_source: "",
      prompt: [{ role: "user", content: "Q" }],
      ability: "math",
      reward_model: { style: "rule", ground_truth: "1" },
      extra_info: { split: "train", index: 4 },
    });
  });
});

describe("files", () => {
  test("written and read back, gzip by name", async () => {
    const path = join(scratchFolder(), "set.jsonl.gz");
    const problems: Problem[] = [
      { id: "a", prompt: "Q1", answer: "1", source: "s", meta: { n: 1 } },
      { id: "b", prompt: "Q2", answer: [1, "2"], source: "s", meta: {} },
    ];
    writeProblems(path, problems);
    expect(await readProblems(path)).toEqual(problems);
  });

  test("the source defaults to the file's name; repeated questions get ids of their own", async () => {
    const path = join(scratchFolder(), "math.train.jsonl.gz");
    writeJsonl(path, [
      { problem: "Q", answer: "1" },
      { problem: "Q ", answer: "2" },
      { problem: "Q", answer: "1" },
    ]);
    const problems = await readProblems(path);
    const id = promptId("Q");
    expect(problems.map((item) => [item.id, item.source])).toEqual([
      [id, "math.train"],
      [`${id}-2`, "math.train"],
      [`${id}-3`, "math.train"],
    ]);
  });

  test("one id for two questions, no rows, and a bad row are errors with their place", async () => {
    const path = join(scratchFolder(), "x.jsonl");
    writeJsonl(path, [
      { id: 1, prompt: "Q", answer: "1" },
      { id: 1, prompt: "R", answer: "1" },
    ]);
    await expect(readProblems(path)).rejects.toThrow('id "1" belongs to two different questions');
    writeJsonl(path, []);
    await expect(readProblems(path)).rejects.toThrow("got an empty file");
    writeJsonl(path, [{ prompt: "Q", answer: "1" }, { prompt: "R" }]);
    await expect(readProblems(path)).rejects.toThrow(`${path}:2: no answer`);
  });

  test("duplicates: by text, not by letter case; disagreements are told", () => {
    const make = (prompt: string, value: string): Problem => ({
      id: prompt,
      prompt,
      answer: value,
      source: "s",
      meta: {},
    });
    const { problems, duplicates } = dedupeProblems([
      make("Let x  be", "1"),
      make("Let X be", "2"),
      make(` Let x be${BOXED_SUFFIX}`, "1"),
      make("Let x be", "3"),
    ]);
    expect(problems.map((item) => item.prompt)).toEqual(["Let x  be", "Let X be"]);
    expect(duplicates.map((item) => item.sameAnswer)).toEqual([true, false]);
    expect(normalizePrompt("e\u0301  \n a")).toBe("\u00e9 a");
  });
});

const benchmarks = join(import.meta.dirname, "../../../shared/data");
if (!existsSync(benchmarks)) console.warn(`skipped: the benchmark files are not at ${benchmarks}`);
describe.skipIf(!existsSync(benchmarks))("the five published benchmarks", () => {
  test.each([
    ["aime24", 30],
    ["aime25", 30],
    ["amc23", 83],
    ["minerva", 272],
    ["olympiad", 675],
  ])("%s: %d problems, questions without suffix, all different", async (name, rows) => {
    const problems = await readProblems(join(benchmarks, `${name}.parquet`));
    expect(new Set(problems.map((problem) => problem.source)).size).toBe(1);
    expect(problems).toHaveLength(rows);
    expect(dedupeProblems(problems).problems).toHaveLength(rows);
    for (const problem of problems) expect(problem.prompt).not.toContain("think step by step");
  });
});
