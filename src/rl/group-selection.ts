/**
 * What else can be done with groups that carry no signal: drop them (`reject`), sample on until the batch is full
 * (`filter`, as DAPO), or fill up from a bounded store of earlier good groups (`backfill`).
 * Copying inside the batch is substitution.ts. Old groups are off-policy: recompute their old log-probabilities.
 * Source: recipe A7; Falcon-H1R (arXiv:2601.02346) found backfill the most stable of them.
 */
import type { RandomStream } from "../random.ts";

/** The good groups of a batch, in order: a smaller batch, nothing copied. */
export function rejectGroups<Group>(groups: readonly Group[], good: readonly boolean[]): Group[] {
  if (groups.length !== good.length)
    throw new RangeError(`good: expected ${groups.length} values, got ${good.length}`);
  return groups.filter((_, i) => good[i]);
}

/** Collects good groups over several rounds of sampling. */
export interface GroupCollector<Group> {
  /** Adds one round; groups beyond the target are left out. @returns true when the batch is full or rounds are used up */
  add(groups: readonly Group[], good: readonly boolean[]): boolean;
  /** Groups collected so far, oldest first, at most the target. */
  groups(): Group[];
  /** Groups still wanted. */
  missing(): number;
  /** Rounds added so far. */
  rounds(): number;
}

/**
 * Opens a collector for `filter`: sample, keep the good groups, sample again until `target` are there.
 *
 * @param target groups of a full batch
 * @param maxRounds most rounds, so that a policy without any good group cannot sample for ever
 */
export function createGroupCollector<Group>(target: number, maxRounds: number): GroupCollector<Group> {
  if (!Number.isInteger(target) || target < 1)
    throw new RangeError(`target: expected 1 or more, got ${target}`);
  if (!(maxRounds >= 1)) throw new RangeError(`maxRounds: expected 1 or more, got ${maxRounds}`);
  const collected: Group[] = [];
  let rounds = 0;
  return {
    add(groups, good) {
      rounds++;
      for (const group of rejectGroups(groups, good)) if (collected.length < target) collected.push(group);
      return collected.length >= target || rounds >= maxRounds;
    },
    groups: () => [...collected],
    missing: () => target - collected.length,
    rounds: () => rounds,
  };
}

/** One stored group and the step that produced it. */
export interface CachedGroup<Group> {
  group: Group;
  step: number;
}

export interface GroupCacheOptions {
  /** Most groups kept; the oldest leave first. */
  capacity: number;
  /** Oldest usable group, in steps; Infinity = no limit. */
  maxAgeSteps?: number;
}

/** A bounded store of good groups for `backfill`. State is plain data, so that a resumed run continues alike. */
export class GroupCache<Group> {
  readonly capacity: number;
  readonly maxAgeSteps: number;
  #entries: CachedGroup<Group>[] = [];

  constructor(options: GroupCacheOptions) {
    this.capacity = options.capacity;
    this.maxAgeSteps = options.maxAgeSteps ?? Number.POSITIVE_INFINITY;
    if (!Number.isInteger(this.capacity) || this.capacity < 1)
      throw new RangeError(`capacity: expected a whole number from 1, got ${this.capacity}`);
    if (!(this.maxAgeSteps >= 0))
      throw new RangeError(`maxAgeSteps: expected 0 or more, got ${this.maxAgeSteps}`);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Groups `take` could give at a step. */
  usable(step: number): number {
    return this.#entries.filter((entry) => step - entry.step <= this.maxAgeSteps).length;
  }

  /** Stores good groups as sampled (never copies or backfilled ones). */
  add(groups: readonly Group[], step: number): void {
    for (const group of groups) this.#entries.push({ group, step });
    if (this.#entries.length > this.capacity) this.#entries.splice(0, this.#entries.length - this.capacity);
  }

  /**
   * Takes up to `count` distinct groups out, uniformly; too old ones are dropped first. A group is used once.
   *
   * @returns possibly fewer than `count`
   */
  take(count: number, step: number, stream: RandomStream): Group[] {
    this.#entries = this.#entries.filter((entry) => step - entry.step <= this.maxAgeSteps);
    const taken = stream.shuffle([...this.#entries.keys()]).slice(0, Math.max(0, count));
    const leaving = new Set(taken);
    const groups = taken.map((index) => (this.#entries[index] as CachedGroup<Group>).group);
    this.#entries = this.#entries.filter((_, index) => !leaving.has(index));
    return groups;
  }

  snapshot(): CachedGroup<Group>[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  restore(entries: readonly CachedGroup<Group>[]): void {
    this.#entries = entries.slice(-this.capacity).map((entry) => ({ ...entry }));
  }
}

/**
 * `backfill`: good groups of the batch first, then stored ones up to the batch size; the batch stays smaller when the
 * store runs dry. The batch's own good groups enter the store afterwards.
 *
 * @param step current step, for the age of stored groups
 */
export function backfillGroups<Group>(
  groups: readonly Group[],
  good: readonly boolean[],
  cache: GroupCache<Group>,
  step: number,
  stream: RandomStream,
): { groups: Group[]; backfilled: number } {
  const fresh = rejectGroups(groups, good);
  const stored = cache.take(groups.length - fresh.length, step, stream);
  cache.add(fresh, step);
  return { groups: [...fresh, ...stored], backfilled: stored.length };
}
