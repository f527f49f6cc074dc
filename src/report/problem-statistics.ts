/**
 * Means over benchmarks with intervals, on top of `stats/`: what the report derives itself from per-problem values.
 * The problem is the unit everywhere, so samples of one problem never count as independent. Nothing here covers the
 * variation between training seeds.
 */
import type { Estimate } from "../recipe/result-files.ts";
import { clusteredInterval, differenceInterval, meanOfShares } from "../stats/index.ts";

/** Accuracy over problems, values in 0..1; no number at all without problems. */
export function problemMean(values: readonly number[]): Estimate {
  if (values.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return clusteredInterval(asShares(values));
}

/** A count above the number of samples, which a damaged file may hold, counts as all. */
function asShares(values: readonly number[]): number[] {
  return values.map((value) => Math.min(1, Math.max(0, value)));
}

/** Mean of per-problem differences, values in -1..1. */
export function differenceMean(differences: readonly number[]): Estimate {
  if (differences.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return differenceInterval(differences);
}

/**
 * Mean accuracy over benchmarks with equal weight.
 *
 * @param benchmarks per-problem values of each benchmark; shape [benchmark][problem], none empty
 */
export function meanOfBenchmarks(benchmarks: readonly (readonly number[])[]): Estimate {
  return meanOfShares(benchmarks.map(asShares));
}
