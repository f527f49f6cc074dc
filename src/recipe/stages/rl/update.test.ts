import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rlSchema } from "../../../config/stages/rl.ts";
import { GRPO_GUARDS } from "../../../rl/index.ts";
import { toyGroup } from "../testing/groups.ts";
import { openTabularPolicy, type TabularPolicy, writeTabularModel } from "../testing/tabular-policy.ts";
import { computeAdvantages } from "./advantages.ts";
import type { Group, Member } from "./group.ts";
import { policyGradientLoss, updatePolicy } from "./update.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polaris-update-"));
  await writeTabularModel(folder, 5);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BASE = {
  model: "m",
  problems: "p",
  steps: 1,
  sampling: { temperature: 1.3, maxNewTokens: 12 },
  optimizer: { learningRate: 0.01, weightDecay: 0 },
};
const RULES = { ...GRPO_GUARDS, normalizeByStd: true };

/** Groups whose rollouts carry the policy's own log-probabilities. */
async function sampled(policy: TabularPolicy, groups: Group[]): Promise<Group[]> {
  for (const { members } of groups) {
    const sequences = members.map(({ rollout }) => ({
      promptTokens: rollout.promptTokens,
      responseTokens: rollout.tokens,
    }));
    for (const [i, { logprobs }] of (await policy.logprobs(sequences, 1.3)).entries())
      (members[i] as Member).rollout.logprobs = [...logprobs];
  }
  return groups;
}

/** A copy that shares nothing, so that nothing can be recognised as repeated. */
function clone(group: Group): Group {
  return structuredClone(group);
}

/** Log-probabilities of a few responses: what the weights are seen by. */
async function fingerprint(policy: TabularPolicy): Promise<number[]> {
  const members = [0, 1, 2, 3].flatMap((i) => toyGroup(i, [1, 0]).members);
  const results = await policy.logprobs(
    members.map(({ rollout }) => ({ promptTokens: rollout.promptTokens, responseTokens: rollout.tokens })),
    1,
  );
  return results.flatMap(({ logprobs }) => [...logprobs]);
}

function expectClose(first: number[], second: number[], tolerance: number): void {
  expect(first).toHaveLength(second.length);
  for (const [i, value] of first.entries())
    expect(Math.abs(value - (second[i] as number))).toBeLessThan(tolerance);
}

async function updated(
  groups: (policy: TabularPolicy) => Promise<Group[]>,
  overrides: Record<string, unknown> = {},
) {
  const policy = await openTabularPolicy(folder);
  const config = rlSchema.parse({ ...BASE, ...overrides });
  const training = computeAdvantages(await groups(policy), RULES);
  const result = await updatePolicy({ policy, groups: training, config, learningRate: 0.01 });
  return { policy, result, print: await fingerprint(policy) };
}

