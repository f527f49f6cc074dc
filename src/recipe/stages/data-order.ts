/**
 * Which problems each batch holds: every epoch is a seeded permutation (or the given order), cut into whole batches; the rest is left
 * out (`drop_last`). A function of seed and batch number, so the data position in a checkpoint is one integer.
 * Source: recipe A6 (random sampler, drop_last).
 */
import { randomStream } from "../../random.ts";

export interface DataOrder {
  batchesPerEpoch: number;
  /** Problems of each batch; smaller than asked for when there are fewer problems. */
  batchSize: number;
  /** Indices of the problems of batch 0, 1, 2, … in training order. */
  batch(number: number): number[];
  epochOf(number: number): number;
}

/** How the problems of an epoch are put in order: a new permutation, or as given. */
export type OrderRule = "shuffled" | "given";

/**
 * @param count problems, at least 1
 * @param batchSize problems per batch
 * @param name of the random stream
 * @throws {RangeError} when there is no problem or no batch size
 */
export function createDataOrder(
  count: number,
  batchSize: number,
  seed: number,
  name: string,
  rule: OrderRule = "shuffled",
): DataOrder {
  if (!(count >= 1) || !(batchSize >= 1))
    throw new RangeError(`data order: expected problems and a batch size, got ${count} and ${batchSize}`);
  const size = Math.min(count, batchSize);
  const batchesPerEpoch = Math.floor(count / size);
  const indices = Array.from({ length: count }, (_, i) => i);
  let cached: { epoch: number; permutation: number[] } | undefined;
  const permutationOf = (epoch: number): number[] => {
    if (rule === "given") return indices;
    if (cached?.epoch !== epoch)
      cached = { epoch, permutation: randomStream(seed, name, epoch).shuffle(indices) };
    return cached.permutation;
  };
  const epochOf = (number: number): number => Math.floor(number / batchesPerEpoch);
  return {
    batchesPerEpoch,
    batchSize: size,
    epochOf,
    batch(number) {
      const start = (number % batchesPerEpoch) * size;
      return permutationOf(epochOf(number)).slice(start, start + size);
    },
  };
}
