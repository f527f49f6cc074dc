import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run("base", SFT);
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

/** A policy that knows the format and guesses digits: SFT on a right and a wrong response to each problem. */
const SFT = `
  - id: sft
    kind: sft
    model: "{root}/model"
    data: ["{root}/mixed.jsonl.gz"]
    problems: "{root}/toy.jsonl"
    batch_size: 10
    epochs: 60
    optimizer: {learning_rate: 0.1}
    schedule: {kind: constant}
`;
const RL = `
  - id: rl
    kind: rl
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/toy.jsonl"
    steps: 24
    batch_size: 10
    samples_per_problem: 8
    sampling: {temperature: 1, max_new_tokens: 12}
    optimizer: {learning_rate: 0.1}
    validation: {problems: "{root}/toy.jsonl", every: 12, samples_per_problem: 2, at_start: true}
    checkpoint_every: 4
    zero_advantage: {on_gate: ignore}
`;

describe("rl stage", () => {
  test("learns, logs and leaves its outputs", async () => {
    const { stages } = await bench.run("learn", RL);
    const output = stages.at(-1)?.output;
    expect(output?.checkpoint).toBe("stages/rl/model");
    const lines = bench.metrics("learn").filter((line) => line.stage === "rl");
    expect(lines.map((line) => line.step)).toEqual(Array.from({ length: 25 }, (_, step) => step));
    const mean = (part: typeof lines): number =>
      part.reduce((sum, line) => sum + Number(line.accuracy), 0) / part.length;
    const first = mean(lines.slice(1, 5));
    expect(first).toBeGreaterThan(0.2);
    expect(first).toBeLessThan(0.7);
    expect(mean(lines.slice(-4))).toBeGreaterThan(first + 0.25);
    expect(Number(lines.at(-1)?.["val/toy/avg@2"])).toBeGreaterThan(
      Number(lines[0]?.["val/toy/avg@2"]) + 0.2,
    );
    for (const key of ["entropy", "actor/loss", "actor/grad_norm", "consensus/size_mean", "tokens/sampled"])
      expect(lines[1]).toHaveProperty([key]);
    expect(readdirSync(join(bench.folder, "runs/learn/rollouts/rl"))).toHaveLength(24);
    const log = bench.read("learn", "stages/rl/accuracy.jsonl").trim().split("\n");
    expect(log).toHaveLength(24);
    expect(JSON.parse(log[0] as string).index).toHaveLength(10);
  });

  test("an interrupted and resumed run ends bit for bit like an undisturbed one", async () => {
    const recipe = `${RL}    rescue: {enabled: true}\n`;
    await bench.run("whole", recipe);
    for (const [i, stopAt] of [3, 5, 8].entries()) {
      const name = `stopped-${i}`;
      const controller = new AbortController();
      await expect(
        bench.run(name, recipe, {
          signal: controller.signal,
          observe: (event) => {
            if (event.event === "stage-progress" && event.stage === "rl" && event.done >= stopAt)
              controller.abort();
          },
        }),
      ).rejects.toThrow(/stopped/);
      await bench.run(name, recipe, { resume: true });
      for (const file of [
        "metrics.jsonl",
        "stages/rl/model/model.safetensors",
        "stages/rl/consensus.jsonl",
        "stages/rl/accuracy.jsonl",
      ])
        expect(bench.read(name, file) === bench.read("whole", file), `${file} of ${name}`).toBe(true);
    }
  });

  test("the most accurate weights on validation are written when asked for, also after a resume", async () => {
    // A rate this high is at its best early on; of equal validations the first is kept.
    const recipe = `${RL.replace("learning_rate: 0.1", "learning_rate: 1.5").replace("every: 12", "every: 3")}    output: best\n`;
    const { stages } = await bench.run("best", recipe);
    const points = bench.metrics("best").filter((line) => line["val/toy/avg@2"] !== undefined);
    const best = points.reduce((a, b) => (Number(b["val/toy/avg@2"]) > Number(a["val/toy/avg@2"]) ? b : a));
    expect(best.step).toBeLessThan(24);
    expect(stages[0]?.output.numbers?.["best_step"]).toBe(best.step);
    const controller = new AbortController();
    await expect(
      bench.run("best-stopped", recipe, {
        signal: controller.signal,
        observe: (event) => {
          if (event.event === "stage-progress" && event.done >= 14) controller.abort();
        },
      }),
    ).rejects.toThrow(/stopped/);
    await bench.run("best-stopped", recipe, { resume: true });
    const file = "stages/rl/model/model.safetensors";
    expect(bench.read("best-stopped", file) === bench.read("best", file)).toBe(true);
    await expect(bench.run("no-validation", recipe.replace(/ {4}validation:.*\n/, ""))).rejects.toThrow(
      /needs validation/,
    );
  });

  test("CORE pays wrong responses that share steps with a seeded set", async () => {
    const core = RL.replace("steps: 24", "steps: 2").replace("id: rl", "id: core");
    await bench.run(
      "core",
      `${core}    reward: {preset: blog, min_set_size: 1}
    consensus: {seeds: ["{root}/mixed.jsonl.gz"]}
`,
    );
    const [line] = bench.metrics("core").filter((entry) => entry.stage === "core" && entry.step === 1);
    expect(line?.["consensus/empty_share"]).toBe(0);
    expect(line?.["consensus/size_mean"]).toBe(1);
    // Only a response whose step is right and whose box is wrong is paid, and then the cap.
    const nonzero = Number(line?.["reward/process_nonzero"]);
    expect(nonzero).toBeGreaterThan(0);
    expect(Number(line?.["reward/process_mean"])).toBeCloseTo(0.5 * nonzero, 12);
    expect(line?.["consensus/ratio_right"]).toBeGreaterThan(0.9);
  });

  test("gives up with a reason when nothing can be learnt", async () => {
    const hopeless = RL.replace("runs/base/stages/sft/model", "model").replace(
      "on_gate: ignore",
      "max_redraws: 3",
    );
    await expect(bench.run("hopeless", hopeless)).rejects.toThrow(/3 batches in a row/);
  });

  test("a skipped batch counts as a step when asked to", async () => {
    const counted = RL.replace("runs/base/stages/sft/model", "model").replace(
      "on_gate: ignore",
      "on_gate: count",
    );
    await bench.run("counted", counted);
    const lines = bench.metrics("counted").filter((line) => Number(line.step) > 0);
    expect(lines).toHaveLength(24);
    expect(lines[0]?.["batch/skipped"]).toBe(1);
    expect(lines[0]).not.toHaveProperty(["actor/loss"]);
  });
});
