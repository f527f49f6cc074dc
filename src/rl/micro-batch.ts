/**
 * Packs sequences of different lengths into padded micro-batches under a token budget, so that few computed tokens
 * are padding. Deterministic: equal lengths give equal batches on every machine.
 * Sequences are sorted by length; the best cut of the sorted list is found by dynamic programming.
 * Source: recipe A6 (token-budget packing); verl's `use_dynamic_bsz` balances counts, this one minimises padding.
 */

export interface MicroBatch {
  /** Indices into `lengths`, longest first. */
  indices: number[];
  /** Length every sequence of the batch is padded to, a multiple of `lengthMultiple`. */
  paddedLength: number;
}

export interface PackOptions {
  /** Most padded tokens (sequences * padded length) of one batch. */
  tokenBudget: number;
  /** Padded lengths are multiples of it, so that an engine compiles few shapes. */
  lengthMultiple?: number;
  /** Most sequences of one batch; Infinity = no limit. */
  maxSequences?: number;
  /** Cost of one more batch, in tokens: a cut must save more padding than this. A sixteenth of the budget by default. */
  batchOverheadTokens?: number;
}

/**
 * Cuts the sequences into micro-batches of least padded tokens plus overhead.
 *
 * @param lengths tokens of each sequence, prompt included, shape [B]
 * @returns batches from the longest to the shortest, every index exactly once
 * @throws {RangeError} when an option is out of range or a sequence alone exceeds the budget
 */
export function packMicroBatches(lengths: readonly number[], options: PackOptions): MicroBatch[] {
  const { tokenBudget, lengthMultiple = 1, maxSequences = Number.POSITIVE_INFINITY } = options;
  const overhead = options.batchOverheadTokens ?? tokenBudget / 16;
  if (!(tokenBudget > 0)) throw new RangeError(`tokenBudget: expected a number above 0, got ${tokenBudget}`);
  if (!Number.isInteger(lengthMultiple) || lengthMultiple < 1)
    throw new RangeError(`lengthMultiple: expected a whole number from 1, got ${lengthMultiple}`);
  if (!(maxSequences >= 1)) throw new RangeError(`maxSequences: expected 1 or more, got ${maxSequences}`);
  if (!(overhead >= 0))
    throw new RangeError(`batchOverheadTokens: expected a number from 0, got ${overhead}`);
  const padded = lengths.map((length, i) => {
    if (!Number.isInteger(length) || length < 1)
      throw new RangeError(`lengths[${i}]: expected a whole number from 1, got ${length}`);
    const result = Math.ceil(length / lengthMultiple) * lengthMultiple;
    if (result > tokenBudget)
      throw new RangeError(
        `lengths[${i}]: expected at most ${tokenBudget} tokens after padding to ${lengthMultiple}, got ${result}`,
      );
    return result;
  });

  const count = lengths.length;
  const order = [...lengths.keys()].sort(
    (a, b) =>
      (padded[b] as number) - (padded[a] as number) ||
      (lengths[b] as number) - (lengths[a] as number) ||
      a - b,
  );
  // cost[i] = least cost of order[i..]; end[i] = where its first batch ends. The first of a batch is its longest.
  const cost = new Float64Array(count + 1);
  const end = new Int32Array(count + 1);
  for (let start = count - 1; start >= 0; start--) {
    const length = padded[order[start] as number] as number;
    const most = Math.min(count - start, maxSequences, Math.floor(tokenBudget / length));
    let best = Number.POSITIVE_INFINITY;
    for (let size = 1; size <= most; size++) {
      const value = overhead + size * length + (cost[start + size] as number);
      // Of equal costs the larger batch wins: fewer batches.
      if (value <= best) {
        best = value;
        end[start] = start + size;
      }
    }
    cost[start] = best;
  }
  const batches: MicroBatch[] = [];
  for (let start = 0; start < count; start = end[start] as number)
    batches.push({
      indices: order.slice(start, end[start]),
      paddedLength: padded[order[start] as number] as number,
    });
  return batches;
}

/** Share of computed tokens that are padding, in [0, 1); 0 for no batches. */
export function paddingShare(lengths: readonly number[], batches: readonly MicroBatch[]): number {
  let computed = 0;
  let real = 0;
  for (const batch of batches) {
    computed += batch.indices.length * batch.paddedLength;
    for (const index of batch.indices) real += lengths[index] as number;
  }
  return computed === 0 ? 0 : 1 - real / computed;
}
