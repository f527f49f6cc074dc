/**
 * Mean over benchmarks that count the same whatever their size, with its 95% interval: the variances of the benchmarks'
 * means add up. The problem stays the unit.
 *
 * Method: that of one benchmark (`interval.ts`), with the summed variance and Satterthwaite's degrees of freedom; a single
 * benchmark gets exactly its own interval. Three benchmarks of 30 problems, one problem in 20 hard: a plain t interval
 * covers 91%, this one 95% (`npm run coverage`).
 */
import { differenceSpread, type Estimate, shareSpread, wilsonInterval } from "./interval.ts";
import { studentQuantile } from "./student-t.ts";

/** Per-problem values of each benchmark; shape [benchmarks][problems], none empty. */
type Groups = readonly (readonly number[])[];

interface Pooled {
  value: number;
  variance: number;
  quantile: number;
}

/** Mean of the groups' means with the variance of it; null when no group has two problems or nothing varies. */
function poolGroups(
  groups: Groups,
  spreadOf: (values: readonly number[], mean: number) => number,
): { value: number; pooled: Pooled | null } {
  let value = 0;
  let variance = 0;
  let inverseDegrees = 0;
  for (const values of groups) {
    const problems = values.length;
    const mean = values.reduce((sum, one) => sum + one, 0) / problems;
    value += mean / groups.length;
    // A single problem does not say how much problems differ; it adds no variance.
    if (problems < 2) continue;
    const part = spreadOf(values, mean) / (problems - 1) / problems / groups.length ** 2;
    variance += part;
    inverseDegrees += part ** 2 / (problems - 1);
  }
  if (!(variance > 0)) return { value, pooled: null };
  // Whole degrees, rounded down; the small number keeps 29 from becoming 28.
  const degrees = Math.max(1, Math.floor(variance ** 2 / inverseDegrees + 1e-6));
  return { value, pooled: { value, variance, quantile: studentQuantile(0.975, degrees) } };
}

/**
 * Mean of the groups' mean shares, values in [0, 1].
 *
 * @returns within [0, 1]; no interval when every group has one problem
 */
export function meanOfShares(groups: Groups): Estimate {
  const { value, pooled } = poolGroups(groups, shareSpread);
  if (pooled === null) return { value, low: value, high: value };
  const inverseSizes = groups.reduce((sum, { length }) => sum + 1 / length, 0);
  return wilsonInterval({ ...pooled, fewest: groups.length ** 2 / inverseSizes });
}

/**
 * Mean of the groups' mean differences, values in [-1, 1].
 *
 * @returns within [-1, 1]; no interval when nothing varies or every group has one problem
 */
export function meanOfDifferences(groups: Groups): Estimate {
  const { value, pooled } = poolGroups(groups, differenceSpread);
  if (pooled === null) return { value, low: value, high: value };
  const half = pooled.quantile * Math.sqrt(pooled.variance);
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
