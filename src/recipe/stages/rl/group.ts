/**
 * What flows through one reinforcement-learning step: a group is the rollouts of one problem with everything said of
 * them. It moves as one value, so rollouts, rewards and truth cannot come apart.
 */
import type { ProcessReward } from "../../../consensus/index.ts";
import type { Problem, Rollout } from "../../../types.ts";
import type { ResponseSteps } from "../grading.ts";

/** One response of a group. */
export interface Member {
  rollout: Rollout;
  steps: ResponseSteps;
  /** Null when the grader failed: the response is neither rewarded nor learnt from. */
  reward: ProcessReward | null;
  /** Its log-probabilities are those of other weights than the ones that begin this step. */
  stale: boolean;
}

export interface Group {
  problem: Problem;
  members: Member[];
}

/** A group with the advantage of each member, shape [members]; a member without reward has 0. */
export interface TrainingGroup {
  group: Group;
  advantages: Float64Array;
}

/** Members that were graded. */
export function gradedMembers(group: Group): (Member & { reward: ProcessReward })[] {
  return group.members.filter(
    (member): member is Member & { reward: ProcessReward } => member.reward !== null,
  );
}

/** Mean outcome of the graded members; null when none was graded. */
export function groupAccuracy(group: Group): number | null {
  const graded = gradedMembers(group);
  if (graded.length === 0) return null;
  return graded.reduce((sum, member) => sum + member.reward.outcome, 0) / graded.length;
}
