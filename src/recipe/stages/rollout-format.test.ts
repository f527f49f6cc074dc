/** Stages that keep their rollouts in a store: the same rollouts as in files, the same bytes after a kill, read alike. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRollouts } from "../../data/rollouts.ts";
import { collect } from "../../data/testing.ts";
import { openRolloutReader } from "../../store/rollouts/open.ts";
import { findRolloutParts, streamRolloutSource, tallyParts } from "../../store/rollouts/source.ts";
import type { Rollout } from "../../types.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run("base", SFT);
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const SFT = `
  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl",
     batch_size: 10, epochs: 60, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
`;
const rl = (keys: string): string => `
  - {id: rl, kind: rl, model: "{root}/runs/base/stages/sft/model", problems: "{root}/toy.jsonl", steps: 12,
     batch_size: 10, samples_per_problem: 4, sampling: {max_new_tokens: 12}, optimizer: {learning_rate: 0.1},
     checkpoint_every: 4, zero_advantage: {on_gate: ignore}, ${keys}}
`;
const STORE = "rollout_format: store";
const runOf = (name: string): string => join(bench.folder, "runs", name);

/** A key that no two rollouts of one run share. */
function placeOf({ stage, policyVersion, problemId, sample }: Rollout): string {
  return JSON.stringify([stage, policyVersion, problemId, sample]);
}

/** Bytes of every segment of a store. */
function segments(folder: string): Buffer[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".rollouts"))
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

describe("rl", () => {
  test("a store holds what the files of the steps hold, and is the stage's rollouts", async () => {
    await bench.run("files", rl("keep_rollouts: 3"));
    const { stages } = await bench.run("store", rl(`keep_rollouts: 3, ${STORE}`));
    expect(stages[0]?.output.rollouts).toBe("rollouts/rl");
    const inFiles = await collect(streamRolloutSource(runOf("files")));
    const inStore = await collect(streamRolloutSource(runOf("store")));
    expect(inStore).toHaveLength(4 * 40);
    expect(inStore).toEqual(inFiles);
    expect(findRolloutParts([runOf("store")])).toEqual([
      { path: join(runOf("store"), "rollouts/rl"), kind: "store" },
    ]);
    const tallies = await tallyParts(findRolloutParts([runOf("store")]));
    expect(tallies.map(({ stage, step, rollouts }) => [stage, step, rollouts])).toEqual(
      [3, 6, 9, 12].map((step) => ["rl", step, 40]),
    );
    expect(existsSync(join(runOf("store"), "rollouts/rl/store.json.lock"))).toBe(false);
  }, 60_000);

  test("killed between a step's rollouts and its checkpoint, a resumed run ends with the same bytes", async () => {
    const recipe = rl(`keep_rollouts: 1, ${STORE}`);
    await bench.run("whole", recipe);
    const whole = join(runOf("whole"), "rollouts/rl");
    const script = fileURLToPath(new URL("testing/killed-run.ts", import.meta.url));
    const path = join(bench.folder, "killed.yaml");
    writeFileSync(path, `name: killed\nseed: 3\nstages:\n${recipe.replaceAll("{root}", bench.folder)}\n`);
    const killed = join(runOf("killed"), "rollouts/rl");
    // Before the first checkpoint, and at a step whose checkpoint would come next, with steps to take back.
    for (const step of [3, 8]) {
      const child = spawnSync(
        process.execPath,
        ["--import", import.meta.resolve("tsx"), script, path, runOf("killed"), "rl", String(step)],
        { encoding: "utf8" },
      );
      expect(child.signal, child.stderr).toBe("SIGKILL");
      expect(openRolloutReader(killed).tallies().at(-1)?.step).toBeGreaterThanOrEqual(step);
    }
    await bench.run("killed", recipe, { resume: true });
    expect(segments(killed)).toEqual(segments(whole));
    for (const file of ["metrics.jsonl", "stages/rl/model/model.safetensors"])
      expect(bench.read("killed", file) === bench.read("whole", file), file).toBe(true);
  }, 120_000);

  test("later stages read the store by the stage's name", async () => {
    const study = `
  - {id: study, kind: similarity, rollouts: rl, problems: "{root}/toy.jsonl"}
  - {id: filter, kind: difference_filter, rollouts: rl, problems: "{root}/toy.jsonl", keep_undetermined: true}
  - {id: sft-data, kind: sft_data, data: [rl], problems: "{root}/toy.jsonl", required_spans: 1}
`;
    const byPath = study.replaceAll("rollouts: rl", 'rollouts: "{root}/runs/study-store/rollouts/rl"');
    for (const [name, keys] of [
      ["study-files", "keep_rollouts: 4"],
      ["study-store", `keep_rollouts: 4, ${STORE}`],
    ] as const)
      await bench.run(name, rl(keys) + study);
    for (const file of ["study/similarity.json", "filter/difference.json", "sft-data/drops.json"])
      expect(bench.read("study-store", `stages/${file}`), file).toBe(
        bench.read("study-files", `stages/${file}`),
      );
    await bench.run("study-path", byPath.replace(/.*sft-data.*\n/, ""));
    expect(JSON.parse(bench.read("study-path", "stages/filter/difference.json"))).toEqual({
      ...JSON.parse(bench.read("study-store", "stages/filter/difference.json")),
      model: join(runOf("study-store"), "rollouts/rl"),
    });
    expect(await readRollouts(join(runOf("study-store"), "stages/filter/rollouts.jsonl.gz"))).toHaveLength(
      3 * 40,
    );
  }, 60_000);
});

