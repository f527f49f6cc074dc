/**
 * How token losses become one number: a weight per sequence such that loss = sum of weight * token loss over the
 * unmasked response tokens. Engines only ever see the weights, so every mode works on every engine.
 * Source: recipe A6; verl `agg_loss` and its dynamic micro-batches; Dr. GRPO (arXiv:2503.20783) for the norm mode.
 */

/**
 * `global_token_mean`: every token of the mini-batch weighs the same.
 * `verl_micro_batch`: token mean inside each micro-batch, micro-batches weighted by their share of sequences; what
 * the released trainer computes.
 * `seq_mean_token_mean`: mean over sequences of the mean over their tokens.
 * `seq_mean_token_sum`: mean over sequences of the sum over their tokens.
 * `seq_mean_token_sum_norm`: the same divided by a fixed length, so that weights do not depend on the batch. Earlier
 * verl divides the sum over sequences by the length alone, B times as much; the learning rate differs accordingly.
 */
export type AggregationMode =
  | "global_token_mean"
  | "verl_micro_batch"
  | "seq_mean_token_mean"
  | "seq_mean_token_sum"
  | "seq_mean_token_sum_norm";

export const AGGREGATION_MODES: readonly AggregationMode[] = [
  "global_token_mean",
  "verl_micro_batch",
  "seq_mean_token_mean",
  "seq_mean_token_sum",
  "seq_mean_token_sum_norm",
];

/** verl's guard against a micro-batch without tokens. */
const MASKED_MEAN_EPSILON = 1e-8;

export interface AggregationOptions {
  mode: AggregationMode;
  /**
   * Sequence indices of each micro-batch, covering every sequence once; `verl_micro_batch` needs it.
   * `balancedMicroBatches` gives those of verl.
   */
  microBatches?: readonly (readonly number[])[];
  /** Fixed divisor in tokens, normally the response limit; `seq_mean_token_sum_norm` needs it. */
  normLengthTokens?: number;
}

/**
 * Weight of each sequence's tokens.
 *
 * @param tokenCounts unmasked response tokens of each sequence of the mini-batch, shape [B]
 * @returns shape [B]; 0 for a sequence without tokens
 * @throws {RangeError} when a count is not a whole number from 0, or the micro-batches do not cover every sequence once
 * @throws {TypeError} when the mode lacks what it needs
 */
export function aggregationWeights(
  tokenCounts: readonly number[],
  options: AggregationOptions,
): Float64Array {
  for (const [i, count] of tokenCounts.entries())
    if (!Number.isInteger(count) || count < 0)
      throw new RangeError(`tokenCounts[${i}]: expected a whole number from 0, got ${count}`);
  const weights = new Float64Array(tokenCounts.length);
  const total = tokenCounts.reduce((sum, count) => sum + count, 0);
  // A sequence without tokens has no mean: it stands in no sequence mean either.
  const sequences = tokenCounts.filter((count) => count > 0).length;
  if (options.mode === "verl_micro_batch") {
    return microBatchWeights(tokenCounts, options.microBatches);
  }
  const norm = options.normLengthTokens;
  if (options.mode === "seq_mean_token_sum_norm" && !(norm !== undefined && norm > 0))
    throw new TypeError(`seq_mean_token_sum_norm: expected normLengthTokens above 0, got ${norm}`);
  for (const [i, count] of tokenCounts.entries()) {
    if (count === 0) continue;
    switch (options.mode) {
      case "global_token_mean":
        weights[i] = 1 / total;
        break;
      case "seq_mean_token_mean":
        weights[i] = 1 / (sequences * count);
        break;
      case "seq_mean_token_sum":
        weights[i] = 1 / sequences;
        break;
      case "seq_mean_token_sum_norm":
        weights[i] = 1 / (sequences * (norm as number));
        break;
    }
  }
  return weights;
}

function microBatchWeights(
  tokenCounts: readonly number[],
  microBatches: readonly (readonly number[])[] | undefined,
): Float64Array {
  if (microBatches === undefined)
    throw new TypeError("verl_micro_batch: expected microBatches, the sequence indices of each micro-batch");
  const weights = new Float64Array(tokenCounts.length);
  const seen = new Uint8Array(tokenCounts.length);
  for (const indices of microBatches) {
    let tokens = 0;
    for (const index of indices) {
      if (seen[index] !== 0)
        throw new RangeError(
          `microBatches: expected each of 0..${tokenCounts.length - 1} once, got ${index} twice or out of range`,
        );
      seen[index] = 1;
      tokens += tokenCounts[index] as number;
    }
    const weight = indices.length / tokenCounts.length / (tokens + MASKED_MEAN_EPSILON);
    for (const index of indices) weights[index] = (tokenCounts[index] as number) > 0 ? weight : 0;
  }
  const missing = seen.indexOf(0);
  if (missing !== -1) throw new RangeError(`microBatches: sequence ${missing} is in none of them`);
  return weights;
}

/**
 * Token weights of one sequence from its aggregation weight and its mask.
 *
 * @param weight of the sequence, from `aggregationWeights`
 * @param mask truthy where the token is learnt from, shape [response]
 * @returns shape [response], ready for `TrainingSequence.weights`
 */
export function tokenWeights(weight: number, mask: ArrayLike<number | boolean>): Float32Array {
  const weights = new Float32Array(mask.length);
  for (let i = 0; i < mask.length; i++) if (mask[i]) weights[i] = weight;
  return weights;
}
