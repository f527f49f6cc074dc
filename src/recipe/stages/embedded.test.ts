/** The stages on the embedded engine with the shipped practice model: real gradients, real text, exact resume. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPolicy } from "../open-policy.ts";
import { FACTS_ONLY } from "../practice/documents.ts";
import { writeInitialCheckpoint } from "../practice/models.ts";
import { runCurriculum } from "../practice/pretrain.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const RECIPE = `
  - {id: train, kind: problems, sources: [{from: practice, benchmarks: [chain, inverse], split: train, count: 64}]}
  - {id: taught, kind: teacher, problems: train, error_rate: 0.1}
  - {id: sft, kind: sft, model: "builtin:practice-small", data: [taught], batch_size: 16, epochs: 1, optimizer: {learning_rate: 0.0015}, checkpoint_every: 2}
  - id: core
    kind: rl
    model: sft
    problems: train
    steps: 5
    batch_size: 4
    samples_per_problem: 4
    sampling: {temperature: 1, max_new_tokens: 64}
    optimizer: {learning_rate: 0.0003}
    reward: {preset: blog}
    consensus: {seeds: [taught]}
    zero_advantage: {on_gate: ignore}
    rescue: {enabled: true}
    checkpoint_every: 2
`;
/** Settings of the recipe's engine section; one worker leaves the other core to the tests beside. */
const open = (checkpoint: string) =>
  openPolicy(checkpoint, { kind: "embedded", workers: 1, lanes: 2, threadsPerWorker: 1 });

test("sft teaches the format and an interrupted run ends bit for bit like an undisturbed one", async () => {
  await bench.run("whole", RECIPE, { open });
  const lines = bench.metrics("whole");
  const losses = lines.filter(({ stage }) => stage === "sft").map(({ loss }) => Number(loss));
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  const steps = lines.filter(({ stage }) => stage === "core");
  expect(steps).toHaveLength(5);
  for (const step of steps) {
    expect(step["consensus/empty_share"]).toBeLessThan(1);
    // One update per batch with the sampler's log-probabilities: the ratio is 1 up to rounding.
    if (step["actor/ppo_kl"] !== undefined) expect(Math.abs(Number(step["actor/ppo_kl"]))).toBeLessThan(1e-5);
  }
  for (const [stage, done] of [
    ["sft", 3],
    ["core", 3],
  ] as const) {
    const name = `stopped-${stage}`;
    const controller = new AbortController();
    await expect(
      bench.run(name, RECIPE, {
        open,
        signal: controller.signal,
        observe: (event) => {
          if (event.event === "stage-progress" && event.stage === stage && event.done >= done)
            controller.abort();
        },
      }),
    ).rejects.toThrow(/stopped/);
    await bench.run(name, RECIPE, { open, resume: true });
    for (const file of [
      "metrics.jsonl",
      "stages/core/model/model.safetensors",
      "stages/core/consensus.jsonl",
    ])
      expect(bench.read(name, file) === bench.read("whole", file), `${file} of ${name}`).toBe(true);
  }
});

test("pretraining resumes exactly and gives what the plain loop over the curriculum gives", async () => {
  const recipe = `
  - id: base
    kind: pretrain
    curriculum: practice-small
    checkpoint_every: 2
    phases:
      - {name: facts, steps: 3, documents_per_step: 4, learning_rate: 0.003, warmup_steps: 2, mixture: {facts_share: 1, steps: [1]}}
      - {name: clean, steps: 4, documents_per_step: 4, learning_rate: 0.003, warmup_steps: 2, mixture: {steps: [1, 2]}}
`;
  await bench.run("pretrain", recipe, { open });
  const controller = new AbortController();
  await expect(
    bench.run("pretrain-stopped", recipe, {
      open,
      signal: controller.signal,
      observe: (event) => {
        if (event.event === "stage-progress" && event.done >= 3) controller.abort();
      },
    }),
  ).rejects.toThrow(/stopped/);
  await bench.run("pretrain-stopped", recipe, { open, resume: true });
  for (const file of [
    "metrics.jsonl",
    "stages/base/model/model.safetensors",
    "stages/base/model/tokenizer.json",
  ])
    expect(bench.read("pretrain-stopped", file) === bench.read("pretrain", file), file).toBe(true);

  const initial = join(bench.folder, "initial");
  await writeInitialCheckpoint(initial, "practice-small", 3);
  const policy = await open(initial);
  const phase = { documentsPerStep: 4, learningRate: 0.003, warmupSteps: 2, finalShare: 0.05 };
  const clean = { ...FACTS_ONLY, factsShare: 0, steps: [1, 2], shortcutShare: 0.5 };
  await runCurriculum({
    policy,
    curriculum: {
      model: "practice-small",
      seed: 3,
      phases: [
        { ...phase, name: "facts", steps: 3, mixture: { ...FACTS_ONLY, shortcutShare: 0.5 } },
        { ...phase, name: "clean", steps: 4, mixture: clean },
      ],
    },
    scratch: join(bench.folder, "between"),
    onStep: () => {},
  });
  await policy.save(join(bench.folder, "plain"));
  await policy.close();
  const plain = readFileSync(join(bench.folder, "plain/model.safetensors"), "utf8");
  expect(bench.read("pretrain", "stages/base/model/model.safetensors") === plain).toBe(true);
});
