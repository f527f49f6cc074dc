/**
 * The order inside a step, told from what a run of the embedded engine leaves: sampled rollouts, accuracy log, metrics.
 * log -> rescue -> gate -> substitution -> advantage, for every strategy. Source: recipe A2, A7, A8, A13.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRollouts } from "../../data/rollouts.ts";
import type { Rollout } from "../../types.ts";
import { openPolicy } from "../open-policy.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
const open = (checkpoint: string) =>
  openPolicy(checkpoint, { kind: "embedded", workers: 1, lanes: 2, threadsPerWorker: 1 });
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run("base", BASE, { open });
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const BASE = `
  - {id: train, kind: problems, sources: [{from: practice, benchmarks: [chain, inverse], split: train, count: 12}]}
  - {id: taught, kind: teacher, problems: train, solutions_per_problem: 6, error_rate: 0.3}
  - {id: sft, kind: sft, model: "builtin:practice-small", data: [taught], batch_size: 16, epochs: 1, optimizer: {learning_rate: 0.0015}}
`;
const rl = (keys: string, { steps = 4, batchSize = 2 } = {}): string => `
  - id: rl
    kind: rl
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/runs/base/stages/train/problems.jsonl"
    steps: ${steps}
    batch_size: ${batchSize}
    samples_per_problem: 4
    sampling: {temperature: 1, max_new_tokens: 48}
    optimizer: {learning_rate: 0.001}
${keys}
`;

/** One step as the rollouts on disk tell it. */
interface Told {
  /** Responses by problem in the order of the batch. */
  groups: { id: string; rollouts: Rollout[]; accuracy: number }[];
  metrics: Record<string, number | string>;
  log: { index: string[]; score: number[] };
}

/** Runs a recipe whose every batch is a step, and reads what it left. */
async function runTold(name: string, recipe: string): Promise<Told[]> {
  await bench.run(name, recipe, { open });
  const log = bench.read(name, "stages/rl/accuracy.jsonl").trim().split("\n");
  const told: Told[] = [];
  for (const [i, metrics] of bench.metrics(name).entries()) {
    const path = join(bench.folder, "runs", name, `rollouts/rl/step-${metrics["step"]}.jsonl.gz`);
    const groups = new Map<string, Rollout[]>();
    for (const rollout of await readRollouts(path))
      groups.set(rollout.problemId, [...(groups.get(rollout.problemId) ?? []), rollout]);
    told.push({
      groups: [...groups].map(([id, rollouts]) => ({ id, rollouts, accuracy: meanCorrect(rollouts) })),
      metrics,
      log: JSON.parse(log[i] as string),
    });
  }
  return told;
}
const meanCorrect = (rollouts: readonly Rollout[]): number =>
  rollouts.filter(({ verdict }) => verdict?.correct).length / rollouts.length;
const isMixed = ({ accuracy }: { accuracy: number }): boolean => accuracy > 0 && accuracy < 1;
const tokensOf = (rollouts: readonly Rollout[]): number =>
  rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0);

