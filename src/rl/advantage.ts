/**
 * Group-relative advantages (GRPO) and the guards that shaped rewards need. One group is the n rollouts of one
 * problem in one step; its advantages are the same on every token of a response.
 * Source: recipe A6 (arXiv:2402.03300, verl `compute_grpo_outcome_advantage`) and C3 rows 1 and 2.
 */

/**
 * What becomes of a group without a correct rollout, where only shaped rewards differ.
 * `grpo` normalises it like any other, so the best of eight wrong ones is reinforced as hard as a lone correct one,
 * however small its reward; `mean_only` leaves the division by the standard deviation out; `scaled` multiplies the
 * advantages by the group's largest reward; `zero` learns nothing from it.
 */
export type AllWrongRule = "grpo" | "mean_only" | "scaled" | "zero";

/** Guards for shaped rewards. The values of `GRPO_GUARDS` change nothing. */
export interface AdvantageGuards {
  allWrongGroups: AllWrongRule;
  /** Divide by at least this standard deviation; 0 = off. */
  stdFloor: number;
  /** In a group with a correct rollout, no wrong one gets an advantage above 0. */
  clampWrongAdvantage: boolean;
}

/** Plain GRPO: the released V1 code and the literal V2 text. */
export const GRPO_GUARDS: AdvantageGuards = {
  allWrongGroups: "grpo",
  stdFloor: 0,
  clampWrongAdvantage: false,
};

export interface AdvantageOptions extends Partial<AdvantageGuards> {
  /** false: A = r - mean. */
  normalizeByStd?: boolean;
  /** Added to the standard deviation. */
  epsilon?: number;
  /** Outcome of each rollout, 1 correct or 0 wrong, shape [G]; the guards need it. */
  outcomes?: readonly number[];
}

/** Mean and sample standard deviation (n - 1). @throws {RangeError} when fewer than two values are given */
function moments(values: readonly number[]): { mean: number; std: number } {
  if (values.length < 2) throw new RangeError(`moments: expected two values or more, got ${values.length}`);
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, std: Math.sqrt(squares / (values.length - 1)) };
}

/**
 * Advantages of one group: `A = (r - mean) / (std + epsilon)` with the sample standard deviation (n - 1).
 * A group of one uses mean 0 and standard deviation 1. A group whose rewards are all equal gets exact zeros.
 *
 * @param rewards total rewards, one per rollout, shape [G]
 * @returns shape [G]
 * @throws {RangeError} when the group is empty, a reward is not finite, or lengths differ
 * @throws {TypeError} when a guard is on and `outcomes` is missing
 */
export function groupAdvantages(rewards: readonly number[], options: AdvantageOptions = {}): Float64Array {
  const { normalizeByStd = true, epsilon = 1e-6, outcomes } = options;
  const guards: AdvantageGuards = {
    allWrongGroups: options.allWrongGroups ?? GRPO_GUARDS.allWrongGroups,
    stdFloor: options.stdFloor ?? GRPO_GUARDS.stdFloor,
    clampWrongAdvantage: options.clampWrongAdvantage ?? GRPO_GUARDS.clampWrongAdvantage,
  };
  if (rewards.length === 0) throw new RangeError("groupAdvantages: expected one reward or more, got none");
  for (const [i, reward] of rewards.entries())
    if (!Number.isFinite(reward))
      throw new RangeError(`rewards[${i}]: expected a finite number, got ${reward}`);
  if (!(epsilon >= 0)) throw new RangeError(`epsilon: expected a number from 0, got ${epsilon}`);
  if (!(guards.stdFloor >= 0))
    throw new RangeError(`stdFloor: expected a number from 0, got ${guards.stdFloor}`);
  if (outcomes !== undefined && outcomes.length !== rewards.length)
    throw new RangeError(`outcomes: expected ${rewards.length} values, got ${outcomes.length}`);
  if (outcomes === undefined && (guards.allWrongGroups !== "grpo" || guards.clampWrongAdvantage))
    throw new TypeError("groupAdvantages: the guards need the outcome of each rollout");

  const anyCorrect = outcomes?.some((outcome) => outcome > 0) ?? true;
  const rule = anyCorrect ? "grpo" : guards.allWrongGroups;
  const advantages = new Float64Array(rewards.length);
  if (rule === "zero") return advantages;

  const first = rewards[0] as number;
  const alone = rewards.length === 1;
  // Equal rewards can differ from their rounded mean by an ulp, which the division would blow up to 1e-10.
  if (!alone && rewards.every((reward) => reward === first)) return advantages;

  const { mean, std } = alone ? { mean: 0, std: 1 } : moments(rewards);
  const divisor = normalizeByStd && rule !== "mean_only" ? Math.max(std, guards.stdFloor) + epsilon : 1;
  const scale = rule === "scaled" ? Math.max(...rewards) : 1;
  for (const [i, reward] of rewards.entries()) {
    const advantage = (scale * (reward - mean)) / divisor;
    const clamped = guards.clampWrongAdvantage && anyCorrect && !((outcomes?.[i] ?? 1) > 0);
    advantages[i] = clamped ? Math.min(0, advantage) : advantage;
  }
  return advantages;
}
