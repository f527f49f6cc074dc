import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readProblems, writeProblems } from "../../data/problems.ts";
import { readRollouts } from "../../data/rollouts.ts";
import type { RunRecipeOptions } from "../runner.ts";
import { createDataOrder } from "./data-order.ts";
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

const rl = (keys: string, steps = 12): string => `
  - id: rl
    kind: rl
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/toy.jsonl"
    steps: ${steps}
    batch_size: 5
    samples_per_problem: 4
    sampling: {temperature: 1, max_new_tokens: 12}
    optimizer: {learning_rate: 0.1}
    checkpoint_every: 2
    keep_rollouts: 0
${keys}
`;

const notes: string[] = [];
const observe: RunRecipeOptions["observe"] = (event) => {
  if (event.event === "stage-note") notes.push(event.text);
};

/** Runs, and again with two interruptions; every file named must be the same bit for bit. */
async function runTwice(name: string, recipe: string, files: readonly string[], stops: readonly number[]) {
  const { stages } = await bench.run(name, recipe, { observe });
  let resume = false;
  for (const stop of stops) {
    const controller = new AbortController();
    const interrupted = bench.run(`${name}-again`, recipe, {
      resume,
      signal: controller.signal,
      observe: (event) => {
        if (event.event === "stage-progress" && event.done >= stop) controller.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/stopped/);
    resume = true;
  }
  await bench.run(`${name}-again`, recipe, { resume: true });
  for (const file of [
    "metrics.jsonl",
    "stages/rl/model/model.safetensors",
    "stages/rl/training.json",
    ...files,
  ])
    expect(bench.read(`${name}-again`, file) === bench.read(name, file), file).toBe(true);
  return { output: stages[0]?.output, lines: bench.metrics(name) };
}

test("filter samples until the batch is full, counts no step meanwhile, and resumes alike", async () => {
  const { lines } = await runTwice(
    "filter",
    rl("    zero_advantage: {strategy: filter, max_rounds: 6, on_gate: ignore}", 8),
    ["stages/rl/accuracy.jsonl"],
    [3],
  );
  expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const rounds = lines.map((line) => Number(line["batch/rounds"]));
  expect(Math.max(...rounds)).toBeGreaterThan(1);
  expect(Math.max(...rounds)).toBeLessThanOrEqual(6);
  // Every batch drawn is in the accuracy log, also those that filled a step up.
  expect(bench.read("filter", "stages/rl/accuracy.jsonl").trim().split("\n")).toHaveLength(
    rounds.reduce((sum, count) => sum + count, 0),
  );
  for (const line of lines)
    if (Number(line["batch/rounds"]) < 6) expect(Number(line["batch/good_groups"])).toBeGreaterThanOrEqual(5);
});

test("a plateau of the training accuracy ends the stage, at the same step after interruptions", async () => {
  const keys = `    zero_advantage: {on_gate: ignore, strategy: keep, max_redraws: 500}
    stop: {kind: plateau, metric: accuracy, window: 2, patience_steps: 4}`;
  const { output, lines } = await runTwice("plateau", rl(keys, 60), [], [3, 5]);
  const steps = Number(output?.numbers?.["steps"]);
  expect(steps).toBeLessThan(60);
  expect(output?.numbers?.["stopped"]).toBe("plateau");
  expect(lines.at(-1)?.step).toBe(steps);
  const training = JSON.parse(bench.read("plateau", "stages/rl/training.json"));
  expect(training).toMatchObject({ steps, stopped: "plateau", plateau: { stepsSinceBest: 4 } });
  const short = `${keys.replace("accuracy, window: 2", "validation, window: 1")}
    validation: {problems: "{root}/toy.jsonl", every: 2, samples_per_problem: 1}`;
  notes.length = 0;
  await bench.run("short", rl(short, 2), { observe });
  expect(notes).toContain("stop.patience_steps 4 holds 2 validations: chance alone may end the stage");
  await expect(bench.run("gate", rl("    zero_advantage: {gate: 1}", 2))).rejects.toThrow(/gate/);
  await expect(bench.run("blind", rl("    stop: {kind: plateau}"))).rejects.toThrow(
    /plateau of validation needs validation/,
  );
});

test("lengths change the response limit inside the stage", async () => {
  const keys = `    lengths: [{from_step: 3, max_new_tokens: 2}]
    zero_advantage: {on_gate: count}`;
  await bench.run("lengths", rl(keys, 4));
  const lines = bench.metrics("lengths");
  expect(lines.map((line) => Number(line["response_length/max"]) > 2)).toEqual([true, true, false, false]);
  expect(lines.at(-1)?.["response_length/clip_ratio"]).toBe(1);
  await expect(
    bench.run(
      "backwards",
      rl("    lengths: [{from_step: 3, max_new_tokens: 2}, {from_step: 3, max_new_tokens: 9}]"),
    ),
  ).rejects.toThrow(/ascending from_step/);
});

test("a KL term holds a reference model beside the policy and keeps it nearer", async () => {
  const run = async (name: string, coefficient: number) => {
    await bench.run(
      name,
      rl(
        `    zero_advantage: {on_gate: ignore}
    loss: {kl_coefficient: ${coefficient}}
    reference: "{root}/model"`.replace("{root}/model", "{root}/runs/base/stages/sft/model"),
        8,
      ),
    );
    return bench.metrics(name).map((line) => Number(line["actor/kl_reference"]));
  };
  const weak = await run("kl-weak", 1e-6);
  const strong = await run("kl-strong", 5);
  // The first step begins at the reference itself.
  expect(weak[0]).toBeCloseTo(0, 5);
  expect(strong.at(-1)).toBeLessThan(0.5 * (weak.at(-1) as number));
});

test("backfill and rescue resume alike: stored groups and responses come back as they were", async () => {
  const keys = `    zero_advantage: {strategy: backfill, cache_groups: 6, cache_max_age_steps: 5, on_gate: ignore}
    rescue: {enabled: true, store: shortest, max_age_epochs: 3}
    loss: {aggregation: seq_mean_token_mean}`;
  const { lines } = await runTwice(
    "stored",
    rl(keys),
    ["stages/rl/rescue.json", "stages/rl/accuracy.jsonl"],
    [3, 7],
  );
  const sum = (key: string): number => lines.reduce((total, line) => total + Number(line[key]), 0);
  expect(sum("batch/substituted")).toBeGreaterThan(0);
  expect(sum("batch/rescued")).toBeGreaterThan(0);
  // What comes back was drawn at other weights; its ratio is 1 all the same, since the trainer computes it anew.
  for (const line of lines.filter((step) => Number(step["batch/substituted"]) > 0))
    expect(Math.abs(Number(line["actor/ppo_kl"]))).toBeLessThan(1e-6);
});

test("batches hold the problems the data order declares, epoch by epoch, also after an interruption", async () => {
  const problems = (await readProblems(join(bench.folder, "toy.jsonl"))).map(({ id }) => id);
  for (const order of ["shuffled", "given"] as const) {
    const recipe = rl(`    order: ${order}\n    zero_advantage: {strategy: keep, on_gate: count}`, 7)
      .replace("batch_size: 5", "batch_size: 3")
      .replace("keep_rollouts: 0", "keep_rollouts: 1");
    notes.length = 0;
    const controller = new AbortController();
    const interrupted = bench.run(order, recipe, {
      signal: controller.signal,
      observe: (event) => {
        observe(event);
        if (event.event === "stage-progress" && event.done >= 2) controller.abort();
      },
    });
    await expect(interrupted).rejects.toThrow(/stopped/);
    await bench.run(order, recipe, { resume: true });
    const drawn: string[][] = [];
    for (let step = 1; step <= 7; step++) {
      const path = join(bench.folder, "runs", order, `rollouts/rl/step-${step}.jsonl.gz`);
      drawn.push([...new Set((await readRollouts(path)).map(({ problemId }) => problemId))]);
    }
    const declared = createDataOrder(10, 3, 3, "order", order);
    expect(drawn).toEqual(drawn.map((_, i) => declared.batch(i).map((index) => problems[index])));
    // Three whole batches an epoch, each problem once at most; the tenth waits for another order.
    for (const epoch of [drawn.slice(0, 3), drawn.slice(3, 6)]) expect(new Set(epoch.flat()).size).toBe(9);
    expect(drawn.slice(0, 3).flat().join() === drawn.slice(3, 6).flat().join()).toBe(order === "given");
    expect(bench.metrics(order).map((line) => line["training/epoch"])).toEqual(
      drawn.map((_, i) => (i + 1) / 3),
    );
    expect(notes.some((note) => /the last 1 of 10 problems never fill/.test(note))).toBe(order === "given");
  }
});

test("rescue goes on with what an earlier stage remembered, of the problems that are left", async () => {
  const rescue = (keys: string): string =>
    `    rescue: {enabled: true${keys}}\n    zero_advantage: {on_gate: ignore}`;
  const left = (await readProblems(join(bench.folder, "toy.jsonl"))).slice(0, 6);
  writeProblems(join(bench.folder, "left.jsonl"), left);
  const more = (id: string, problems: string): string =>
    rl(rescue(", from: rl"), 2).replace("id: rl", `id: ${id}`).replace("toy.jsonl", problems);
  const recipe = `${rl(rescue(", max_problems: 4"), 3)}${more("more", "toy.jsonl")}${more("fewer", "left.jsonl")}`;
  notes.length = 0;
  await bench.run("rescue", recipe, { observe });
  const entries = JSON.parse(bench.read("rescue", "stages/rl/rescue.json"));
  expect(entries).toHaveLength(4);
  for (const { epoch } of entries) expect(epoch).toBeLessThan(0);
  expect(notes).toContain("rescue knows a response to 4 of 10 problems from rl");
  const ids = new Set(left.map(({ id }) => id));
  const known = entries.filter(({ problemId }: { problemId: string }) => ids.has(problemId)).length;
  expect(known).toBeLessThan(4);
  expect(notes).toContain(`rescue knows a response to ${known} of 6 problems from rl`);
  const after: { problemId: string }[] = JSON.parse(bench.read("rescue", "stages/fewer/rescue.json"));
  expect(after.filter(({ problemId }) => !ids.has(problemId))).toEqual([]);
});
