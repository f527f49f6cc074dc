import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadRecipe } from "../config/load-recipe.ts";
import { ConfigError, DataError, InterruptedError, StoreError } from "../errors.ts";
import { randomStream } from "../random.ts";
import { openLedger } from "../store/ledger.ts";
import { acquireRunLock } from "../store/run-lock.ts";
import type { RunEvent } from "./run-events.ts";
import { type RunRecipeOptions, runRecipe } from "./runner.ts";
import type { StageKind } from "./stage.ts";
import { createCountingStage } from "./testing/counting-stage.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-run-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const text = `name: demo
seed: 5
stages:
  - {id: total, kind: count, from: [left, right], steps: 4}
  - {id: left, kind: count, steps: 7}
  - {id: right, kind: count, steps: 5, seed: 6}
`;

interface Extra extends Partial<RunRecipeOptions> {
  recipeText?: string;
  onStep?: (stage: string, step: number) => void | Promise<void>;
  kind?: StageKind;
}

/** Runs the text as a recipe in `<folder>/<name>` and returns the result with its events. */
async function run(name: string, extra: Extra = {}) {
  const { recipeText = text, onStep, kind = createCountingStage(onStep) as StageKind, ...options } = extra;
  const path = join(folder, "recipe.yaml");
  writeFileSync(path, recipeText);
  const kinds = { count: kind };
  const { recipe, tree } = loadRecipe({ files: [path], schemas: { count: kind.schema } });
  const events: RunEvent[] = [];
  const observe = (event: RunEvent): void => void events.push(event);
  const result = await runRecipe({ recipe, tree, kinds, runFolder: join(folder, name), observe, ...options });
  return { result, events };
}

/** Relative path and content of every file that must not depend on interruptions. */
function snapshot(name: string): Record<string, string> {
  const files: Record<string, string> = {};
  const walk = (path: string): void => {
    for (const entry of readdirSync(path)) {
      const full = join(path, entry);
      if (statSync(full).isDirectory()) walk(full);
      else if (!/ledger\.db|environment\.json|timings\.jsonl/.test(entry))
        files[relative(join(folder, name), full)] = readFileSync(full, "utf8");
    }
  };
  walk(join(folder, name));
  return files;
}

const states = (events: readonly RunEvent[]) =>
  events
    .flatMap((event) => (event.event === "run-start" ? event.stages : []))
    .map((stage) => `${stage.id} ${stage.state}`);

test("runs stages in the order of their inputs and settles their outputs", async () => {
  const { result, events } = await run("a");
  expect(result.stages.map((stage) => stage.id)).toEqual(["left", "right", "total"]);
  expect(result.stages[2]!.output.files).toEqual({ sum: "stages/total/sum.txt" });
  const sums = result.stages.map((stage) => Number(stage.output.numbers!["sum"]));
  const expected = (seed: number, id: string, steps: number) => {
    const random = randomStream(seed, "count", id);
    return Array.from({ length: steps }, () => random.normal()).reduce((a, b) => a + b, 0);
  };
  expect(sums[0]).toBeCloseTo(expected(5, "left", 7), 12);
  expect(sums[1]).toBeCloseTo(expected(6, "right", 5), 12);
  expect(sums[2]).toBeCloseTo(sums[0]! + sums[1]! + expected(5, "total", 4), 12);
  const files = snapshot("a");
  expect(files["stages/left/sum.txt"]).toBe(`${sums[0]}\n`);
  expect(Object.keys(files).filter((path) => path.includes(".partial"))).toEqual([]);
  expect(files["recipe.yaml"]).toMatch(/checkpoint_every: 3/);
  expect(files["recipe.yaml"]).toMatch(/workers: auto/);
  const lines = files["metrics.jsonl"]!.trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.stage).join(" ")).toBe(
    `${"left ".repeat(7)}${"right ".repeat(5)}${"total ".repeat(4).trim()}`,
  );
  expect(events.map((event) => event.event).filter((event) => event !== "stage-progress")).toEqual([
    "run-start",
    ...["left", "right", "total"].flatMap(() => ["stage-start", "stage-end"]),
    "run-end",
  ]);
});

test("a crash at any step, at any stage, resumes to the same bytes", async () => {
  await run("undisturbed");
  const expected = snapshot("undisturbed");
  for (const [stage, steps] of [
    ["left", 7],
    ["right", 5],
    ["total", 4],
  ] as const) {
    for (let at = 1; at <= steps; at++) {
      const name = `${stage}-${at}`;
      let crashed = false;
      const crash = (id: string, step: number): void => {
        if (crashed || id !== stage || step !== at) return;
        crashed = true;
        throw new Error("killed");
      };
      await expect(run(name, { onStep: crash })).rejects.toThrow("killed");
      // Half a line, as a process killed while writing leaves it.
      appendFileSync(join(folder, name, "metrics.jsonl"), '{"stage":"lef');
      await run(name, { resume: true, onStep: crash });
      expect(snapshot(name)).toEqual(expected);
    }
  }
});

test("a finished run is skipped as a whole", async () => {
  await run("a");
  const before = snapshot("a");
  let steps = 0;
  const { result, events } = await run("a", { resume: true, onStep: () => void steps++ });
  expect(steps).toBe(0);
  expect(result.stages.every((stage) => stage.skipped)).toBe(true);
  expect(states(events)).toEqual(["left done", "right done", "total done"]);
  expect(snapshot("a")).toEqual(before);
});

test("a changed recipe repeats the stage and what reads it, and nothing else", async () => {
  await run("a");
  const changed = text.replace("id: right, kind: count, steps: 5", "id: right, kind: count, steps: 6");
  const { events } = await run("a", { resume: true, recipeText: changed });
  expect(states(events)).toEqual(["left done", "right stale", "total stale"]);
  const start = events[0]!;
  expect(start.event === "run-start" && start.stages.map((stage) => stage.reason)).toEqual([
    undefined,
    "steps changed",
    "input right changed",
  ]);
  await run("fresh", { recipeText: changed });
  const [repeated, fresh] = [snapshot("a"), snapshot("fresh")];
  const sorted = (lines: string) => lines.trim().split("\n").sort();
  expect(sorted(repeated["metrics.jsonl"]!)).toEqual(sorted(fresh["metrics.jsonl"]!));
  delete repeated["metrics.jsonl"];
  delete fresh["metrics.jsonl"];
  expect(repeated).toEqual(fresh);
});

test.each([
  [
    "the seed",
    text.replace("seed: 5", "seed: 8"),
    ["left stale", "right done", "total stale"],
    "the seed changed",
  ],
  [
    "the engine",
    `${text}engine: {threads_per_worker: 3}\n`,
    ["left stale", "right stale", "total stale"],
    "engine.",
  ],
])("a change of %s is seen", async (_, recipeText, expected, reason) => {
  await run("a");
  const { events } = await run("a", { resume: true, recipeText });
  expect(states(events)).toEqual(expected);
  const start = events[0]!;
  expect(start.event === "run-start" && start.stages[0]!.reason).toContain(reason);
});

test("a change of the stage's code or of an input file is seen", async () => {
  const data = join(folder, "numbers.txt");
  writeFileSync(data, "1");
  const reading = (version: number): StageKind => ({
    ...(createCountingStage(undefined, version) as StageKind),
    run: async (_, context) => {
      writeFileSync(join(context.folder, "copy.txt"), readFileSync(data));
      return { files: { copy: `stages/${context.id}/copy.txt` } };
    },
  });
  const recipeText = `name: demo\nstages:\n  - {id: copy, kind: count, from: ["${data}"]}\n`;
  await run("a", { recipeText, kind: reading(1) as StageKind }).catch((error) =>
    expect(error).toBeUndefined(),
  );
  const again = async (version: number) =>
    states((await run("a", { resume: true, recipeText, kind: reading(version) as StageKind })).events);
  expect(await again(1)).toEqual(["copy done"]);
  writeFileSync(data, "2");
  expect(await again(1)).toEqual(["copy stale"]);
  expect(readFileSync(join(folder, "a/stages/copy/copy.txt"), "utf8")).toBe("2");
  expect(await again(2)).toEqual(["copy stale"]);
  rmSync(join(folder, "a/stages/copy/copy.txt"));
  expect(await again(2)).toEqual(["copy stale"]);
});

test("a stage taken out of the recipe leaves nothing behind", async () => {
  await run("a");
  await run("a", {
    resume: true,
    recipeText: `name: demo\nseed: 5\nstages:\n  - {id: left, kind: count, steps: 7}\n`,
  });
  expect(readdirSync(join(folder, "a/stages"))).toEqual(["left"]);
  expect(readFileSync(join(folder, "a/metrics.jsonl"), "utf8")).not.toMatch(/right|total/);
});

test("an interrupted stage finishes its step, says how to go on, and ends the same", async () => {
  await run("undisturbed");
  const stop = new AbortController();
  const onStep = (stage: string, step: number): void => {
    if (stage === "right" && step === 2) stop.abort();
  };
  const error = await run("a", { signal: stop.signal, onStep }).catch((caught) => caught);
  expect(error).toBeInstanceOf(InterruptedError);
  expect(error.exitCode).toBe(130);
  expect(error.message).toBe("stopped in stage right: after step 2 of 5");
  expect(error.hint).toMatch(/^continue with: polaris run --resume --run-dir .*a$/);
  const ledger = openLedger(join(folder, "a/ledger.db"));
  expect(ledger.steps().map((step) => `${step.stage} ${step.status}`)).toEqual([
    "left done",
    "right interrupted",
  ]);
  ledger.close();
  const { events } = await run("a", { resume: true });
  expect(states(events)).toEqual(["left done", "right partial", "total new"]);
  expect(snapshot("a")).toEqual(snapshot("undisturbed"));
});

test("a signal between stages stops before the next one", async () => {
  const stop = new AbortController();
  const onStep = (stage: string, step: number): void => {
    if (stage === "left" && step === 7) stop.abort();
  };
  await expect(run("a", { signal: stop.signal, onStep })).rejects.toThrow("stopped before stage right");
});

test("a folder with a run needs a decision; other folders are never touched", async () => {
  await run("a");
  await expect(run("a")).rejects.toThrow(/already holds a run/);
  const { events } = await run("a", { overwrite: true });
  expect(states(events)).toEqual(["left new", "right new", "total new"]);
  mkdirSync(join(folder, "thesis"));
  writeFileSync(join(folder, "thesis/chapter.txt"), "years of work");
  for (const options of [{}, { resume: true }, { overwrite: true }])
    await expect(run("thesis", options)).rejects.toThrow(/not empty and holds no run/);
  expect(readdirSync(join(folder, "thesis"))).toEqual(["chapter.txt"]);
  writeFileSync(join(folder, "file"), "");
  await expect(run("file")).rejects.toThrow(/is a file, expected a folder/);
  await expect(run("file/below")).rejects.toThrow(StoreError);
});

test("overwrite keeps files that are not the run's", async () => {
  await run("a");
  writeFileSync(join(folder, "a/notes.md"), "mine");
  await run("a", { overwrite: true });
  expect(readFileSync(join(folder, "a/notes.md"), "utf8")).toBe("mine");
});

test("a folder in use is refused, also with overwrite", async () => {
  await run("a");
  const ledger = openLedger(join(folder, "a/ledger.db"));
  const lock = acquireRunLock(ledger);
  for (const options of [{ resume: true }, { overwrite: true }])
    await expect(run("a", options)).rejects.toThrow(`in use by process ${process.pid}`);
  expect(existsSync(join(folder, "a/stages/left/sum.txt"))).toBe(true);
  lock.release();
  ledger.close();
  await run("a", { resume: true });
});

test("a corrupt ledger is one clear line, and overwrite starts over", async () => {
  await run("a");
  for (const name of ["ledger.db-wal", "ledger.db-shm"]) rmSync(join(folder, "a", name), { force: true });
  writeFileSync(join(folder, "a/ledger.db"), "this is no database".repeat(500));
  const error = await run("a", { resume: true }).catch((caught) => caught);
  expect(error).toBeInstanceOf(StoreError);
  expect(error.message).toMatch(/ledger\.db is corrupt: .*not a database$/);
  await run("a", { overwrite: true });
});

test("a broken metrics file is named with its line", async () => {
  await run("a");
  const path = join(folder, "a/metrics.jsonl");
  writeFileSync(path, `not json\n${readFileSync(path, "utf8")}`);
  const changed = text.replace("steps: 7", "steps: 8");
  const error = await run("a", { resume: true, recipeText: changed }).catch((caught) => caught);
  expect(error).toBeInstanceOf(DataError);
  expect(error.message).toMatch(/metrics\.jsonl:1: expected a JSON object$/);
});

test.each([
  [
    "an unknown stage",
    "[lefft, right]",
    /recipe\.yaml:4:37: stage total: no stage is called "lefft"; did you mean "left"\?$/,
  ],
  [
    "a missing file",
    "[./none.txt]",
    /recipe\.yaml:4:37: stage total: no such file or folder: \.\/none\.txt$/,
  ],
  ["an unknown built-in", "['builtin:../../etc']", /nothing built in is called/],
  ["itself", "[total]", /recipe\.yaml:4:37: stages wait for each other: total -> total$/],
])("a reference to %s is refused before anything is written", async (_, from, message) => {
  const error = await run("a", { recipeText: text.replace("[left, right]", from) }).catch((caught) => caught);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toMatch(message);
  expect(existsSync(join(folder, "a"))).toBe(false);
});

test("a circle is named in full", async () => {
  const recipeText = text.replace("id: left, kind: count", "id: left, kind: count, from: [total]");
  await expect(run("a", { recipeText })).rejects.toThrow(
    "stages wait for each other: total -> left -> total",
  );
});

test("a stage may read only what it declares, and must write what it promises", async () => {
  const undeclared = { ...createCountingStage(), inputs: () => [] } as StageKind;
  await expect(run("a", { kind: undeclared })).rejects.toThrow(
    'stage total reads "left" without naming it as an input',
  );
  const promising: StageKind = {
    ...(createCountingStage() as StageKind),
    run: async () => ({ problems: "stages/left/none.jsonl" }),
  };
  await expect(run("b", { kind: promising as StageKind })).rejects.toThrow(
    "stage left finished without writing problems (stages/left/none.jsonl)",
  );
});

test("a failing disk inside a stage is one line that names the stage", async () => {
  const onStep = (): void => {
    throw Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
      path: "/full/x",
    });
  };
  const error = await run("a", { onStep }).catch((caught) => caught);
  expect(error).toBeInstanceOf(StoreError);
  expect(error.message).toBe("stage left: cannot write /full/x: no space left on the disk");
  expect(error.hint).toContain("--resume");
});

test("the number of workers changes no result and repeats nothing; lanes do", async () => {
  await run("a");
  const workers = await run("a", { resume: true, recipeText: `${text}engine: {workers: 7}\n` });
  expect(states(workers.events)).toEqual(["left done", "right done", "total done"]);
  const lanes = await run("a", { resume: true, recipeText: `${text}engine: {lanes: 7}\n` });
  expect(states(lanes.events)).toEqual(["left stale", "right stale", "total stale"]);
});

test("a stage that reads the whole run is repeated when anything before it was", async () => {
  const counting = createCountingStage() as StageKind;
  const kind: StageKind = { ...counting, readsRun: true, inputs: () => [] };
  const recipeText = `name: demo\nstages:\n  - {id: a, kind: count}\n  - {id: b, kind: count}\n`;
  await run("a", { recipeText, kind });
  const changed = recipeText.replace("id: a, kind: count", "id: a, kind: count, steps: 3");
  const { events } = await run("a", { resume: true, recipeText: changed, kind });
  expect(states(events)).toEqual(["a stale", "b stale"]);
});
