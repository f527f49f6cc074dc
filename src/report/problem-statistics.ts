/**
 * Means over benchmarks with intervals, on top of `stats/`: what the report derives itself from per-problem values.
 * The problem is the unit everywhere, so samples of one problem never count as independent. Nothing here covers the
 * variation between training seeds.
 */
import type { Estimate } from "../recipe/result-files.ts";
import { clusteredInterval, meanInterval, studentQuantile } from "../stats/index.ts";

/** Accuracy over problems, values in 0..1; no number at all without problems. */
export function problemMean(values: readonly number[]): Estimate {
  if (values.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return clusteredInterval(values.map((value) => Math.min(1, Math.max(0, value))));
}

/** Mean of per-problem differences, values in -1..1. */
export function differenceMean(differences: readonly number[]): Estimate {
  if (differences.length === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return meanInterval(differences);
}

/**
 * Mean over benchmarks with equal weight: the variances of the benchmarks' means add up.
 *
 * @param benchmarks per-problem values of each benchmark; shape [benchmark][problem], none empty
 * @param bounds what the values cannot leave: [0, 1] for shares, [-1, 1] for differences
 */
export function meanOfBenchmarks(
  benchmarks: readonly (readonly number[])[],
  bounds: [number, number],
): Estimate {
  let value = 0;
  let variance = 0;
  let degrees = 0;
  for (const values of benchmarks) {
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
    value += mean / benchmarks.length;
    if (values.length > 1) variance += squares / (values.length - 1) / values.length / benchmarks.length ** 2;
    degrees += values.length - 1;
  }
  if (degrees < 1 || !(variance > 0)) return { value, low: value, high: value };
  const half = studentQuantile(0.975, degrees) * Math.sqrt(variance);
  return { value, low: Math.max(bounds[0], value - half), high: Math.min(bounds[1], value + half) };
}
