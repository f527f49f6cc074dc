import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { loadRecipe } from "../../config/load-recipe.ts";
import { type LocalDataset, startHub } from "../../data/hub/testing.ts";
import { writeJsonl } from "../../data/jsonl.ts";
import { writeProblemFile } from "../../data/problem-file.ts";
import { readProblems } from "../../data/problems.ts";
import { readRows } from "../../data/rows.ts";
import { collect, scratchFolder } from "../../data/testing.ts";
import { WORD_LEVEL_CONFIG, wordLevelTokenizer } from "../../text/testing.ts";
import type { DropsFile, SourcesFile } from "../result-files.ts";
import { problemsStage } from "./problems.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;

beforeAll(async () => {
  bench = await createWorkbench();
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Runs one problems stage and reads what it wrote. */
async function build(name: string, keys: string) {
  const { stages } = await bench.run(name, `  - {id: set, kind: problems, ${keys}}`);
  const folder = join(bench.folder, "runs", name, "stages", "set");
  const json = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const drops = json("drops.json") as DropsFile;
  return {
    stages,
    drops,
    counts: Object.fromEntries(
      drops.reasons.map(({ reason, count }) => [reason, count]).filter(([, n]) => n !== 0),
    ),
    sources: (json("sources.json") as SourcesFile).sources,
    problems: await readProblems(join(folder, "problems.jsonl")),
    dropped: (await collect(readRows(join(folder, "dropped.jsonl.gz")))).map(
      ({ value }) => value as Record<string, unknown>,
    ),
  };
}

function file(name: string, rows: readonly unknown[]): string {
  const path = join(scratchFolder(), name);
  writeJsonl(path, rows);
  return path;
}

test("what is left out has a reason, a record and a place in the counts; the rest keeps its columns", async () => {
  const benchmark =
    "Find the number of ways to tile a board of three by ten squares with dominoes of two colours";
  const rows = [
    { problem: "What is 1+1?", answer: "2", difficulty: 0.5 },
    { problem: "What is  1+1? ", answer: "2" },
    { problem: "What is 1+2?", answer: "5" },
    { problem: "x".repeat(300), answer: "1" },
    { problem: "Read this.", answer: "}{" },
    { problem: `Once upon a time: ${benchmark}.`, answer: "7" },
    { problem: "No answer" },
    { problem: "What is 2+2?", answer: "4" },
  ];
  const train = file("train.jsonl", rows);
  const held = join(scratchFolder(), "bench.parquet");
  await writeProblemFile(
    held,
    () => [{ id: "b1", prompt: benchmark, answer: "9", source: "bench", meta: {} }],
    {
      dialect: "verl",
      instruction: "boxed",
    },
  );
  const { problems, drops, counts, dropped, sources, stages } = await build(
    "rules",
    `sources: [{from: reference, problems: "${train}"}], invalid_rows: drop, max_prompt_characters: 250, limit: 2, decontaminate: {against: ["${held}"]}`,
  );
  expect(problems.map(({ prompt }) => prompt)).toEqual(["What is 1+1?", "What is 1+2?"]);
  expect(problems[0]?.meta).toEqual({ difficulty: 0.5 });
  expect(counts).toEqual({
    invalid_row: 1,
    repeated_question: 1,
    too_long: 1,
    not_verifiable: 1,
    contaminated: 1,
    beyond_limit: 1,
  });
  expect(drops).toMatchObject({ total: 8, kept: 2 });
  expect(drops.reasons.find(({ reason }) => reason === "invalid_row")?.examples[0]?.detail).toContain(
    "train.jsonl:7: no answer",
  );
  const hit = dropped.find(({ reason }) => reason === "contaminated");
  expect(hit).toMatchObject({
    prompt: rows[5]!.problem,
    benchmark: { id: "b1", source: "bench", prompt: benchmark },
  });
  expect(dropped.find(({ reason }) => reason === "repeated_question")).toMatchObject({
    kept: problems[0]!.id,
  });
  expect(sources).toEqual([{ from: "reference", name: train, problems: 7 }]);
  expect(stages[0]?.output.numbers).toMatchObject({ problems: 2, contaminated: 1, too_easy: 0 });
});

test("without invalid_rows: drop, a row that is no problem stops the run with its place", async () => {
  const path = file("bad.jsonl", [{ problem: "Q", answer: "1" }, { problem: "R" }]);
  await expect(build("bad", `sources: [{from: reference, problems: "${path}"}]`)).rejects.toThrow(
    "bad.jsonl:2: no answer",
  );
});

test("contradicting answers: the first is kept, or none; 1/2 and 0.5 agree", async () => {
  const path = file("c.jsonl", [
    { problem: "Half of 1?", answer: "1/2" },
    { problem: "Half of 1?", answer: "0.5" },
    { problem: "Third of 9?", answer: "3" },
    { problem: "Third of 9?", answer: "4" },
  ]);
  const sources = `sources: [{from: reference, problems: "${path}"}]`;
  expect((await build("first", sources)).problems.map(({ answer }) => answer)).toEqual(["1/2", "3"]);
  const none = await build("none", `${sources}, contradictions: drop`);
  expect(none.problems.map(({ answer }) => answer)).toEqual(["1/2"]);
  expect(none.counts).toEqual({ repeated_question: 1, contradicting_answer: 2 });
});

test("what automatic evaluation cannot judge goes by the reasons asked for, and stays without them", async () => {
  const path = file("u.jsonl", [
    { problem: "What is 1+1?", answer: "2" },
    { problem: "Which day is it?", answer: "\\text{Monday}" },
    { problem: "Expand.", answer: "a+b+c" },
    { problem: "(a) Find x. (b) Find y.", answer: "3" },
  ]);
  const sources = `sources: [{from: reference, problems: "${path}"}]`;
  expect((await build("all", sources)).problems).toHaveLength(4);
  const some = await build("some", `${sources}, unsuitable: [text_answer, too_many_symbols], max_symbols: 3`);
  expect(some.counts).toEqual({ text_answer: 1 });
  const every = await build("every", `${sources}, unsuitable: [text_answer, multi_part, too_many_symbols]`);
  expect(every.counts).toEqual({ text_answer: 1, multi_part: 1, too_many_symbols: 1 });
  expect(every.problems.map(({ answer }) => answer)).toEqual(["2"]);
});

test("prompts above the limit in the model's own tokens are left out", async () => {
  const model = scratchFolder();
  writeFileSync(join(model, "tokenizer.json"), JSON.stringify(wordLevelTokenizer()));
  const chat_template =
    "{% for m in messages %}<bos>{{ m.content }};{% endfor %}{% if add_generation_prompt %}={% endif %}";
  writeFileSync(
    join(model, "tokenizer_config.json"),
    JSON.stringify({ ...WORD_LEVEL_CONFIG, chat_template }),
  );
  const path = file("t.jsonl", [
    { problem: "a+b?", answer: "1" },
    { problem: "a+b+a?", answer: "1" },
    { problem: "a+b+a+b?", answer: "1" },
  ]);
  const { problems, drops } = await build(
    "tokens",
    `sources: [{from: reference, problems: "${path}"}], overlong: {model: "${model}", max_tokens: 9}`,
  );
  expect(problems.map(({ prompt }) => prompt)).toEqual(["a+b?", "a+b+a?"]);
  const rule = drops.reasons.find(({ reason }) => reason === "too_many_tokens");
  expect(rule?.examples[0]?.detail).toBe("11 of 9 tokens");
});

test("columns by name; ids that two sources both use get the source's name", async () => {
  const one = file("one.jsonl", [{ uid: 1, text: "Q one?", target: { value: "1" } }]);
  const two = file("two.jsonl", [{ id: 1, question: "Q two?", solution: "2" }]);
  const { problems } = await build(
    "columns",
    `sources: [{from: reference, problems: "${one}", source: first, columns: {id: uid, prompt: text, answer: target.value}}, {from: reference, problems: "${two}"}]`,
  );
  expect(problems.map(({ id, source, answer }) => [id, source, answer])).toEqual([
    ["1", "first", "1"],
    ["two/1", "two", "2"],
  ]);
});

test("a data set of the Hub by id and revision; the commit is in the output; offline the cache answers", async () => {
  const commit = "c".repeat(40);
  const content = `${JSON.stringify({ problem: "What is 1+1?", answer: "2" })}\n`;
  const hub = await startHub({
    "org/maths": {
      commits: {
        [commit]: { "README.md": "# Maths", "data/train.jsonl": content, "data/test.jsonl": "{}\n" },
      },
      refs: { main: "d".repeat(40), v2: commit },
    },
  });
  const cache = scratchFolder();
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_HOME", cache);
  vi.stubEnv("HF_HUB_CACHE", "");
  vi.stubEnv("HF_TOKEN", "");
  const keys = "sources: [{from: hub, dataset: org/maths, revision: v2}]";
  const first = await build("hub", keys);
  expect(first.problems).toMatchObject([{ prompt: "What is 1+1?", source: "org/maths" }]);
  expect(first.sources).toEqual([
    { from: "hub", name: "org/maths", problems: 1, revision: "v2", commit, files: ["data/train.jsonl"] },
  ]);
  expect(first.stages[0]?.output.numbers?.["hub"]).toBe(`org/maths@${commit}`);
  const before = hub.requests.length;
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect((await build("offline", keys)).problems).toEqual(first.problems);
  expect(hub.requests).toHaveLength(before);
  expect(existsSync(join(cache, "hub", "datasets--org--maths"))).toBe(true);
});

test("a branch is settled when the run starts: a resumed run keeps the commit, one started over asks again", async () => {
  const [first, second] = ["1".repeat(40), "2".repeat(40)];
  const line = (n: number) => `${JSON.stringify({ problem: `What is 1+${n}?`, answer: String(1 + n) })}\n`;
  const maths: LocalDataset = {
    commits: { [first]: { "train.jsonl": line(1) }, [second]: { "train.jsonl": line(2) } },
    refs: { main: first },
    token: "hf_secret",
  };
  const hub = await startHub({ "org/maths": maths });
  vi.stubEnv("HF_ENDPOINT", hub.endpoint);
  vi.stubEnv("HF_HOME", scratchFolder());
  vi.stubEnv("HF_HUB_CACHE", "");
  vi.stubEnv("HF_TOKEN", "hf_secret");
  const asked = () => hub.requests.filter((request) => request.includes("/revision/")).length;
  const source = "sources: [{from: hub, dataset: org/maths}]";
  const stages = ["one", "two"].map((id) => `  - {id: ${id}, kind: problems, ${source}}`).join("\n");
  const run = async (extra: object) => {
    const result = await bench.run("moving", stages, extra);
    const prompts = (await readProblems(join(result.runFolder, "stages", "two", "problems.jsonl"))).map(
      ({ prompt }) => prompt,
    );
    return { prompts, skipped: result.stages.map(({ skipped }) => skipped), folder: result.runFolder };
  };
  const { folder, prompts } = await run({});
  expect(prompts).toEqual(["What is 1+1?"]);
  expect(asked()).toBe(1);
  expect(bench.read("moving", "recipe.yaml").match(new RegExp(`commit: "?${first}`, "g"))).toHaveLength(2);

  maths.refs["main"] = second;
  const before = hub.requests.length;
  expect((await run({ resume: true })).skipped).toEqual([true, true]);
  expect(hub.requests).toHaveLength(before);
  // Files that were lost are made again from the commit the run started with.
  rmSync(join(folder, "stages", "two"), { recursive: true });
  expect(await run({ resume: true })).toMatchObject({ prompts: ["What is 1+1?"], skipped: [true, false] });
  expect(asked()).toBe(1);

  expect((await run({ overwrite: true })).prompts).toEqual(["What is 1+2?"]);
  expect(asked()).toBe(2);
  // The recorded recipe is the run: it gives the same problems wherever the branch is now.
  maths.refs["main"] = first;
  const again = loadRecipe({
    files: [join(folder, "recipe.yaml")],
    schemas: { problems: problemsStage.schema },
  });
  expect(again.recipe.stages[0]!.config).toMatchObject({ sources: [{ revision: "main", commit: second }] });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      expect(readFileSync(join(entry.parentPath, entry.name), "latin1")).not.toContain("hf_secret");

  delete maths.refs["main"];
  await expect(run({ overwrite: true })).rejects.toThrow(
    /^stage one: data set org\/maths at main: .* has no such data set or revision$/,
  );
});
