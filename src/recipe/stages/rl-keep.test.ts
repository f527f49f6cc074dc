/** Weights an rl stage keeps beside its output: found by name, bounded, the same after a kill. */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ValidationFile } from "../result-files.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run(
    "base",
    `
  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl", batch_size: 10, epochs: 60, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
`,
  );
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

/** A rate this high is at its best early on, so that best and last differ. */
const rl = (keys: string, steps = 12): string => `
  - id: rl
    kind: rl
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/toy.jsonl"
    steps: ${steps}
    batch_size: 10
    sampling: {temperature: 1, max_new_tokens: 12}
    optimizer: {learning_rate: 1.5}
    zero_advantage: {on_gate: ignore}
    validation: {problems: "{root}/toy.jsonl", every: 3, samples_per_problem: 2, at_start: true}
    checkpoint_every: 4
    keep_rollouts: 0
${keys}
`;
const evaluate = (id: string, model: string): string =>
  `  - {id: ${id}, kind: evaluate, problems: "{root}/toy.jsonl", samples_per_problem: 2, sampling: {temperature: 1, max_new_tokens: 12}, arms: [{arm: a, model: ${model}}]}\n`;
const WEIGHTS = "model.safetensors";

test("best, last and kept steps are there under their names, whatever the output is, and only the newest", async () => {
  const keep = "    keep_models: {every: 2, newest: 3}";
  await bench.run("kept", rl(keep));
  await bench.run("kept-best", rl(`${keep}\n    output: best`));
  const read = (name: string, folder: string): string => bench.read(name, `stages/rl/${folder}/${WEIGHTS}`);
  expect(readdirSync(join(bench.folder, "runs/kept/stages/rl/models")).sort()).toEqual([
    "best",
    "step-10",
    "step-12",
    "step-8",
  ]);
  expect(readdirSync(join(bench.folder, "runs/kept/checkpoints/rl/models"))).toHaveLength(4);
  const validation: ValidationFile = JSON.parse(bench.read("kept", "stages/rl/validation.json"));
  const highest = validation.points.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
  expect(validation.best).toEqual({ step: highest.step, accuracy: highest.accuracy });
  expect(validation.best?.step).toBeLessThan(12);
  expect(read("kept", "models/best") === read("kept", "model")).toBe(false);
  expect(read("kept", "models/step-12") === read("kept", "model")).toBe(true);
  expect(read("kept-best", "model") === read("kept", "models/best")).toBe(true);
  expect(read("kept-best", "models/last") === read("kept", "model")).toBe(true);
  const metrics = bench.metrics("kept").filter((line) => line["val/toy/avg@2"] !== undefined);
  expect(validation.points.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12]);
  for (const [i, { accuracy, benchmarks, sampling }] of validation.points.entries()) {
    expect(accuracy).toBe(metrics[i]?.["val/toy/avg@2"]);
    const [toy] = benchmarks;
    expect(toy?.accuracy.low).toBeLessThan(toy?.accuracy.value as number);
    expect(toy?.accuracy.high).toBeGreaterThan(toy?.accuracy.value as number);
    expect(sampling).toEqual({ temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 12 });
  }
});

