/**
 * Words for a comparison, chosen by its interval and by nothing else: a sentence of the report can only claim
 * what the 95% interval supports. Not a significance test and not corrected for many comparisons.
 */
import type { Estimate } from "../recipe/result-files.ts";
import { formatNumber, formatRange, hasInterval } from "./format.ts";

/** What an interval allows to be said about a difference. */
export type ComparisonVerdict = "higher" | "lower" | "not distinguishable" | "no interval";

/** Interval above zero: higher; below zero: lower; zero inside or on its edge: not distinguishable. */
export function compareWithZero(difference: Estimate): ComparisonVerdict {
  if (!Number.isFinite(difference.value) || !hasInterval(difference)) return "no interval";
  if (difference.low > 0) return "higher";
  if (difference.high < 0) return "lower";
  return "not distinguishable";
}

/**
 * A difference of two shares in words: `higher by 4.1 points (95% interval 1.0–7.2)`,
 * `not distinguishable (difference −0.3 points, 95% interval −2.0 to 1.4)`.
 *
 * @param difference in 0..1 units, arm minus reference
 */
export function describeDifference(difference: Estimate): string {
  const verdict = compareWithZero(difference);
  const value = difference.value * 100;
  if (verdict === "no interval")
    return Number.isFinite(value)
      ? `different by ${formatNumber(value, 1)} points in this run; there is no interval, so nothing is claimed`
      : "not measured";
  const interval = `95% interval ${formatRange(difference.low * 100, difference.high * 100, 1)}`;
  if (verdict === "not distinguishable")
    return `not distinguishable (difference ${formatNumber(value, 1)} points, ${interval})`;
  return `${verdict} by ${formatNumber(Math.abs(value), 1)} points (${interval})`;
}

/** Whether two estimates of the same quantity can be told apart: their intervals do not touch. */
export function intervalsApart(a: Estimate, b: Estimate): boolean {
  if (!hasInterval(a) || !hasInterval(b)) return false;
  return a.low > b.high || b.low > a.high;
}
