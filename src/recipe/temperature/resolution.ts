/**
 * What difference of accuracy a sweep can see: from its own responses, by intervals paired by problem, or before there
 * are any, from their number. A tolerance below it is decided by chance. Source: recipe A4; the paper gives no intervals.
 */
import { differenceInterval } from "../../stats/index.ts";

/** Accuracy of each problem at one temperature. */
export interface ProblemCurvePoint {
  temperature: number;
  problemAccuracies?: readonly number[];
}

/** Interval of accuracy - accuracy at the peak over the same problems. */
export interface PeakDifference {
  temperature: number;
  value: number;
  low: number;
  high: number;
}

/**
 * Every other temperature compared with the peak, 95%, paired by problem.
 *
 * @returns empty when the accuracies of single problems are not known, or there are fewer than two problems
 */
export function peakDifferences(points: readonly ProblemCurvePoint[], peak: number): PeakDifference[] {
  const best = points.find(({ temperature }) => temperature === peak)?.problemAccuracies;
  if (best === undefined || best.length < 2) return [];
  return points.flatMap(({ temperature, problemAccuracies: own }) =>
    own === undefined || temperature === peak
      ? []
      : [{ temperature, ...differenceInterval(own.map((value, i) => value - (best[i] as number))) }],
  );
}

/** Half the width of an interval: the difference from which on it would not hold 0. */
export function halfWidth({ low, high }: Pick<PeakDifference, "low" | "high">): number {
  return (high - low) / 2;
}

/**
 * The difference two temperatures must have before samples of this number show it, 95%, had the same problems been asked
 * at both. Problems that respond to temperature in their own ways add to it, so the measured one may be larger; problems
 * always or never solved take from it.
 *
 * @param accuracy mean over problems, 0..1; every problem is taken to be this hard
 */
export function expectedResolution(options: {
  problems: number;
  samplesPerProblem: number;
  accuracy: number;
}): number {
  const { problems, samplesPerProblem, accuracy } = options;
  return 1.96 * Math.sqrt((2 * accuracy * (1 - accuracy)) / (problems * samplesPerProblem));
}
