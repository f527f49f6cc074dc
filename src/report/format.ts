/**
 * Numbers as a reader meets them: shares in per cent, intervals behind the value, a real minus sign, units spelled out.
 * Pure functions; a number that is not finite prints as "n/a" and is never hidden as 0.
 */
import type { Estimate } from "../recipe/result-files.ts";

const MISSING = "n/a";

/** Fixed decimals with U+2212 for minus; a value that rounds to zero carries no sign. */
export function formatNumber(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const text = Math.abs(value).toFixed(decimals);
  const isZero = Number(text) === 0;
  return value < 0 && !isZero ? `\u2212${text}` : text;
}

/** A share in 0..1 as per cent without the sign: 0.314 gives `31.4`. */
export function formatShare(share: number, decimals = 1): string {
  return formatNumber(share * 100, decimals);
}

/** `low–high`, or `low to high` when a minus sign stands next to the dash. */
export function formatRange(low: number, high: number, decimals: number): string {
  const joint = low < 0 || high < 0 ? " to " : "\u2013";
  return `${formatNumber(low, decimals)}${joint}${formatNumber(high, decimals)}`;
}

/** Whether an estimate carries an interval; `low = high = value` means that there is none. */
export function hasInterval(estimate: Estimate): boolean {
  return Number.isFinite(estimate.low) && Number.isFinite(estimate.high) && estimate.low !== estimate.high;
}

/** A share with its interval in per cent: `31.4 (28.9–33.9)`; the value alone when there is no interval. */
export function formatEstimate(estimate: Estimate, decimals = 1): string {
  const value = formatShare(estimate.value, decimals);
  if (!hasInterval(estimate)) return value;
  return `${value} (${formatRange(estimate.low * 100, estimate.high * 100, decimals)})`;
}

/** A difference of shares in points with its sign: `+4.1 (1.0–7.2)`. */
export function formatDifference(difference: Estimate, decimals = 1): string {
  const plus = Number(formatNumber(Math.abs(difference.value) * 100, decimals)) > 0 && difference.value > 0;
  return `${plus ? "+" : ""}${formatEstimate(difference, decimals)}`;
}

/** A count with thousands separators. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",")
    .replace("-", "\u2212");
}

/** A large count in three significant digits: `1.23 M`, `45.6 k`. */
export function formatLargeCount(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  if (Math.abs(value) >= 999_500) return `${formatNumber(value / 1e6, 2)} M`;
  if (Math.abs(value) >= 9_950) return `${formatNumber(value / 1e3, 1)} k`;
  return formatCount(value);
}

/** Seconds as `43.2 s`, `4 min 12 s` or `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  if (seconds < 99.95) return `${formatNumber(seconds, 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 problem`, `200 problems`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listWords(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
