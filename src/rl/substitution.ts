/**
 * Intra-batch informative substitution: groups that carry no signal are replaced by copies of groups that do, without
 * a new rollout. A group moves as one value, so rollouts, rewards and truth cannot come apart; nothing is regraded.
 * Source: recipe A7. The released code moves tensors only and regrades them against the replaced problem's answer.
 */
import type { RandomStream } from "../random.ts";
import type { Reward } from "../types.ts";

/** `outcome`: correct and wrong rollouts both; `total_std`: total rewards differ (shaped rewards). */
export type GoodGroupRule = "outcome" | "total_std";

/** Total rewards closer than this count as equal; far below the 1/(8 * 32) steps that process rewards come in. */
const EQUAL_REWARD_TOLERANCE = 1e-9;

/**
 * Whether a group has anything to learn from.
 *
 * @param rewards one per rollout of the group, shape [G]
 */
export function isGoodGroup(
  rewards: readonly Pick<Reward, "outcome" | "total">[],
  rule: GoodGroupRule = "outcome",
): boolean {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const reward of rewards) {
    const value = rule === "outcome" ? reward.outcome : reward.total;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return highest - lowest > EQUAL_REWARD_TOLERANCE;
}

/** Share of good groups that must be exceeded: a third of the batch in the released code, 0.3 in SkyRL. */
export const DEFAULT_GOOD_SHARE = 1 / 3;

/**
 * The gate: `good > floor(batch * share)`. Below it the whole batch is skipped and no step is counted.
 *
 * @throws {RangeError} when the counts or the share are out of range
 */
export function passesSubstitutionGate(good: number, batch: number, share = DEFAULT_GOOD_SHARE): boolean {
  if (!Number.isInteger(batch) || batch < 1) throw new RangeError(`batch: expected 1 or more, got ${batch}`);
  if (!Number.isInteger(good) || good < 0 || good > batch)
    throw new RangeError(`good: expected 0..${batch}, got ${good}`);
  if (!(share >= 0 && share < 1)) throw new RangeError(`share: expected 0 <= value < 1, got ${share}`);
  // The epsilon keeps a product such as 3 * (1 / 3) from falling below the whole number it stands for.
  return good > Math.floor(batch * share + 1e-9);
}

/** One replacement, as indices into the batch. */
export interface SubstitutionPair {
  target: number;
  source: number;
}

/** What is to be done with a batch; plain data. */
export interface SubstitutionPlan {
  batch: number;
  /** False: skip the batch; `pairs` is empty. */
  proceed: boolean;
  /** Indices of good and of the other groups, ascending. */
  good: number[];
  bad: number[];
  pairs: SubstitutionPair[];
}

export interface SubstitutionOptions {
  /** See `passesSubstitutionGate`. */
  share?: number;
}

/**
 * Draws which good group replaces which other one: a random permutation while there are enough good groups (no group
 * is copied twice), uniform draws otherwise.
 *
 * @param good whether each group of the batch is good, shape [B]
 * @param stream consumed only when something is replaced
 * @throws {RangeError} when the batch is empty
 */
export function planSubstitution(
  good: readonly boolean[],
  stream: RandomStream,
  options: SubstitutionOptions = {},
): SubstitutionPlan {
  const goodIndices: number[] = [];
  const badIndices: number[] = [];
  for (const [i, isGood] of good.entries()) (isGood ? goodIndices : badIndices).push(i);
  const plan: SubstitutionPlan = {
    batch: good.length,
    proceed: passesSubstitutionGate(goodIndices.length, good.length, options.share),
    good: goodIndices,
    bad: badIndices,
    pairs: [],
  };
  if (!plan.proceed || badIndices.length === 0) return plan;
  const enough = goodIndices.length >= badIndices.length;
  const permutation = enough ? stream.shuffle(goodIndices) : [];
  for (const [k, target] of badIndices.entries())
    plan.pairs.push({ target, source: enough ? (permutation[k] as number) : stream.pick(goodIndices) });
  return plan;
}

/**
 * Carries a plan out. Each slot of the result is a group of its own: a copied group stays apart from its source and
 * gets the same advantages, which is the same as weighing it twice.
 *
 * @param groups whole groups: rollouts, rewards, problem and truth in one value; not changed
 * @returns new array, shape [B]; a replaced slot holds the very value of its source
 * @throws {RangeError} when the plan is for another batch size or says to skip
 */
export function applySubstitution<Group>(groups: readonly Group[], plan: SubstitutionPlan): Group[] {
  if (groups.length !== plan.batch)
    throw new RangeError(`groups: expected ${plan.batch} as in the plan, got ${groups.length}`);
  if (!plan.proceed) throw new RangeError("applySubstitution: the plan says to skip this batch");
  const result = [...groups];
  for (const { target, source } of plan.pairs) result[target] = groups[source] as Group;
  return result;
}
