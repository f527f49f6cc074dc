/** Metrics are of the batch as sampled, and every key a run writes is explained in docs/metrics.md. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../../config/package-root.ts";
import { toyGroup } from "../testing/groups.ts";
import { createWorkbench } from "../testing/recipe-run.ts";
import { computeAdvantages } from "./advantages.ts";
import { advantageMetrics, batchMetrics } from "./metrics.ts";

const RULES = {
  allWrongGroups: "grpo",
  stdFloor: 0,
  clampWrongAdvantage: false,
  normalizeByStd: false,
} as const;

test("a batch as sampled: groups without a signal counted, means, extremes", () => {
  const groups = [
    toyGroup(0, [0, 0, 0]),
    toyGroup(1, [1, 1, 1]),
    toyGroup(2, [1, 0, 0]),
    toyGroup(3, [1, null, 1]),
  ];
  const metrics = batchMetrics(groups, 1);
  expect(metrics).toMatchObject({
    "batch/solve_none": 1,
    "batch/solve_all": 2,
    accuracy: 6 / 11,
    "reward/mean": 6 / 11,
    "reward/max": 1,
    "reward/min": 0,
    "reward/grader_errors": 1,
    "prompt_length/min": 3,
    "prompt_length/max": 3,
    entropy: 1,
  });
  expect(metrics["response_length/min"]).toBeLessThanOrEqual(metrics["response_length/mean"] as number);
  expect(batchMetrics([], 1)).toMatchObject({ accuracy: 0, "reward/min": 0, "response_length/max": 0 });
});

test("advantages count tokens, copies as often as they stand there, and no ungraded response", () => {
  const [one] = computeAdvantages([toyGroup(2, [1, 0, 0])], RULES);
  const [half] = computeAdvantages([toyGroup(3, [1, null, 0])], RULES);
  if (one === undefined || half === undefined) throw new Error("two groups");
  const metrics = advantageMetrics([one, one, half]);
  expect(metrics["advantage/max"]).toBeCloseTo(2 / 3, 12);
  expect(metrics["advantage/min"]).toBeCloseTo(-0.5, 12);
  // Every toy response is as long as the others, so the mean is that of the responses.
  expect(metrics["advantage/mean"]).toBeCloseTo(0, 12);
  expect(advantageMetrics([])).toEqual({ "advantage/mean": 0, "advantage/max": 0, "advantage/min": 0 });
});

test("every key a run writes is explained", async () => {
  const bench = await createWorkbench();
  const recipe = `
  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl", batch_size: 10, epochs: 60, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
  - id: rl
    kind: rl
    model: sft
    problems: "{root}/toy.jsonl"
    steps: 2
    batch_size: 5
    sampling: {temperature: 1, max_new_tokens: 12}
    keep_rollouts: 0
    zero_advantage: {strategy: filter, max_rounds: 2, on_gate: ignore, good_group_by: total_std}
    old_logprobs: recompute
    rescue: {enabled: true}
    loss: {kl_coefficient: 0.01}
    reward: {preset: default}
    consensus: {seeds: ["{root}/mixed.jsonl.gz"]}
    validation: {problems: "{root}/toy.jsonl", every: 1, samples_per_problem: 2}
`;
  try {
    await bench.run("all", recipe);
    const text = readFileSync(join(packageRoot(), "docs/metrics.md"), "utf8");
    const explained = new Set([...text.matchAll(/`([^`\s]+)`/g)].map(([, key]) => key as string));
    const written = new Set(bench.metrics("all").flatMap((line) => Object.keys(line)));
    for (const key of ["actor/mismatch_kl", "actor/kl_reference", "advantage/max", "batch/rounds"])
      expect([...written], key).toContain(key);
    const known = (key: string): boolean =>
      explained.has(key) || (key.startsWith("val/") && explained.has("val/<benchmark>/avg@k"));
    expect([...written].filter((key) => key !== "stage" && key !== "step" && !known(key))).toEqual([]);
  } finally {
    rmSync(bench.folder, { recursive: true, force: true });
  }
});
