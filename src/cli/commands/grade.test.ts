import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, expect, test, vi } from "vitest";
import { readParquet } from "../../data/parquet-read.ts";
import { writeProblems } from "../../data/problems.ts";
import { writeRollouts } from "../../data/rollouts.ts";
import { collect, scratchFolder } from "../../data/testing.ts";
import { openRolloutSink } from "../../store/rollouts/sink.ts";
import { sampleRollouts } from "../../store/rollouts/testing/sample-rollouts.ts";
import type { Problem } from "../../types.ts";
import { createExplainCommand } from "./explain.ts";
import { createGradeCommand } from "./grade.ts";
import { createKeyCommand } from "./key.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs a command and returns what it wrote. */
async function output(command: Command, ...words: string[]): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await command.exitOverride().parseAsync(words, { from: "user" });
  vi.restoreAllMocks();
  return text;
}

function jsonl(rows: readonly unknown[]): string {
  const path = join(scratchFolder(), "rows.jsonl");
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

const parseLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("own, verl and TRL columns are graded, each with its reason", async () => {
  const path = jsonl([
    { id: "own", answer: "1/2", response: "so \\boxed{0.5}" },
    { problemId: "rollout", gold: "5", text: "so \\boxed{", finishReason: "length" },
    {
      extra_info: { index: 7 },
      reward_model: { ground_truth: ["3", "4"] },
      responses: ["\\boxed{4}", "\\boxed{5}", "none"],
    },
    { id: "trl", solution: "2", completion: [{ role: "assistant", content: "\\boxed{2}" }] },
  ]);
  const rows = parseLines(await output(createGradeCommand(), path, "--json"));
  expect(rows.map((row) => [row["id"], row["sample"], row["correct"], row["reason"]])).toEqual([
    ["own", 0, true, "equal"],
    ["rollout", 0, false, "truncated"],
    ["7", 0, true, "equal"],
    ["7", 1, false, "unequal"],
    ["7", 2, false, "no_boxed"],
    ["trl", 0, true, "equal"],
  ]);
});

test("golds come from another file by id, verdicts go to JSONL or Parquet", async () => {
  const responses = jsonl([
    { uid: "b", out: { text: "\\boxed{2}" } },
    { uid: "a", out: { text: "\\boxed{9}" } },
  ]);
  const gold = join(scratchFolder(), "gold.parquet");
  const columnData = [
    { name: "id", data: ["a", "b"], type: "STRING" as const },
    { name: "answer", data: ["1", "2"], type: "STRING" as const },
  ];
  writeFileSync(gold, new Uint8Array(parquetWriteBuffer({ columnData })));
  for (const name of ["verdicts.parquet", "verdicts.jsonl"]) {
    const out = join(scratchFolder(), name);
    const text = await output(
      createGradeCommand(),
      responses,
      "--gold",
      gold,
      "--out",
      out,
      "--response-column",
      "out.text",
      "--json",
    );
    expect(JSON.parse(text)).toMatchObject({
      responses: 2,
      correct: 1,
      failed: 0,
      accuracy: 0.5,
      reasons: { equal: 1, unequal: 1 },
    });
    const rows = name.endsWith(".parquet")
      ? (await collect(readParquet(out))).map((row) => row.value)
      : parseLines(readFileSync(out, "utf8"));
    expect(rows.map((row) => [row["id"], row["correct"], row["answer"]])).toEqual([
      ["b", true, "2"],
      ["a", false, "9"],
    ]);
  }
});

test("the rollouts of a stage are graded from a file or a store, with the problems the stage was given", async () => {
  const run = scratchFolder();
  const problems: Problem[] = Array.from({ length: 8 }, (_, i) => ({
    id: `problem-${i}`,
    prompt: `What is ${i}?`,
    answer: i,
    source: "counting",
    meta: {},
  }));
  writeProblems(join(run, "stages/pool/problems.jsonl"), problems);
  // The stage left fewer problems than its rollouts answer.
  writeProblems(join(run, "stages/calibrate/problems.jsonl"), problems.slice(0, 2));
  writeFileSync(
    join(run, "recipe.yaml"),
    "stages:\n  - {id: pool, kind: problems}\n  - {id: calibrate, kind: calibrate, problems: pool}\n",
  );
  const rollouts = [...sampleRollouts(0, 32)].map((rollout, i) => ({
    ...rollout,
    text: `\\boxed{${i % 3 === 0 ? rollout.problemId.slice(8) : -1}}`,
    finishReason: "stop" as const,
  }));
  const file = join(run, "stages/calibrate/rollouts.jsonl.gz");
  writeRollouts(file, rollouts);
  const graded = async (path: string) => parseLines(await output(createGradeCommand(), path, "--json"));
  const expected = rollouts.map(({ problemId, sample }, i) => [problemId, sample, i % 3 === 0]);
  const facts = (rows: Record<string, unknown>[]) =>
    rows.map((row) => [row["id"], row["sample"], row["correct"]]);
  expect(facts(await graded(join(run, "stages/calibrate")))).toEqual(expected);
  expect(facts(await graded(file))).toEqual(expected);
  rmSync(file);
  const sink = openRolloutSink(join(run, "stages/calibrate/rollouts"));
  for (const rollout of rollouts) sink.write(rollout);
  sink.close();
  expect(facts(await graded(join(run, "stages/calibrate")))).toEqual(expected);
  expect(facts(await graded(join(run, "stages/calibrate/rollouts")))).toEqual(expected);
  await expect(graded(run)).rejects.toThrow(/expected responses of one stage, got a run/);
});

test("compat mode and the think-close rule are options", async () => {
  const path = jsonl([{ id: 1, answer: "x=5", response: "</think>\\boxed{y = 5}" }]);
  const options = ["--extract", "think_close", "--json"];
  expect(await output(createGradeCommand(), path, ...options)).toContain('"correct":false');
  expect(await output(createGradeCommand(), path, ...options, "--mode", "compat")).toContain(
    '"correct":true',
  );
});

test.each([
  [[{ id: 1, answer: "1" }], "expected a row with a response"],
  [[{ id: 1, response: "x" }], "row 1 has no gold answer"],
  [[{ id: 1, answer: { a: 1 }, response: "x" }], "expected a gold answer"],
  [[{ id: 1, answer: "1", response: { a: 1 } }], "expected a response"],
  [[3], "expected an object"],
])("rows that cannot be graded are named: %j", async (rows, message) => {
  await expect(output(createGradeCommand(), jsonl(rows))).rejects.toThrow(message);
});

test("pairs: counts per kind and source, and every wrong row with its reason", async () => {
  const pair = { source: "bench/x", kind: "int", gold: "5", policy: false };
  const path = jsonl([
    { ...pair, id: "1", prediction: "\\boxed{5.0}", expected: true },
    { ...pair, id: "2", prediction: "\\boxed{6}", expected: true },
    { ...pair, id: "3", prediction: "5\\%", expected: false, policy: true, source: "other" },
  ]);
  const summary = JSON.parse(await output(createGradeCommand(), "pairs", path, "--json"));
  expect(summary.all).toMatchObject({ rows: 3, correct: 1, falsePositives: 1, falseNegatives: 1 });
  expect(summary.withoutPolicy).toMatchObject({ rows: 2, correct: 1, falsePositives: 0 });
  expect(summary.thirdParty.rows).toBe(1);
  expect(summary.wrong.map((row: { id: string; reason: string }) => [row.id, row.reason])).toEqual([
    ["2", "boxed:unequal"],
    ["3", "bare:unit_dropped"],
  ]);
  const table = await output(createGradeCommand(), "pairs", path);
  expect(table).toMatch(/without policy +2 +50\.00% +0 +1/);
});

const DATA = fileURLToPath(new URL("../../../../shared/data", import.meta.url));
test.skipIf(!existsSync(DATA))(
  "every gold of the five benchmark files recognises itself",
  async () => {
    const files = ["aime24", "aime25", "amc23", "minerva", "olympiad"].map((name) =>
      join(DATA, `${name}.parquet`),
    );
    const lines = parseLines(await output(createGradeCommand(), "golds", ...files, "--json"));
    expect(lines.map(({ rows, recognised }) => [rows, recognised])).toEqual(
      [30, 30, 83, 272, 675].map((n) => [n, n]),
    );
  },
  30_000,
);

test("key prints one key per expression", async () => {
  const lines = (await output(createKeyCommand(), "j=g+4=9+4=3", "j=3", "j=4")).trim().split("\n");
  expect(lines[0]?.slice(0, 32)).toBe(lines[1]?.slice(0, 32));
  expect(lines[2]?.slice(0, 32)).not.toBe(lines[1]?.slice(0, 32));
  const [rhs] = parseLines(await output(createKeyCommand(), "n=2", "--equations", "rhs", "--json"));
  expect(rhs).toMatchObject({ expression: "n=2", form: "Q2", opaque: false });
});

test("explain shows both readings and the rule that decides", async () => {
  const text = await output(createExplainCommand(), "5", "so \\boxed{5\\text{ cm}}");
  expect(text).toContain("unit cm");
  expect(text).toMatch(/equal {3}rule unit_dropped/);
  const json = JSON.parse(await output(createExplainCommand(), "x=5", "y=5", "--json"));
  expect(json).toMatchObject({ equal: false, rule: "unequal" });
  expect(json.gold.form).not.toBe(json.answer.form);
});