test("an interrupted stage keeps the same weights and validations", async () => {
  const recipe = rl("    keep_models: {every: 2, newest: 3}");
  await bench.run("whole", recipe);
  for (const stop of [3, 7]) {
    const controller = new AbortController();
    const interrupted = bench.run(`stopped-${stop}`, recipe, {
      signal: controller.signal,
      observe: (event) => {
        if (event.event === "stage-progress" && event.done >= stop) controller.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/stopped/);
    await bench.run(`stopped-${stop}`, recipe, { resume: true });
    for (const file of [
      "validation.json",
      ...["best", "step-8", "step-10"].map((n) => `models/${n}/${WEIGHTS}`),
    ])
      expect(
        bench.read(`stopped-${stop}`, `stages/rl/${file}`) === bench.read("whole", `stages/rl/${file}`),
        `${file}, stopped at ${stop}`,
      ).toBe(true);
  }
});

test("a damaged state is one line that names the folder to remove, and the one before it goes on", async () => {
  const recipe = rl("    keep_models: {every: 2, newest: 3}");
  const controller = new AbortController();
  const interrupted = bench.run("damaged", recipe, {
    signal: controller.signal,
    observe: (event) => {
      if (event.event === "stage-progress" && event.done >= 9) controller.abort();
    },
  });
  await expect(interrupted).rejects.toThrow(/stopped/);
  const states = join(bench.folder, "runs/damaged/checkpoints/rl");
  const newest = readdirSync(states)
    .filter((name) => name.startsWith("step-"))
    .sort((a, b) => Number(b.slice(5)) - Number(a.slice(5)))[0] as string;
  writeFileSync(join(states, newest, "validations.json"), "{}");
  await expect(bench.run("damaged", recipe, { resume: true })).rejects.toMatchObject({
    message: expect.stringMatching(/damaged state: validations\.json: expected a list/),
    hint: expect.stringContaining(`${newest} to resume from the state before it`),
  });
  rmSync(join(states, newest), { recursive: true });
  await bench.run("damaged", recipe, { resume: true });
  await bench.run("intact", recipe);
  for (const file of ["stages/rl/validation.json", `stages/rl/models/step-8/${WEIGHTS}`, "metrics.jsonl"])
    expect(bench.read("damaged", file) === bench.read("intact", file), file).toBe(true);
});

test("another stage names them as its model, and a lost one is made again", async () => {
  const recipe = (keep: string): string =>
    `${rl(`    keep_models: ${keep}`)}${["best", "last", "step-4"]
      .map((name) => evaluate(name, `"rl@${name}"`))
      .join("")}${evaluate("plain", "rl")}`;
  const { stages } = await bench.run("named", recipe("{every: 2}"));
  const scores = (id: string) => JSON.parse(bench.read("named", `evaluations/${id}.json`)).rows;
  expect(stages).toHaveLength(5);
  expect(scores("last")).toEqual(scores("plain"));
  expect(scores("best")).not.toEqual(scores("plain"));
  const again = await bench.run("named", recipe("{every: 2}"), { resume: true });
  expect(again.stages.every(({ skipped }) => skipped)).toBe(true);
  rmSync(join(bench.folder, "runs/named/stages/rl/models/step-4"), { recursive: true });
  const repeated = await bench.run("named", recipe("{every: 2}"), { resume: true });
  expect(repeated.stages.map(({ skipped }) => skipped)).toEqual([false, true, true, true, true]);
  expect(existsSync(join(bench.folder, "runs/named/stages/rl/models/step-4", WEIGHTS))).toBe(true);
});

test.each([
  ["rl@step-5", "{every: 2}", /no rl@step-5: the stage keeps every 2th step/],
  ["rl@step-40", "{every: 2}", /no rl@step-40: the stage has 12 steps/],
  ["rl@step-4", "{}", /no rl@step-4: the stage keeps no steps; set keep_models.every: 4/],
  ["rl@step-2", "{every: 2, newest: 3}", /the newest 3 of them; raise keep_models.newest to 6/],
  ["rl@best", "{best: false}", /no rl@best: the stage has keep_models.best: false/],
  ["rl@first", "{}", /an rl stage keeps best, last and step-<n>/],
  ["data@best", "{}", /a stage of kind problems keeps no other weights/],
  ["lr@best", "{}", /no stage is called "lr@best"/],
])("%s with keep_models %s is refused before anything runs", async (model, keep, message) => {
  const data = `  - {id: data, kind: problems, sources: [{from: practice, split: train, count: 4, benchmarks: [chain]}]}\n`;
  const recipe = `${data}${rl(`    keep_models: ${keep}`)}${evaluate("score", `"${model}"`)}`;
  await expect(bench.run("refused", recipe)).rejects.toThrow(message);
  expect(existsSync(join(bench.folder, "runs/refused/stages/rl"))).toBe(false);
});

test("a step a plateau never came to, and weights where problems belong, are one clear line", async () => {
  const stop = "    stop: {kind: plateau, metric: accuracy, window: 1, patience_steps: 2}";
  const early = `${rl(`    keep_models: {every: 1}\n${stop}`, 40)}${evaluate("score", '"rl@step-40"')}`;
  await expect(bench.run("early", early)).rejects.toThrow(/rl@step-40 was not kept/);
  const wrong = `${rl("", 2)}${evaluate("score", "rl").replace('problems: "{root}/toy.jsonl"', 'problems: "rl@best"')}`;
  await expect(bench.run("wrong", wrong)).rejects.toThrow(/"rl@best" names weights/);
});
