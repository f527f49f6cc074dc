/**
 * Drops problems that have become too easy between two stages, from the accuracy log of the stage that ended.
 * Source: recipe A2: mean over all visits, strictly above 0.9; problems never visited stay. The released script
 * crashes before it drops anything.
 */
import type { AccuracyLogEntry, ProblemIndex } from "./accuracy-log.ts";
import { scoresByProblem } from "./accuracy-log.ts";

/** `mean`: all visits of the stage; `last_visit`: the latest only; `ema`: exponential moving average. */
export type AccuracyEstimate = "mean" | "last_visit" | "ema";

export interface DropEasyOptions {
  /** Drop strictly above it. */
  threshold?: number;
  estimate?: AccuracyEstimate;
  /** Weight of the newest visit for `ema`, in (0, 1]. */
  emaWeight?: number;
  /** Offline pass rate per problem, counted as the visit before the first; the blog's wording. Left out by default. */
  offlineAccuracy?: ReadonlyMap<ProblemIndex, number>;
  /** Problems with fewer visits in the log stay. */
  minVisits?: number;
}

export interface EasyProblem {
  index: ProblemIndex;
  /** Visits in the log. */
  visits: number;
  /** The estimate compared with the threshold. */
  accuracy: number;
  dropped: boolean;
}

/** A mean of equal scores can exceed them by an ulp; strictness must not depend on it. */
const STRICT_TOLERANCE = 1e-9;

/**
 * Judges every problem of the log.
 *
 * @returns one entry per visited problem, in order of first visit
 * @throws {RangeError} when an option is out of range
 */
export function judgeEasyProblems(
  log: readonly AccuracyLogEntry[],
  options: DropEasyOptions = {},
): EasyProblem[] {
  const { threshold = 0.9, estimate = "mean", emaWeight = 0.5, offlineAccuracy, minVisits = 1 } = options;
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`threshold: expected 0..1, got ${threshold}`);
  if (!(emaWeight > 0 && emaWeight <= 1))
    throw new RangeError(`emaWeight: expected (0, 1], got ${emaWeight}`);
  if (!(minVisits >= 1)) throw new RangeError(`minVisits: expected 1 or more, got ${minVisits}`);
  const result: EasyProblem[] = [];
  for (const [index, visited] of scoresByProblem(log)) {
    const offline = offlineAccuracy?.get(index);
    const scores = offline === undefined ? visited : [offline, ...visited];
    const accuracy = estimateAccuracy(scores, estimate, emaWeight);
    const dropped = visited.length >= minVisits && accuracy > threshold + STRICT_TOLERANCE;
    result.push({ index, visits: visited.length, accuracy, dropped });
  }
  return result;
}

/** Problems that stay, in their order; `indexOf` gives the log's index of a problem. */
export function dropEasy<Problem>(
  problems: readonly Problem[],
  indexOf: (problem: Problem) => ProblemIndex,
  log: readonly AccuracyLogEntry[],
  options: DropEasyOptions = {},
): { kept: Problem[]; dropped: EasyProblem[] } {
  const dropped = judgeEasyProblems(log, options).filter((problem) => problem.dropped);
  const leaving = new Set(dropped.map((problem) => problem.index));
  return { kept: problems.filter((problem) => !leaving.has(indexOf(problem))), dropped };
}

function estimateAccuracy(scores: readonly number[], estimate: AccuracyEstimate, emaWeight: number): number {
  if (estimate === "last_visit") return scores[scores.length - 1] as number;
  if (estimate === "mean") return scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return scores.reduce((average, score) => average + emaWeight * (score - average));
}
