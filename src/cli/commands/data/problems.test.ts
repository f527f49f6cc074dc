import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { afterEach, expect, test, vi } from "vitest";
import { startHub } from "../../../data/hub/testing.ts";
import { writeJsonl } from "../../../data/jsonl.ts";
import { readProblems } from "../../../data/problems.ts";
import { readRows } from "../../../data/rows.ts";
import { collect, scratchFolder } from "../../../data/testing.ts";
import { DataError } from "../../../errors.ts";
import { createDataCommand } from "../data.ts";
import { withProgress } from "./row-progress.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function settle(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  for (const child of command.commands) settle(child);
  return command;
}

/** Runs `polaris data …` and returns what it wrote. */
async function data(...words: string[]): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  await settle(createDataCommand()).parseAsync(words, { from: "user" });
  vi.restoreAllMocks();
  return text;
}

const valuesOf = async (path: string) => (await collect(readRows(path))).map(({ value }) => value);

function fileWith(name: string, rows: readonly unknown[]): string {
  const path = join(scratchFolder(), name);
  writeJsonl(path, rows);
  return path;
}

const ROWS = [
  { problem: "What is 1+1?", answer: "2", difficulty: 0.5, tags: ["sum"] },
  { problem: "What is 6*7?", answer: "42", difficulty: 0.25, tags: [] },
];

test("POLARIS lines to verl Parquet and back: no column is lost", async () => {
  const input = fileWith("train.jsonl.gz", ROWS);
  const folder = scratchFolder();
  const parquet = join(folder, "train.parquet");
  expect(await data("convert", input, "--out", parquet, "--to", "verl", "--write-split", "train")).toContain(
    "2 verl rows",
  );
  expect(await valuesOf(parquet)).toMatchObject([
    {
      data_source: "train",
      prompt: [{ role: "user", content: "What is 1+1?" }],
      reward_model: { ground_truth: "2", style: "rule" },
      extra_info: { index: 0, split: "train" },
      difficulty: 0.5,
      tags: ["sum"],
    },
    { extra_info: { index: 1, split: "train" }, difficulty: 0.25, tags: [] },
  ]);
  const back = join(folder, "back.jsonl");
  await data("convert", parquet, "--out", back, "--to", "polaris");
  expect(await valuesOf(back)).toMatchObject(ROWS);
});

test("the output speaks the input's dialect unless told otherwise; a JSON array is read too", async () => {
  const input = join(scratchFolder(), "set.json");
  writeFileSync(input, JSON.stringify(ROWS, null, 2));
  const out = join(scratchFolder(), "out.jsonl");
  const result = JSON.parse(await data("convert", input, "--out", out, "--limit", "1", "--json"));
  expect(result).toMatchObject({ dialect: "polaris", rows: 1, drops: { total: 2, kept: 1 } });
  expect(await valuesOf(out)).toMatchObject([ROWS[0]]);
});

