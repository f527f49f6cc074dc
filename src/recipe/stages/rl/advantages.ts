/** Advantages of a batch: GRPO per group with the guards of the reward preset. Source: recipe A6, C3 rows 1 and 2. */
import { type AdvantageGuards, groupAdvantages } from "../../../rl/index.ts";
import { type Group, gradedMembers, type TrainingGroup } from "./group.ts";

export interface AdvantageRules extends AdvantageGuards {
  normalizeByStd: boolean;
}

/**
 * Advantages of every group. Members without a reward get 0 and do not enter the mean of the others.
 *
 * @returns same order and length as `groups`
 */
export function computeAdvantages(groups: readonly Group[], rules: AdvantageRules): TrainingGroup[] {
  return groups.map((group) => {
    const advantages = new Float64Array(group.members.length);
    const graded = gradedMembers(group);
    if (graded.length === 0) return { group, advantages };
    const values = groupAdvantages(
      graded.map((member) => member.reward.total),
      { ...rules, outcomes: graded.map((member) => member.reward.outcome) },
    );
    let next = 0;
    for (const [i, member] of group.members.entries())
      if (member.reward !== null) advantages[i] = values[next++] as number;
    return { group, advantages };
  });
}
