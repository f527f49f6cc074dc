/**
 * Rollout rescue inside a step: a group without a correct response gets a remembered one in place of a wrong one.
 * Accuracy is logged before; the stored response is an old policy's, so its log-probabilities are computed anew.
 * Source: recipe A8.
 */
import type { RandomStream } from "../../../random.ts";
import type { RescueSink } from "../../../rl/index.ts";
import type { Group, Member } from "./group.ts";

export interface RescueOptions {
  sink: RescueSink<Member>;
  random: RandomStream;
  epoch: number;
  /** A longer stored response is not used. */
  maxLengthTokens: number;
}

/**
 * Visits every group of a batch as sampled.
 *
 * @returns the groups, those that failed altogether with one member replaced, and how many were rescued
 */
export function rescueGroups(
  groups: readonly Group[],
  options: RescueOptions,
): { groups: Group[]; rescued: number } {
  const { sink, random, epoch, maxLengthTokens } = options;
  let rescued = 0;
  const result = groups.map((group) => {
    const visit = sink.visit(
      group.problem.id,
      group.members.map((member) => ({
        response: member,
        correct: member.rollout.verdict?.correct ?? null,
        lengthTokens: member.rollout.tokens.length,
      })),
      { epoch, maxLengthTokens },
      random,
    );
    if (visit.rescued === null) return group;
    rescued++;
    const members = [...group.members];
    members[visit.rescued.index] = { ...visit.rescued.response, stale: true };
    return { ...group, members };
  });
  return { groups: result, rescued };
}