test("dedupe says which row repeats which, and what disagrees", async () => {
  const input = fileWith("set.jsonl", [
    { id: "a", problem: "Half of 1?", answer: "1/2" },
    { id: "b", problem: "Half of  1?", answer: "0.5" },
    { id: "c", problem: "Third of 9?", answer: "3" },
    { id: "d", problem: "Third of 9?", answer: "4" },
  ]);
  const folder = scratchFolder();
  const [out, dropped, drops] = ["out.jsonl", "dropped.jsonl", "drops.json"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await data("dedupe", input, "--out", out, "--dropped", dropped, "--drops", drops);
  expect((await readProblems(out)).map(({ id }) => id)).toEqual(["a", "c"]);
  expect(await valuesOf(dropped)).toMatchObject([
    { reason: "repeated_question", id: "b", kept: "a" },
    { reason: "repeated_question", id: "d", kept: "c", detail: "the question of c, with the answer 4" },
  ]);
  expect(JSON.parse(readFileSync(drops, "utf8"))).toMatchObject({ total: 4, kept: 2 });
  await data("dedupe", input, "--out", out, "--contradictions", "drop");
  expect((await readProblems(out)).map(({ id }) => id)).toEqual(["a"]);
});

test("decontaminate shows both texts; without --out nothing is written but the report", async () => {
  const question =
    "Find the number of ways to tile a board of three by ten squares with dominoes of two colours";
  const bench = fileWith("bench.jsonl", [{ id: "b1", problem: question, answer: "7" }]);
  const input = fileWith("set.jsonl", [{ problem: `Hard! ${question.toUpperCase()}`, answer: "7" }, ...ROWS]);
  const dropped = join(scratchFolder(), "dropped.jsonl");
  const text = await data("decontaminate", input, "--against", bench, "--dropped", dropped);
  expect(text).toContain("2 of 3 problems kept");
  expect(await valuesOf(dropped)).toMatchObject([
    {
      reason: "contaminated",
      prompt: `Hard! ${question.toUpperCase()}`,
      benchmark: { id: "b1", prompt: question, words: 19 },
    },
  ]);
});

test("inspect tells columns, answers, repeats and rows that are none", async () => {
  const input = fileWith("set.jsonl", [
    ...ROWS,
    { problem: "What is 1+1?", answer: "3" },
    { problem: "No answer" },
  ]);
  const found = JSON.parse(await data("inspect", input, "--json"));
  expect(found).toMatchObject({
    dialect: "polaris",
    problems: 3,
    invalid: 1,
    repeated: 1,
    contradicting: 1,
    notVerifiable: 0,
    answers: { text: 3 },
    columns: { problem: "string", difficulty: "double", tags: "list<string>" },
    characters: { least: 12, most: 12 },
  });
  expect(found.firstInvalid).toContain("set.jsonl:4: no answer");
  expect(await data("inspect", input)).toContain("repeated     1, of which 1 with another answer");
});

test("prompts too long for a model, by its own tokenizer; columns by name", async () => {
  const input = fileWith("set.jsonl", [
    { q: { text: "1+1" }, a: 2 },
    { q: { text: "1+".repeat(40) }, a: 40 },
  ]);
  const out = join(scratchFolder(), "out.jsonl");
  const words = ["--column", "prompt=q.text", "--column", "answer=a", "--model", "builtin:practice-small"];
  await data("convert", input, "--out", out, ...words, "--max-prompt-tokens", "40");
  expect((await readProblems(out)).map(({ prompt }) => prompt)).toEqual(["1+1"]);
});

test("a data set of the Hub by address, with the commit it was", async () => {
  const commit = "e".repeat(40);
  const files = {
    "data/train.jsonl": ROWS.map((row) => `${JSON.stringify(row)}\n`).join(""),
    "other.jsonl": "{}\n",
  };
  const hub = await startHub({ "org/maths": { commits: { [commit]: files }, refs: { v1: commit } } });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_HOME", scratchFolder());
  vi.stubEnv("HF_HUB_CACHE", "");
  vi.stubEnv("HF_TOKEN", "");
  const errors = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const found = JSON.parse(await data("inspect", "hf://datasets/org/maths@v1/data/*.jsonl", "--json"));
  expect(found).toMatchObject({ problems: 2, commits: [{ name: "org/maths", revision: "v1", commit }] });
  errors.mockRestore();
  await expect(data("inspect", "hf://datasets/org")).rejects.toThrow("expected hf://datasets/org/name");
});

test.each<[string, () => string[], string]>([
  ["a file that is not there", () => ["inspect", "none.jsonl"], "none.jsonl: no such file or folder"],
  [
    "a folder without problems",
    () => ["inspect", scratchFolder()],
    "no file with rows (files with rows: none)",
  ],
  [
    "a file whose columns have other names",
    () => ["inspect", fileWith("x.jsonl", [{ text: "Q", target: "1" }])],
    "no row is a problem; 1 are not, the first:",
  ],
  [
    "a row that is no problem",
    () => ["convert", fileWith("x.jsonl", [{ a: 1 }]), "--out", "out.jsonl"],
    "x.jsonl:1: no question",
  ],
  ["no rows", () => ["dedupe", fileWith("x.jsonl", [])], "expected problems, got none"],
  [
    "an ending nobody reads",
    () => ["convert", fileWith("x.jsonl", ROWS), "--out", "out.csv"],
    "--out: expected a name that ends",
  ],
  [
    "a role that is none",
    () => ["inspect", "x", "--column", "text=q"],
    "Expected prompt=, answer=, id= or source=",
  ],
])("%s is one clear line", async (_, words, message) => {
  await expect(data(...words())).rejects.toThrow(message);
  expect(existsSync("out.jsonl")).toBe(false);
});

test("a folder as a data set on the Hub is laid out: the split by names, and CSV among them", async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, "train-0.csv"), "problem,answer\nWhat is 1+1?,2\n");
  writeJsonl(join(folder, "train-1.jsonl"), [ROWS[1]]);
  writeJsonl(join(folder, "test-0.jsonl"), [{ problem: "What is 2+2?", answer: "4" }]);
  expect(JSON.parse(await data("inspect", folder, "--json"))).toMatchObject({
    problems: 2,
    notVerifiable: 0,
  });
  expect(JSON.parse(await data("inspect", folder, "--split", "test", "--json"))).toMatchObject({
    problems: 1,
  });
  await expect(data("inspect", folder, "--split", "validation")).rejects.toThrow(
    'no file of split "validation"',
  );
});

