/** Micro-batch plans and packed rows: everything once, shared prompts once, every map an inverse of the other. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planMicroBatches } from "./micro-batch.ts";
import { packSequences, type TokenSequence } from "./packed-batch.ts";

const HEADS = { attentionHeads: 4, keyValueHeads: 2 };

const sequences: fc.Arbitrary<TokenSequence[]> = fc
  .array(
    fc.record({
      prompt: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }),
      responses: fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 5,
      }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((groups) =>
    groups.flatMap(({ prompt, responses }) =>
      responses.map((responseTokens) => ({ promptTokens: prompt, responseTokens })),
    ),
  );

describe("planMicroBatches", () => {
  it("deals every sequence to exactly one micro-batch", () => {
    fc.assert(
      fc.property(
        sequences,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (batch, lanes, targetRows) => {
          const plan = planMicroBatches(batch, { lanes, targetRows });
          expect(plan).toHaveLength(lanes);
          expect(plan.flat(2).sort((a, b) => a - b)).toEqual(batch.map((_, i) => i));
          expect(plan.flat().every((microBatch) => microBatch.length > 0)).toBe(true);
        },
      ),
    );
  });

  it("balances lanes and keeps responses to one prompt together where they fit", () => {
    const batch = Array.from({ length: 128 }, (_, i) => ({
      promptTokens: [i >> 3, 1, 2, 3],
      responseTokens: new Array<number>(20 + (i % 7)).fill(1),
    }));
    const plan = planMicroBatches(batch, { lanes: 2, targetRows: 1000 });
    const rows = plan.map((lane) => lane.flat().length);
    expect(Math.abs((rows[0] as number) - (rows[1] as number))).toBeLessThanOrEqual(8);
    for (const microBatch of plan.flat()) {
      const groups = new Set(microBatch.map((i) => i >> 3));
      expect(microBatch).toHaveLength(groups.size * 8);
    }
  });
});

describe("packSequences", () => {
  it("stores each token once and points every real cell and row at each other", () => {
    fc.assert(
      fc.property(sequences, (batch) => {
        const packed = packSequences(batch, HEADS);
        const prompts = new Map(
          batch.map(({ promptTokens }) => [promptTokens.join(), promptTokens.length - 1]),
        );
        const promptRows = 1 + [...prompts.values()].reduce((a, b) => a + b, 0);
        const responseRows = 1 + batch.reduce((sum, { responseTokens }) => sum + responseTokens.length, 0);
        expect(packed.rows).toBe(promptRows + responseRows);
        const feeds = packed.feeds as Record<string, { data: Int32Array; shape: number[] }>;
        for (const grid of ["prompt_query", "prompt_key", "response_query", "response_key"]) {
          const cells = feeds[`${grid}_cells`]?.data as Int32Array;
          const places = feeds[`${grid}_places`]?.data as Int32Array;
          places.forEach((cell, headRow) => {
            expect(cells[cell]).toBe(headRow);
          });
        }
        const targets = feeds["targets"]?.data as Int32Array;
        batch.forEach(({ responseTokens }, i) => {
          const start = packed.starts[i] as number;
          expect(Array.from(targets.slice(start, start + responseTokens.length))).toEqual(responseTokens);
        });
      }),
    );
  });

  it("gives padding a cell of its own in every grid, so that its gradient is zero", () => {
    const packed = packSequences([{ promptTokens: [1, 2, 3], responseTokens: [4, 5] }], HEADS);
    const [, , length] = packed.feeds["response_query_cells"]!.shape;
    expect(length).toBe(3);
    const mask = packed.feeds["response_mask"]?.data as Float32Array;
    const width = packed.feeds["response_mask"]?.shape[3] as number;
    // Prompt columns 0 and 1 are seen, column 2 is padding; own columns are causal and the last is padding.
    expect(Array.from(mask.slice(0, width)).map((value) => value === 0)).toEqual([
      true,
      true,
      false,
      true,
      false,
      false,
    ]);
    expect(Array.from(mask.slice(width, 2 * width)).map((value) => value === 0)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it("refuses empty prompts and responses", () => {
    expect(() => packSequences([{ promptTokens: [], responseTokens: [1] }], HEADS)).toThrow(RangeError);
    expect(() => packSequences([{ promptTokens: [1], responseTokens: [] }], HEADS)).toThrow(RangeError);
  });
});