describe("stages that write in one go", () => {
  const model = `model: "{root}/runs/base/stages/sft/model", problems: "{root}/toy.jsonl"`;
  const draw = "samples_per_problem: 4, sampling: {max_new_tokens: 12}";
  const stages = (keys: string): string => `
  - {id: calibrate, kind: calibrate, ${model}, ${draw}, filter: {drop_solved: false}${keys}}
  - {id: generate, kind: generate, ${model}, ${draw}${keys}}
  - {id: evaluate, kind: evaluate, arms: [{arm: a, model: "{root}/runs/base/stages/sft/model"}, {arm: b, model: "{root}/model"}],
     problems: "{root}/toy.jsonl", ${draw}, keep_rollouts: all${keys}}
  - {id: sweep, kind: temperature_sweep, ${model}, samples_per_problem: 4, sampling: {max_new_tokens: 12},
     temperatures: [0.7, 1], keep_rollouts: all${keys}}
  - {id: again, kind: calibrate, problems: "{root}/toy.jsonl", reuse: [calibrate], ${draw}, filter: {drop_solved: false}}
`;

  test("calibrate, generate, evaluate and temperature_sweep keep the same rollouts in either form", async () => {
    await bench.run("once-files", stages(""));
    const { stages: finished } = await bench.run("once-store", stages(`, ${STORE}`));
    const output = (id: string) => finished.find((stage) => stage.id === id)?.output;
    expect(output("calibrate")?.rollouts).toBe("stages/calibrate/rollouts");
    expect(output("evaluate")?.files).toMatchObject({
      rollouts_0: "stages/evaluate/rollouts-0",
      rollouts_1: "stages/evaluate/rollouts-1",
    });
    const files = await collect(streamRolloutSource(runOf("once-files")));
    const ordered = (rollouts: typeof files) =>
      rollouts.toSorted((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
    expect(ordered(await collect(streamRolloutSource(runOf("once-store"))))).toEqual(ordered(files));
    expect(files).toHaveLength(7 * 40);
    for (const id of ["calibrate", "generate", "evaluate", "sweep"]) {
      const ofStage = await collect(streamRolloutSource(join(runOf("once-store"), "stages", id)));
      expect(new Set(ofStage.map(({ stage }) => stage))).toEqual(new Set([id]));
    }
    expect(bench.read("once-store", "stages/again/pass-rates.json")).toBe(
      bench.read("once-files", "stages/again/pass-rates.json"),
    );
    expect(
      readdirSync(join(runOf("once-store"), "stages")).flatMap((id) =>
        readdirSync(join(runOf("once-store"), "stages", id)).filter((name) => /partial|jsonl\.gz/.test(name)),
      ),
    ).toEqual(["rollouts.jsonl.gz"]);
  }, 60_000);
});