test.each(["org/maths", "https://huggingface.co/datasets/org/maths"])(
  "%s is not there; the hint says how a data set on the Hub is written",
  async (name) => {
    const error = await data("inspect", name).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ hint: "a data set on the Hub is written hf://datasets/org/maths" });
  },
);

test("a column that is missing says which there are and how to name one", async () => {
  const error = await data(
    "convert",
    fileWith("x.jsonl", [{ text: "Q", target: "1" }]),
    "--out",
    "out.jsonl",
  ).catch((cause: unknown) => cause);
  expect(error).toMatchObject({
    message: expect.stringContaining(
      "x.jsonl:1: no question: expected a column prompt, problem, question, messages, got text, target",
    ),
    hint: "name it: --column prompt=NAME on the command line, columns: {prompt: NAME} in a recipe",
  });
});

test("a question with words changed is found; the terminal names the benchmark's question", async () => {
  const question =
    "A bag holds four red marbles and seven blue marbles; Anna draws three of them without looking, one after another. How probable is it that she holds more blue ones than red ones?";
  const bench = fileWith("bench.jsonl", [{ id: "b1", problem: question, answer: "7" }]);
  const changed = question
    .replace("Anna", "Berta")
    .replace("probable", "likely")
    .replace("A bag", "An urn")
    .replace("seven", "nine");
  const input = fileWith("set.jsonl", [{ id: "x", problem: changed, answer: "7" }, ...ROWS]);
  const text = await data("decontaminate", input, "--against", bench);
  expect(text).toMatch(
    /contaminated:\n {2}x: \d\d% of bench b1, \d+ words in short runs\n2 of 3 problems kept/,
  );
  expect(await data("decontaminate", input, "--against", bench, "--near-share", "0")).toContain(
    "3 of 3 problems kept",
  );
});

test("a terminal is told how far a long file is, a file is not", async () => {
  async function* numbers() {
    for (let i = 0; i < 12_000; i++) yield i;
  }
  let text = "";
  const output = { isTTY: true, write: (piece: string) => (text += piece) };
  expect(await collect(withProgress(numbers(), output))).toHaveLength(12_000);
  expect(text).toBe("\r5.0k rows read\r10.0k rows read\r\u001b[K");
  text = "";
  await collect(withProgress(numbers(), { ...output, isTTY: false }));
  expect(text).toBe("");
});

test("rows that are none can be left out", async () => {
  const input = fileWith("x.jsonl", [{ a: 1 }, ...ROWS]);
  const out = join(scratchFolder(), "out.jsonl");
  await expect(data("convert", input, "--out", out)).rejects.toThrow(DataError);
  expect(await data("convert", input, "--out", out, "--skip-invalid")).toContain("1  invalid_row");
  expect(await readProblems(out)).toHaveLength(2);
});
