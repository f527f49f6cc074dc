/**
 * The part of a consensus set that counts now, as the reward reads it, and how a trajectory's keys meet it.
 * How it comes about from votes is consensus-set.ts.
 */

/** The items of a problem that count now, best supported first, with their weights. */
export interface EffectiveSet {
  /** Key -> decayed support; insertion order is by weight, then by first vote. */
  weights: ReadonlyMap<string, number>;
  /** Correct trajectories that voted. */
  correctSeen: number;
  /** Mean number of distinct keys of those trajectories; 0 when there is none. */
  meanCorrectSize: number;
}

/** How a trajectory's keys meet a set. */
export interface ConsensusScore {
  /** Keys of the trajectory that are in the set, in order of appearance. */
  matched: string[];
  /** Number of matched keys. */
  overlap: number;
  /** Items of the set. */
  size: number;
  /** overlap / size, or null for an empty set. */
  ratio: number | null;
}

/** The set of a problem never seen. */
export const EMPTY_SET: EffectiveSet = { weights: new Map(), correctSeen: 0, meanCorrectSize: 0 };

/** Meets keys with a set: duplicates count once. */
export function scoreKeys(set: EffectiveSet, keys: readonly string[]): ConsensusScore {
  const matched = [...new Set(keys)].filter((key) => set.weights.has(key));
  const size = set.weights.size;
  return { matched, overlap: matched.length, size, ratio: size === 0 ? null : matched.length / size };
}

/** A set from plain keys with weight 1, for tests and for sets made elsewhere. */
export function plainSet(keys: readonly string[]): EffectiveSet {
  const weights = new Map(keys.map((key) => [key, 1]));
  return { weights, correctSeen: weights.size > 0 ? 1 : 0, meanCorrectSize: weights.size };
}
