/**
 * Intervals over problems for what the report derives itself: means over benchmarks and paired differences between
 * arms. Values are per-problem means, so samples of one problem never count as independent. Student's t on the
 * problems' spread; nothing here covers the variation between training seeds.
 */
import type { Estimate } from "../recipe/result-files.ts";

/**
 * Two-sided 95% quantile of Student's t (Cornish-Fisher expansion around the normal quantile; error below 0.003
 * from 5 degrees of freedom, exact values below that).
 *
 * Source: Abramowitz and Stegun 26.7.5
 */
export function studentQuantile95(degreesOfFreedom: number): number {
  const exact = [Number.POSITIVE_INFINITY, 12.7062, 4.3027, 3.1824, 2.7764];
  if (degreesOfFreedom < exact.length) return exact[Math.max(0, Math.floor(degreesOfFreedom))] as number;
  const z = 1.959964;
  const n = degreesOfFreedom;
  const g1 = (z ** 3 + z) / 4;
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + g1 / n + g2 / n ** 2 + g3 / n ** 3;
}

function meanAndVariance(values: readonly number[]): { mean: number; varianceOfMean: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, varianceOfMean: n > 1 ? squares / (n - 1) / n : Number.NaN };
}

function interval(
  value: number,
  variance: number,
  degreesOfFreedom: number,
  bounds: [number, number],
): Estimate {
  if (!Number.isFinite(variance) || variance === 0) return { value, low: value, high: value };
  const half = studentQuantile95(degreesOfFreedom) * Math.sqrt(variance);
  return { value, low: Math.max(bounds[0], value - half), high: Math.min(bounds[1], value + half) };
}

/** Mean of one benchmark's problems, values in 0..1. No interval with fewer than two problems. */
export function problemMean(values: readonly number[]): Estimate {
  const { mean, varianceOfMean } = meanAndVariance(values);
  return interval(mean, varianceOfMean, values.length - 1, [0, 1]);
}

/** Mean of per-problem differences, values in -1..1. */
export function pairedDifference(differences: readonly number[]): Estimate {
  const { mean, varianceOfMean } = meanAndVariance(differences);
  return interval(mean, varianceOfMean, differences.length - 1, [-1, 1]);
}

/**
 * Mean over benchmarks with equal weight: variances of the benchmarks' means add up.
 *
 * @param benchmarks per-problem values of each benchmark; shape [benchmark][problem], none empty
 * @param bounds what the values cannot leave: [0, 1] for shares, [-1, 1] for differences
 */
export function meanOfBenchmarks(
  benchmarks: readonly (readonly number[])[],
  bounds: [number, number],
): Estimate {
  const parts = benchmarks.map(meanAndVariance);
  const count = parts.length;
  const value = parts.reduce((sum, part) => sum + part.mean, 0) / count;
  const variance = parts.reduce((sum, part) => sum + part.varianceOfMean, 0) / count ** 2;
  const degreesOfFreedom = benchmarks.reduce((sum, values) => sum + values.length - 1, 0);
  return interval(value, variance, degreesOfFreedom, bounds);
}
