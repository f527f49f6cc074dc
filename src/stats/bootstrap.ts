/**
 * Percentile bootstrap over problems, for statistics that are no plain mean (ratios of sums, medians).
 * Problems are drawn with replacement, each with all its samples.
 * Source: Efron and Tibshirani (1993), chapter 13.
 */
import type { RandomStream } from "../random.ts";
import type { Estimate } from "./interval.ts";

export interface BootstrapOptions {
  stream: RandomStream;
  resamples?: number;
  confidence?: number;
}

/** Value below which a share of the sorted values lies, linear between them. */
export function quantileOf(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) throw new RangeError("quantileOf: expected one value or more, got none");
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share: expected 0..1, got ${share}`);
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (position - low) * (above - below);
}

/**
 * Interval of any statistic of a list of problems.
 *
 * @param problems one element per problem, with all that the statistic needs
 * @param statistic null when it is not defined on a resample, which is then left out
 * @returns null when the statistic is not defined on the problems themselves; no interval for a single problem
 */
export function bootstrapInterval<Problem>(
  problems: readonly Problem[],
  statistic: (problems: readonly Problem[]) => number | null,
  options: BootstrapOptions,
): Estimate | null {
  const { stream, resamples = 1000, confidence = 0.95 } = options;
  if (!Number.isInteger(resamples) || resamples < 1)
    throw new RangeError(`resamples: expected a whole number from 1, got ${resamples}`);
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`confidence: expected 0 < value < 1, got ${confidence}`);
  const value = problems.length === 0 ? null : statistic(problems);
  if (value === null) return null;
  if (problems.length === 1) return { value, low: value, high: value };
  const draws: number[] = [];
  for (let i = 0; i < resamples; i++) {
    const draw = statistic(Array.from(problems, () => stream.pick(problems)));
    if (draw !== null) draws.push(draw);
  }
  if (draws.length === 0) return { value, low: value, high: value };
  draws.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return {
    value,
    low: Math.min(value, quantileOf(draws, tail)),
    high: Math.max(value, quantileOf(draws, 1 - tail)),
  };
}
