/** Metrics of one reinforcement-learning step, under the keys of docs/metrics.md. Pure. */

import { type Group, gradedMembers, groupAccuracy, type TrainingGroup } from "./group.ts";
import type { UpdateResult } from "./update.ts";

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean, least and most of values that may be many; all 0 without any. */
function spread(name: string, values: readonly number[]): Record<string, number> {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  const some = values.length > 0;
  return {
    [`${name}/mean`]: mean(values),
    [`${name}/max`]: some ? highest : 0,
    [`${name}/min`]: some ? lowest : 0,
  };
}

const share = (count: number, of: number): number => (of === 0 ? 0 : count / of);

/**
 * What the batch says as sampled, before rescue and substitution.
 *
 * @param minSpans steps a response needs to be compliant
 */
export function batchMetrics(groups: readonly Group[], minSpans: number): Record<string, number> {
  const members = groups.flatMap((group) => group.members);
  const graded = groups.flatMap(gradedMembers);
  const accuracies = groups.map(groupAccuracy);
  const lengths = members.map((member) => member.rollout.tokens.length);
  const processes = graded.map((member) => member.reward.process);
  let logprobSum = 0;
  let tokens = 0;
  for (const { rollout } of members) {
    for (const logprob of rollout.logprobs) logprobSum += logprob;
    tokens += rollout.logprobs.length;
  }
  return {
    accuracy: mean(graded.map((member) => member.reward.outcome)),
    ...spread(
      "reward",
      graded.map((member) => member.reward.total),
    ),
    "reward/outcome_mean": mean(graded.map((member) => member.reward.outcome)),
    "reward/process_mean": mean(processes),
    "reward/process_nonzero": share(processes.filter((process) => process > 0).length, processes.length),
    "reward/grader_errors": members.length - graded.length,
    "batch/solve_none": accuracies.filter((accuracy) => accuracy === 0).length,
    "batch/solve_all": accuracies.filter((accuracy) => accuracy === 1).length,
    // The sampled tokens' mean surprise: an unbiased estimate of the entropy over what was really visited.
    entropy: tokens === 0 ? 0 : -logprobSum / tokens,
    ...spread("response_length", lengths),
    "response_length/clip_ratio": share(
      members.filter((member) => member.rollout.finishReason === "length").length,
      members.length,
    ),
    ...spread(
      "prompt_length",
      groups.flatMap(({ members: [first] }) => first?.rollout.promptTokens.length ?? []),
    ),
    "format/compliance": share(
      members.filter((member) => member.steps.found >= minSpans).length,
      members.length,
    ),
    "format/no_boxed": share(
      members.filter((member) => member.rollout.verdict?.answer === null).length,
      members.length,
    ),
    "tokens/sampled": tokens,
  };
}

/** Advantages of the groups learnt from, copies counted as often as they stand there: over response tokens, as verl has them. */
export function advantageMetrics(groups: readonly TrainingGroup[]): Record<string, number> {
  let [sum, tokens] = [0, 0];
  const values: number[] = [];
  for (const { group, advantages } of groups)
    for (const [i, { rollout, reward }] of group.members.entries()) {
      if (reward === null || rollout.tokens.length === 0) continue;
      const advantage = advantages[i] as number;
      values.push(advantage);
      sum += advantage * rollout.tokens.length;
      tokens += rollout.tokens.length;
    }
  return { ...spread("advantage", values), "advantage/mean": tokens === 0 ? 0 : sum / tokens };
}

/** What the update says. */
export function updateMetrics(update: UpdateResult, learningRate: number): Record<string, number> {
  return {
    "actor/loss": update.loss,
    "actor/grad_norm": update.gradientNorm,
    "actor/pg_clipfrac": update.clipFraction,
    "actor/ppo_kl": update.approximateKl,
    "actor/entropy": update.entropy,
    "actor/lr": learningRate,
    "actor/non_finite": update.nonFinite,
    ...(update.mismatch === null
      ? {}
      : {
          "actor/logprob_difference_max": update.mismatch.maxAbsolute,
          "actor/logprob_difference_mean": update.mismatch.meanAbsolute,
          "actor/mismatch_kl": update.mismatch.k3,
          "actor/mismatch_correlation": update.mismatch.correlation,
          "actor/mismatch_effective_share": update.mismatch.effectiveShare,
        }),
    ...(update.referenceKl === null ? {} : { "actor/kl_reference": update.referenceKl }),
    "tokens/trained": update.tokens,
  };
}
