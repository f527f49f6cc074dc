/**
 * What becomes of groups that carry no signal: substitution inside the batch, as POLARIS does, or one of the
 * alternatives. Groups move whole; nothing is regraded. Source: recipe A7, C3 row 15.
 */
import type { RlConfig } from "../../../config/stages/rl.ts";
import type { RandomStream } from "../../../random.ts";
import {
  applySubstitution,
  backfillGroups,
  DEFAULT_GOOD_SHARE,
  type GoodGroupRule,
  type GroupCache,
  isGoodGroup,
  passesSubstitutionGate,
  planSubstitution,
  rejectGroups,
} from "../../../rl/index.ts";
import { type Group, gradedMembers } from "./group.ts";

export interface SelectionOptions {
  rules: RlConfig["zeroAdvantage"];
  goodGroupBy: GoodGroupRule;
  random: RandomStream;
  step: number;
  /** Groups stored for `backfill`. */
  cache: GroupCache<Group>;
  /** Groups of a full batch; those of `filter` come from several batches. Default: as many as are given. */
  target?: number;
}

export interface Selection {
  /** Groups to learn from; empty when the gate skips the batch. */
  groups: Group[];
  good: number;
  /** Groups replaced or filled up. */
  substituted: number;
  skipped: boolean;
}

/** Whether rewards of the graded members differ under the rule. */
export function isInformative(group: Group, rule: GoodGroupRule): boolean {
  return isGoodGroup(
    gradedMembers(group).map((member) => member.reward),
    rule,
  );
}

/** Groups of another step carry log-probabilities of other weights. */
function markStale(groups: readonly Group[], step: number): Group[] {
  return groups.map((group) => ({
    ...group,
    members: group.members.map((member) =>
      member.rollout.step === step ? member : { ...member, stale: true },
    ),
  }));
}

/** Applies the gate and the strategy to a batch as sampled (and rescued). */
export function selectGroups(groups: readonly Group[], options: SelectionOptions): Selection {
  const { rules, random, step, cache } = options;
  const good = groups.map((group) => isInformative(group, options.goodGroupBy));
  const count = good.filter(Boolean).length;
  const share = rules.gate === "floor_third" ? DEFAULT_GOOD_SHARE : rules.gate;
  const skip: Selection = { groups: [], good: count, substituted: 0, skipped: true };
  // Without any signal there is nothing to do, whatever the gate says.
  if (count === 0 && rules.strategy !== "backfill") return skip;
  if (rules.strategy === "keep") return { groups: [...groups], good: count, substituted: 0, skipped: false };
  const target = options.target ?? groups.length;
  const present = count + (rules.strategy === "backfill" ? cache.usable(step) : 0);
  const passes =
    rules.onGate === "ignore" || passesSubstitutionGate(Math.min(present, target), target, share);
  if (present === 0 || !passes) {
    // What this batch has to teach is not lost: it helps to fill the next one.
    if (rules.strategy === "backfill") cache.add(rejectGroups(groups, good), step);
    return skip;
  }
  if (rules.strategy === "filter")
    return {
      groups: rejectGroups(groups, good).slice(0, target),
      good: count,
      substituted: 0,
      skipped: false,
    };
  if (rules.strategy === "reject")
    return { groups: rejectGroups(groups, good), good: count, substituted: 0, skipped: false };
  if (rules.strategy === "backfill") {
    const filled = backfillGroups(groups, good, cache, step, random);
    return {
      groups: markStale(filled.groups, step),
      good: count,
      substituted: filled.backfilled,
      skipped: false,
    };
  }
  // With the gate ignored any informative group may stand in for the others.
  const plan = planSubstitution(good, random, { share: rules.onGate === "ignore" ? 0 : share });
  return {
    groups: applySubstitution(groups, plan),
    good: count,
    substituted: plan.pairs.length,
    skipped: false,
  };
}
