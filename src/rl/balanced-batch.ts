/**
 * Micro-batches as verl's `use_dynamic_bsz` makes them: as few as the token budget allows, with sums of lengths as
 * equal as the largest differencing method gets them. They decide the weights of the `verl_micro_batch` aggregation;
 * what an engine computes together is its own business (micro-batch.ts packs for little padding).
 * Source: recipe A6; Karmarkar and Karp (1982) for k parts, which verl uses too. Ties are broken by index here.
 */

/** A partial partition: sums in descending order, `parts[i]` are the sequences of `sums[i]`. */
interface Partition {
  sums: number[];
  parts: number[][];
  /** Smallest sequence index, for ties. */
  first: number;
}

const spread = (partition: Partition): number =>
  (partition.sums[0] as number) - (partition.sums[partition.sums.length - 1] as number);

/** Larger spread first; equal spreads by index. */
function precedes(a: Partition, b: Partition): boolean {
  const difference = spread(a) - spread(b);
  return difference > 0 || (difference === 0 && a.first < b.first);
}

/** Joins two partitions: the largest sum of one with the smallest of the other. */
function join(a: Partition, b: Partition): Partition {
  const count = a.sums.length;
  const joined = a.sums.map((sum, i) => ({
    sum: sum + (b.sums[count - 1 - i] as number),
    part: [...(a.parts[i] as number[]), ...(b.parts[count - 1 - i] as number[])],
  }));
  joined.sort((x, y) => y.sum - x.sum || (x.part[0] ?? 0) - (y.part[0] ?? 0));
  return {
    sums: joined.map(({ sum }) => sum),
    parts: joined.map(({ part }) => part),
    first: Math.min(a.first, b.first),
  };
}

/**
 * Divides sequences into `count` parts of nearly equal total length.
 *
 * @param lengths tokens of each sequence, above 0, shape [B]
 * @param count parts, 1..B
 * @returns indices of each part, ascending; no part is empty
 */
export function balancedPartition(lengths: readonly number[], count: number): number[][] {
  if (!Number.isInteger(count) || count < 1 || count > lengths.length)
    throw new RangeError(`count: expected 1..${lengths.length}, got ${count}`);
  for (const [i, length] of lengths.entries())
    if (!(length > 0 && Number.isFinite(length)))
      throw new RangeError(`lengths[${i}]: expected a number above 0, got ${length}`);
  const empty = (): number[][] => Array.from({ length: count - 1 }, () => []);
  // Kept in ascending order of precedence, so that the next two are at the end.
  const queue: Partition[] = [...lengths.keys()]
    .map((i) => ({
      sums: [lengths[i] as number, ...new Array<number>(count - 1).fill(0)],
      parts: [[i], ...empty()],
      first: i,
    }))
    .sort((a, b) => (precedes(a, b) ? 1 : -1));
  while (queue.length > 1) {
    const joined = join(queue.pop() as Partition, queue.pop() as Partition);
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (precedes(joined, queue[middle] as Partition)) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, joined);
  }
  const parts = (queue[0] as Partition).parts.map((part) => part.sort((a, b) => a - b));
  return parts.sort((a, b) => (a[0] as number) - (b[0] as number));
}

/**
 * The micro-batches of a mini-batch: ceil(all tokens / budget) of them, at most one per sequence. As in verl, a part may
 * exceed the budget by the imbalance that is left.
 *
 * @param lengths tokens of each sequence, prompt included, shape [B]
 * @returns ready for `AggregationOptions.microBatches`
 * @throws {RangeError} when a length is not above 0 or exceeds the budget alone
 */
export function balancedMicroBatches(lengths: readonly number[], tokenBudget: number): number[][] {
  if (!(tokenBudget > 0)) throw new RangeError(`tokenBudget: expected a number above 0, got ${tokenBudget}`);
  if (lengths.length === 0) return [];
  let total = 0;
  for (const [i, length] of lengths.entries()) {
    if (!(length > 0 && length <= tokenBudget))
      throw new RangeError(
        `lengths[${i}]: expected above 0 and at most ${tokenBudget} tokens, got ${length}`,
      );
    total += length;
  }
  return balancedPartition(lengths, Math.min(lengths.length, Math.ceil(total / tokenBudget)));
}
