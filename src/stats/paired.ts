/**
 * Difference of two arms measured on the same problems. Pairing takes the problems' own difficulty out, which is most
 * of the variance; two separate intervals that overlap say little.
 * Source: paired t interval on per-problem differences (`interval.ts`); sign-flip test (Fisher) for the p-value.
 */
import type { RandomStream } from "../random.ts";
import type { Estimate, IntervalOptions } from "./interval.ts";
import { differenceInterval } from "./interval.ts";

/** A problem's value in one arm. */
export interface ProblemValue {
  id: string;
  value: number;
}

export interface PairedDifference extends Estimate {
  /** Problems both arms have. */
  problems: number;
  /** Problems where the first arm is better, worse, equal. */
  wins: number;
  losses: number;
  ties: number;
}

/**
 * Differences first - second on the problems both arms have, in the first arm's order.
 *
 * @throws {RangeError} when an id occurs twice in an arm
 */
export function pairedDifferences(first: readonly ProblemValue[], second: readonly ProblemValue[]): number[] {
  const byId = (arm: readonly ProblemValue[], name: string): Map<string, number> => {
    const map = new Map<string, number>();
    for (const { id, value } of arm) {
      if (map.has(id)) throw new RangeError(`${name} arm: problem ${id} occurs twice`);
      map.set(id, value);
    }
    return map;
  };
  const other = byId(second, "second");
  const differences: number[] = [];
  for (const [id, value] of byId(first, "first")) {
    const counterpart = other.get(id);
    if (counterpart !== undefined) differences.push(value - counterpart);
  }
  return differences;
}

/**
 * Mean difference first - second with its interval.
 *
 * @throws {RangeError} when the arms share no problem or an id occurs twice
 */
export function pairedDifference(
  first: readonly ProblemValue[],
  second: readonly ProblemValue[],
  options: IntervalOptions = {},
): PairedDifference {
  const differences = pairedDifferences(first, second);
  if (differences.length === 0)
    throw new RangeError("pairedDifference: expected a problem that both arms have");
  const wins = differences.filter((difference) => difference > 0).length;
  const losses = differences.filter((difference) => difference < 0).length;
  return {
    ...differenceInterval(differences, options),
    problems: differences.length,
    wins,
    losses,
    ties: differences.length - wins - losses,
  };
}

/**
 * Two-sided p-value of "no difference" by random sign flips of the per-problem differences.
 *
 * @returns in (0, 1]; never 0, because the observed signs count as one flip
 */
export function signFlipTest(differences: readonly number[], stream: RandomStream, flips = 9999): number {
  if (differences.length === 0) throw new RangeError("differences: expected one or more, got none");
  if (!Number.isInteger(flips) || flips < 1) throw new RangeError(`flips: expected 1 or more, got ${flips}`);
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  let extreme = 1;
  for (let i = 0; i < flips; i++) {
    let sum = 0;
    for (const difference of differences) sum += stream.uint32() & 1 ? difference : -difference;
    if (Math.abs(sum) >= observed * (1 - 1e-12)) extreme++;
  }
  return extreme / (flips + 1);
}
