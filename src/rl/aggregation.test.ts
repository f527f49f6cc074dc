import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AGGREGATION_MODES, aggregationWeights, tokenWeights } from "./aggregation.ts";

fc.configureGlobal({ seed: 20260318 });

/** loss = sum of weight * token loss, with one loss per token. */
function weigh(losses: number[][], weights: Float64Array): number {
  return losses.reduce(
    (sum, tokens, i) => sum + tokens.reduce((inner, loss) => inner + (weights[i] as number) * loss, 0),
    0,
  );
}
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const total = (values: number[]): number => values.reduce((sum, value) => sum + value, 0);

describe("aggregationWeights", () => {
  const losses = [[1, 2, 3], [4], [5, 6], [7, 8, 9, 10]];
  const counts = losses.map((tokens) => tokens.length);

  test("each mode is the mean it names", () => {
    const weights = (mode: (typeof AGGREGATION_MODES)[number]) =>
      aggregationWeights(counts, { mode, normLengthTokens: 16, microBatches: [[0, 1], [2], [3]] });
    expect(weigh(losses, weights("global_token_mean"))).toBeCloseTo(mean(losses.flat()), 12);
    expect(weigh(losses, weights("seq_mean_token_mean"))).toBeCloseTo(mean(losses.map(mean)), 12);
    expect(weigh(losses, weights("seq_mean_token_sum"))).toBeCloseTo(mean(losses.map(total)), 12);
    expect(weigh(losses, weights("seq_mean_token_sum_norm"))).toBeCloseTo(mean(losses.map(total)) / 16, 12);
    const micro = (2 / 4) * mean([1, 2, 3, 4]) + (1 / 4) * mean([5, 6]) + (1 / 4) * mean([7, 8, 9, 10]);
    expect(weigh(losses, weights("verl_micro_batch"))).toBeCloseTo(micro, 7);
  });

  test("verl's mode is the token mean in one micro-batch, the sequence mean in singletons", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        const whole = aggregationWeights(lengths, {
          mode: "verl_micro_batch",
          microBatches: [[...lengths.keys()]],
        });
        const global = aggregationWeights(lengths, { mode: "global_token_mean" });
        const single = aggregationWeights(lengths, {
          mode: "verl_micro_batch",
          microBatches: [...lengths.keys()].map((i) => [i]),
        });
        const sequence = aggregationWeights(lengths, { mode: "seq_mean_token_mean" });
        for (const i of lengths.keys()) {
          expect(whole[i]).toBeCloseTo(global[i] as number, 8);
          expect(single[i]).toBeCloseTo(sequence[i] as number, 7);
        }
      }),
    );
  });

  test("mean modes: weights over all tokens sum to 1", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        for (const mode of ["global_token_mean", "seq_mean_token_mean"] as const) {
          const weights = aggregationWeights(lengths, { mode });
          expect(total(lengths.map((length, i) => length * (weights[i] as number)))).toBeCloseTo(1, 12);
        }
      }),
    );
  });

  test("a sequence without tokens has weight 0 and stands in no sequence mean", () => {
    expect([...aggregationWeights([2, 0], { mode: "seq_mean_token_mean" })]).toEqual([0.5, 0]);
    const micro = aggregationWeights([2, 0], { mode: "verl_micro_batch", microBatches: [[0], [1]] });
    expect(micro[0]).toBeCloseTo(0.25, 7);
    expect(micro[1]).toBe(0);
    expect([...aggregationWeights([], { mode: "global_token_mean" })]).toEqual([]);
  });

  test("refuses incomplete micro-batches and missing options", () => {
    const mode = "verl_micro_batch";
    expect(() => aggregationWeights([1, 1], { mode, microBatches: [[0]] })).toThrow("sequence 1");
    expect(() => aggregationWeights([1, 1], { mode, microBatches: [[0, 1, 1]] })).toThrow(RangeError);
    expect(() => aggregationWeights([1, 1], { mode, microBatches: [[0, 1, 2]] })).toThrow(RangeError);
    expect(() => aggregationWeights([1], { mode })).toThrow(TypeError);
    expect(() => aggregationWeights([1], { mode: "seq_mean_token_sum_norm" })).toThrow(TypeError);
    expect(() => aggregationWeights([1.5], { mode: "global_token_mean" })).toThrow(RangeError);
  });
});

test("token weights follow the mask", () => {
  expect([...tokenWeights(0.25, [1, 0, true, false])]).toEqual([0.25, 0, 0.25, 0]);
});
