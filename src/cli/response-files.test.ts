/** What is read from a file of rollouts, a store and a stage's folder is the same, with all problems the stage was given. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeProblems } from "../data/problems.ts";
import { writeRollouts } from "../data/rollouts.ts";
import { scratchFolder } from "../data/testing.ts";
import { toyProblems, toyRollout } from "../recipe/stages/testing/toy-task.ts";
import { openRolloutSink } from "../store/rollouts/sink.ts";
import { runProgram } from "./program.ts";
import { openResponseFiles } from "./response-files.ts";
import { stageAround } from "./run-problems.ts";

const problems = toyProblems();
const rollouts = problems.flatMap((problem) =>
  [0, 0, 1, 2].map((off, sample) => toyRollout(problem, String((Number(problem.answer) + off) % 10), sample)),
);
let run: string;
let output = "";
let errors = "";

beforeEach(() => {
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  run = scratchFolder();
  writeFileSync(
    join(run, "recipe.yaml"),
    "stages:\n  - {id: pool, kind: problems}\n  - {id: difference, kind: difference_filter, problems: pool}\n  - {id: rl, kind: rl, problems: difference}\n",
  );
  writeProblems(join(run, "stages/pool/problems.jsonl"), problems);
  writeProblems(join(run, "stages/difference/problems.jsonl"), problems.slice(0, 3));
  writeRollouts(join(run, "stages/difference/rollouts.jsonl.gz"), rollouts);
  const store = openRolloutSink(join(run, "rollouts/rl"));
  for (const rollout of rollouts) store.write(rollout);
  store.close();
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function polaris(...words: string[]): Promise<string> {
  output = "";
  errors = "";
  expect(`${await runProgram(words)} ${errors}`).toMatch(/^0 /);
  return output;
}

/** What a command says without the names of the files it read. */
const said = (text: string) => text.replaceAll(/"(files?|model)":("[^"]*"|\[[^\]]*\])/g, '"$1":""');

describe("responses of a run", () => {
  test("a stage that filters: all problems it was given are there, in order", async () => {
    const { files, problems: found } = await openResponseFiles([join(run, "stages/difference")]);
    expect(files).toEqual([join(run, "stages/difference/rollouts.jsonl.gz")]);
    expect(found).toEqual(problems);
  });

  test("a limit of the stage holds, and a store inside a run knows its stage", async () => {
    const recipe =
      "stages:\n  - {id: pool, kind: problems}\n  - {id: rl, kind: rl, problems: pool, limit: 4}\n";
    writeFileSync(join(run, "recipe.yaml"), recipe);
    const { files, problems: found } = await openResponseFiles([join(run, "rollouts/rl")]);
    expect(files).toEqual([join(run, "rollouts/rl")]);
    expect(found).toEqual(problems.slice(0, 4));
    expect(stageAround(join(run, "rollouts/rl/round-1/train/step-3.jsonl.gz"))).toEqual({
      runFolder: run,
      id: "rl",
    });
    expect(stageAround(scratchFolder())).toBeNull();
  });

  test.each([
    ["similarity", "--json"],
    ["difference", "--json", "--keep-undetermined"],
    ["compliance", "--json"],
    ["grade", "--json"],
  ])("polaris %s gives the same for a file, a store and a stage", async (command, ...options) => {
    const answers = join(run, "stages/pool/problems.jsonl");
    const given = command === "compliance" ? [] : ["--problems", answers];
    const file = said(
      await polaris(command, join(run, "stages/difference/rollouts.jsonl.gz"), ...options, ...given),
    );
    expect(file.length).toBeGreaterThan(100);
    expect(said(await polaris(command, join(run, "stages/difference"), ...options))).toBe(file);
    expect(said(await polaris(command, join(run, "rollouts/rl"), ...options, ...given))).toBe(file);
  });

  test("consensus sets and training rows are built from a store", async () => {
    const rowsOf = async (path: string, name: string) => {
      await polaris(
        "data",
        "rl",
        path,
        "--out",
        join(run, name),
        "--problems",
        join(run, "stages/pool/problems.jsonl"),
      );
      return output.replaceAll(name, "");
    };
    expect(await rowsOf(join(run, "rollouts/rl"), "a.jsonl")).toBe(
      await rowsOf(join(run, "stages/difference"), "b.jsonl"),
    );
    const build = async (path: string, name: string) =>
      JSON.parse(await polaris("consensus", "build", "--from", path, "--store", join(run, name), "--json"));
    const fromStore = await build(join(run, "rollouts/rl"), "a.db");
    expect(fromStore).toMatchObject({ responses: 4 * 3, correct: 2 * 3 });
    expect(fromStore.unmatchedRows).toBe(4 * 7);
    expect(await build(join(run, "stages/difference"), "b.db")).toMatchObject({ responses: 40, correct: 20 });
  });

  test("a run, an empty folder and a missing path are refused in one line", async () => {
    await expect(openResponseFiles([run])).rejects.toThrow(/expected responses of one stage, got a run/);
    mkdirSync(join(run, "empty"));
    await expect(openResponseFiles([join(run, "empty")])).rejects.toThrow(
      /expected a rollout store or files/,
    );
    await expect(openResponseFiles([join(run, "none")])).rejects.toThrow(/no such file or folder/);
  });
});