describe("order inside a step", () => {
  test("substitution carries rewards along: two groups, one informative, teach what the one alone teaches", async () => {
    const steps = { steps: 6 };
    const substitute = await runTold("substitute", rl("    zero_advantage: {on_gate: count}", steps));
    const reject = await runTold(
      "reject",
      rl("    zero_advantage: {strategy: reject, on_gate: count}", steps),
    );
    const keep = await runTold("keep", rl("    zero_advantage: {strategy: keep, on_gate: count}", steps));
    let replaced = 0;
    for (const [i, { groups, metrics, log }] of substitute.entries()) {
      const mixed = groups.filter(isMixed);
      expect(log).toEqual({ index: groups.map(({ id }) => id), score: groups.map((g) => g.accuracy) });
      expect(metrics["batch/good_groups"]).toBe(mixed.length);
      expect(metrics["batch/substituted"]).toBe(mixed.length === 0 ? 0 : 2 - mixed.length);
      expect(metrics["batch/skipped"]).toBe(mixed.length === 0 ? 1 : 0);
      // The copy moves nothing the sampled groups do not hold: trained tokens are theirs, once.
      expect(metrics["tokens/trained"]).toBe(
        mixed.length === 0 ? undefined : tokensOf(mixed.flatMap(({ rollouts }) => rollouts)),
      );
      const norm = metrics["actor/grad_norm"];
      const alone = reject[i]?.metrics["actor/grad_norm"];
      if (norm === undefined) expect(alone).toBeUndefined();
      else expect(Number(norm) / Number(alone)).toBeCloseTo(1, 3);
      if (mixed.length !== 1) continue;
      // The released code graded the copy against the other problem's answer: all wrong, no advantage, and only more
      // tokens in the denominator, which is what `keep` computes.
      if (replaced++ === 0) {
        const informative = tokensOf(mixed[0]?.rollouts ?? []);
        const all = tokensOf(groups.flatMap(({ rollouts }) => rollouts));
        expect(Number(keep[i]?.metrics["actor/grad_norm"]) / Number(norm)).toBeCloseTo(informative / all, 3);
      }
    }
    expect(replaced).toBeGreaterThan(0);
  });

  test("accuracy is logged before rescue, rescue comes before the gate, and nothing rescued is stored again", async () => {
    const keys = "    rescue: {enabled: true, store: last}\n    zero_advantage: {on_gate: count}";
    const told = await runTold("rescue", rl(keys, { steps: 14, batchSize: 4 }));
    const stored = new Map<string, Rollout>();
    let rescues = 0;
    for (const { groups, metrics, log } of told) {
      const rescued = groups.filter(({ id, accuracy }) => accuracy === 0 && stored.has(id));
      rescues += rescued.length;
      expect(log.score).toEqual(groups.map(({ accuracy }) => accuracy));
      expect(metrics["batch/solve_none"]).toBe(groups.filter(({ accuracy }) => accuracy === 0).length);
      expect(metrics["batch/rescued"]).toBe(rescued.length);
      const good = groups.filter(isMixed).length + rescued.length;
      expect(metrics["batch/good_groups"]).toBe(good);
      expect(metrics["batch/skipped"]).toBe(good > 1 ? 0 : 1);
      expect(metrics["batch/substituted"]).toBe(good > 1 ? 4 - good : 0);
      // The rescued response is another step's; what it is worth is computed under the weights of this one.
      if (good > 1) expect(Math.abs(Number(metrics["actor/ppo_kl"]))).toBeLessThan(1e-5);
      for (const { id, rollouts } of groups) {
        const correct = rollouts.findLast(({ verdict }) => verdict?.correct);
        if (correct !== undefined) stored.set(id, correct);
      }
    }
    expect(rescues).toBeGreaterThan(0);
    const kept: { problemId: string; response: { rollout: Rollout } }[] = JSON.parse(
      bench.read("rescue", "stages/rl/rescue.json"),
    );
    expect(new Map(kept.map(({ problemId, response }) => [problemId, response.rollout.text]))).toEqual(
      new Map([...stored].map(([id, { text }]) => [id, text])),
    );
  });

  test("backfill: stored groups count at the weights of this step, once each, and the gate sees them", async () => {
    const keys = "    zero_advantage: {strategy: backfill, cache_groups: 6, on_gate: count}";
    const told = await runTold("backfill", rl(keys, { steps: 12, batchSize: 4 }));
    let cached = 0;
    let filled = 0;
    for (const { groups, metrics } of told) {
      const good = groups.filter(isMixed).length;
      const taken = Math.min(cached, 4 - good);
      const passes = good + taken > 1;
      expect(metrics["batch/good_groups"]).toBe(good);
      expect(metrics["batch/skipped"]).toBe(passes ? 0 : 1);
      expect(metrics["batch/substituted"]).toBe(passes ? taken : 0);
      if (passes) {
        filled += taken;
        // Sampled some steps ago, at weights that have moved since by a rate of 0.001.
        expect(Math.abs(Number(metrics["actor/ppo_kl"]))).toBeLessThan(1e-5);
      }
      cached = Math.min(6, cached - (passes ? taken : 0) + good);
    }
    expect(filled).toBeGreaterThan(0);
  });

  test("a redrawn batch counts no step and stands in the accuracy log and the tokens", async () => {
    const counted = await runTold(
      "counted",
      rl("    zero_advantage: {gate: 0.6, on_gate: count}", { steps: 8 }),
    );
    await bench.run("redrawn", rl("    zero_advantage: {gate: 0.6}", { steps: 3 }), { open });
    const lines = bench.metrics("redrawn");
    expect(lines.map(({ step }) => step)).toEqual([1, 2, 3]);
    const skipped = lines.reduce((sum, line) => sum + Number(line["batch/skipped"]), 0);
    expect(skipped).toBeGreaterThan(0);
    const log = bench.read("redrawn", "stages/rl/accuracy.jsonl").trim().split("\n");
    expect(log).toHaveLength(3 + skipped);
    const stage = JSON.parse(bench.read("redrawn", "stages/rl/training.json"));
    expect(stage.steps).toBe(3);
    expect(lines.at(-1)?.["training/epoch"]).toBeCloseTo((3 + skipped) / 12, 12);
    // Until the first update both runs draw the same batches; the first step holds the tokens of those it skipped.
    const before = counted.slice(0, Number(lines[0]?.["batch/skipped"]) + 1);
    expect(lines[0]?.["tokens/sampled"]).toBe(
      before.reduce((sum, { groups }) => sum + tokensOf(groups.flatMap(({ rollouts }) => rollouts)), 0),
    );
  });
});
