/**
 * Verdicts and intermediate results of sampled responses. One grader serves calibration, training and evaluation;
 * responses with equal text and finish are graded once per problem.
 */
import type { GraderConfig } from "../../config/stages/common.ts";
import type { StepFilters } from "../../consensus/index.ts";
import { extractSteps, gradeResponse } from "../../math/index.ts";
import type { Problem, Rollout, Steps, Verdict } from "../../types.ts";

/** Intermediate results of one response, and how many spans it holds before any rule. */
export interface ResponseSteps extends Steps {
  /** Closed, non-empty `\underline{}` spans: what format compliance counts. */
  found: number;
}

/** Verdict on one response of a problem. */
export function gradeRollout(
  problem: Problem,
  rollout: Pick<Rollout, "text" | "finishReason">,
  grader: GraderConfig,
): Verdict {
  return gradeResponse(problem.answer, rollout.text, {
    finishReason: rollout.finishReason,
    mode: grader.mode,
    extract: grader.answerFrom,
  });
}

/**
 * Sets `verdict` on every rollout of every group.
 *
 * @param groups one per problem, shape [problems][samples]; changed in place
 * @throws {RangeError} when there is not one group per problem
 */
export function gradeGroups(
  problems: readonly Problem[],
  groups: readonly (readonly Rollout[])[],
  grader: GraderConfig,
): void {
  if (groups.length !== problems.length)
    throw new RangeError(`grading: expected ${problems.length} groups, got ${groups.length}`);
  for (const [i, problem] of problems.entries()) {
    const known = new Map<string, Verdict>();
    for (const rollout of groups[i] as Rollout[]) {
      const key = `${rollout.finishReason}:${rollout.text}`;
      let verdict = known.get(key);
      if (verdict === undefined) {
        verdict = gradeRollout(problem, rollout, grader);
        known.set(key, verdict);
      }
      rollout.verdict = verdict;
    }
  }
}

/** Intermediate results of one response under the filters. */
export function stepsOf(problem: Problem, text: string, filters: StepFilters): ResponseSteps {
  const extracted = extractSteps(text, {
    dropGivens: filters.dropGivens ? problem.prompt : undefined,
    excludeFinalAnswer: filters.excludeFinalAnswer ? problem.answer : undefined,
    minInformation: filters.minInformation,
    maxSpanChars: filters.maxSpanChars,
    maxSpans: filters.maxSpans,
  });
  return { spans: extracted.spans.map((span) => span.text), keys: extracted.keys, found: extracted.found };
}

/** True when the verdict says correct; a grader failure is neither correct nor wrong. */
export function isCorrect(rollout: Pick<Rollout, "verdict">): boolean {
  return rollout.verdict?.correct === true;
}