describe("updatePolicy", () => {
  test("at ratio 1 the loss is minus the token mean of the advantages and nothing is clipped", async () => {
    const groups = (policy: TabularPolicy) => sampled(policy, [toyGroup(0, [1, 0, 0, 0])]);
    const { result } = await updated(groups);
    // Equal lengths: the mean of advantages that sum to zero.
    expect(Math.abs(result.loss)).toBeLessThan(1e-6);
    expect(result.clipFraction).toBe(0);
    expect(Math.abs(result.approximateKl)).toBeLessThan(1e-6);
  });

  test("a copied group is trained once and counts twice", async () => {
    const copied = await updated(async (policy) => {
      const [good, other] = await sampled(policy, [toyGroup(0, [1, 0]), toyGroup(1, [0, 1, 1])]);
      return [good as Group, good as Group, other as Group];
    });
    const cloned = await updated(async (policy) => {
      const [good, other] = await sampled(policy, [toyGroup(0, [1, 0]), toyGroup(1, [0, 1, 1])]);
      return [good as Group, clone(good as Group), other as Group];
    });
    expect(copied.policy.trainedSequences).toBe(5);
    expect(cloned.policy.trainedSequences).toBe(7);
    expectClose(copied.print, cloned.print, 1e-6);
    expect(copied.result.loss).toBeCloseTo(cloned.result.loss, 6);
  });

  test("responses without advantage cost nothing but keep their place in the denominator", async () => {
    const some = await updated((policy) => sampled(policy, [toyGroup(0, [1, 0]), toyGroup(1, [0, 0])]));
    expect(some.policy.trainedSequences).toBe(2);
    const policy = await openTabularPolicy(folder);
    const [first, second] = (await sampled(policy, [toyGroup(0, [1, 0]), toyGroup(1, [0, 0])])) as [
      Group,
      Group,
    ];
    const all = [...first.members, ...second.members];
    const tokens = all.reduce((sum, { rollout }) => sum + rollout.tokens.length, 0);
    const advantages = [...(computeAdvantages([first], RULES)[0]?.advantages ?? []), 0, 0];
    await policy.forwardBackward(
      all.map(({ rollout }, i) => ({
        promptTokens: rollout.promptTokens,
        responseTokens: rollout.tokens,
        weights: new Float32Array(rollout.tokens.length).fill(1 / tokens),
        advantages: new Float32Array(rollout.tokens.length).fill(advantages[i] as number),
        oldLogprobs: Float32Array.from(rollout.logprobs),
      })),
      policyGradientLoss(rlSchema.parse(BASE)),
    );
    await policy.optimStep({ ...rlSchema.parse(BASE).optimizer, learningRate: 0.01 });
    expectClose(some.print, await fingerprint(policy), 1e-6);
  });

  test("log-probabilities of the sampler and of the trainer give the same update", async () => {
    const groups = (policy: TabularPolicy) =>
      sampled(policy, [toyGroup(0, [1, 0, 0]), toyGroup(1, [0, 1, 1])]);
    const sampler = await updated(groups, { oldLogprobs: "sampler" });
    const trainer = await updated(groups, { oldLogprobs: "recompute" });
    expectClose(sampler.print, trainer.print, 1e-6);
    expect(sampler.result.mismatch).toBeNull();
    expect(trainer.result.mismatch?.maxAbsolute).toBeLessThan(1e-6);
  });

  test("old log-probabilities of a stale member are computed anew", async () => {
    const { result } = await updated(async (policy) => {
      const groups = await sampled(policy, [toyGroup(0, [1, 0])]);
      const member = groups[0]?.members[0] as Member;
      member.stale = true;
      member.rollout.logprobs = member.rollout.logprobs.map(() => -9);
      return groups;
    });
    expect(Math.abs(result.approximateKl)).toBeLessThan(1e-6);
  });

  test("several mini-batches leave the policy that sampled, and the clip acts", async () => {
    const groups = (policy: TabularPolicy) => sampled(policy, [toyGroup(0, [1, 0]), toyGroup(0, [1, 0])]);
    const { policy, result } = await updated(groups, {
      miniBatches: 2,
      loss: { clipRatioLow: 0.01, clipRatioHigh: 0.01 },
    });
    expect(policy.optimizerSteps).toBe(2);
    expect(result.clipFraction).toBeGreaterThan(0);
    expect(result.approximateKl).not.toBe(0);
  });

  test("a member whose grader failed is not learnt from", async () => {
    const { policy } = await updated((p) => sampled(p, [toyGroup(0, [1, null, 0])]));
    expect(policy.trainedSequences).toBe(2);
  });

  test("every aggregation mode moves the weights", async () => {
    for (const aggregation of [
      "verl_micro_batch",
      "seq_mean_token_mean",
      "seq_mean_token_sum",
      "seq_mean_token_sum_norm",
    ]) {
      const { result } = await updated((policy) => sampled(policy, [toyGroup(0, [1, 0, 0])]), {
        loss: { aggregation, microBatchTokens: 30 },
      });
      expect(result.gradientNorm).toBeGreaterThan(0);
    }
  });
});
