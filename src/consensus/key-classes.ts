/**
 * The optional second pass of matching: keys that differ but mean the same (by a symbolic or numeric test, or a judge)
 * become one class, represented by the form seen first. Comparing with representatives only keeps the relation
 * transitive inside a set; memory of past verdicts and a budget of comparisons keep it cheap.
 * Source: recipe C2 (key classes), C3 row 17 (cost).
 */

/** Whether two keys mean the same; must be symmetric. Errors pass through: an error is no verdict. */
export type KeyEquivalence = (first: string, second: string) => boolean;

export interface KeyClassOptions {
  equivalent: KeyEquivalence;
  /** Comparisons of one new key with representatives; beyond it the key becomes a class of its own. */
  maxComparisons?: number;
}

/** Classes of keys of one problem. Open a new one for each problem: equality across problems means nothing. */
export interface KeyClasses {
  /** The key that stands for `key`: the first one of its class. Stable: later keys never change it. */
  representative(key: string): string;
  /** Representatives of several keys, without repetition, in order of appearance. */
  representatives(keys: readonly string[]): string[];
  /** Comparisons made, and keys that ran out of budget. */
  statistics(): { keys: number; classes: number; comparisons: number; exhausted: number };
}

/** Opens an empty partition of keys. @throws {RangeError} when maxComparisons is below 1 */
export function createKeyClasses(options: KeyClassOptions): KeyClasses {
  const { equivalent, maxComparisons = 256 } = options;
  if (!(maxComparisons >= 1))
    throw new RangeError(`maxComparisons: expected 1 or more, got ${maxComparisons}`);
  const representativeOf = new Map<string, string>();
  const classes: string[] = [];
  let comparisons = 0;
  let exhausted = 0;
  const find = (key: string): string => {
    const known = representativeOf.get(key);
    if (known !== undefined) return known;
    let found: string | undefined;
    let left = maxComparisons;
    for (const candidate of classes) {
      if (left === 0) {
        exhausted++;
        break;
      }
      left--;
      comparisons++;
      if (equivalent(candidate, key)) {
        found = candidate;
        break;
      }
    }
    if (found === undefined) classes.push(key);
    representativeOf.set(key, found ?? key);
    return found ?? key;
  };
  return {
    representative: find,
    representatives: (keys) => [...new Set(keys.map(find))],
    statistics: () => ({ keys: representativeOf.size, classes: classes.length, comparisons, exhausted }),
  };
}
