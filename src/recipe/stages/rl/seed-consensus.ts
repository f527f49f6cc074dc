/**
 * Seeds consensus sets with offline responses: calibration rollouts of the policy's own, or verified solutions of a
 * stronger source. Every response is graded here, by the grader of the stage; a stored verdict is not trusted.
 * Source: recipe B6; task study: sets from a stronger verified source are what makes CORE learn where success is rare.
 */
import type { GraderConfig } from "../../../config/stages/common.ts";
import {
  type ConsensusSets,
  type ConsensusVote,
  type CoreSettings,
  problemKey,
} from "../../../consensus/index.ts";
import { groupByProblem } from "../../../data/rollouts.ts";
import type { Problem, Rollout } from "../../../types.ts";
import { gradeRollout, stepsOf } from "../grading.ts";

export interface SeedOptions {
  problems: readonly Problem[];
  rollouts: readonly Rollout[];
  sets: ConsensusSets;
  settings: CoreSettings;
  grader: GraderConfig;
}

export interface SeedCounts {
  /** Correct responses that voted. */
  correct: number;
  /** Responses of these problems that are wrong or could not be graded. */
  refused: number;
  /** Problems whose set is not empty now. */
  problems: number;
}

/** Adds the correct responses of the given problems; responses to other problems are passed over. */
export function seedConsensus(options: SeedOptions): SeedCounts {
  const { problems, rollouts, sets, settings, grader } = options;
  const groups = groupByProblem(rollouts);
  const counts: SeedCounts = { correct: 0, refused: 0, problems: 0 };
  for (const problem of problems) {
    const right: ConsensusVote[] = [];
    const wrong: ConsensusVote[] = [];
    for (const rollout of groups.get(problem.id) ?? []) {
      const { correct } = gradeRollout(problem, rollout, grader);
      if (correct !== true) counts.refused++;
      if (correct === null) continue;
      const steps = stepsOf(problem, rollout.text, settings.steps);
      const id = `seed/${rollout.stage}/${rollout.step}/${rollout.problemId}/${rollout.sample}`;
      (correct ? right : wrong).push({ id, keys: steps.keys, forms: steps.spans });
    }
    const key = problemKey(problem.prompt);
    if (right.length > 0) sets.seed(key, right, wrong);
    counts.correct += right.length;
    if (sets.effective(key).weights.size > 0) counts.problems++;
  }
  return counts;
}
