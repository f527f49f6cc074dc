import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { packMicroBatches, paddingShare } from "./micro-batch.ts";

fc.configureGlobal({ seed: 20260318 });

const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 40 });

describe("packMicroBatches", () => {
  test("every index once, within the budget, padded to the multiple", () => {
    fc.assert(
      fc.property(
        lengths,
        fc.constantFrom(1, 8, 32),
        fc.integer({ min: 1, max: 12 }),
        (values, multiple, most) => {
          const options = { tokenBudget: 640, lengthMultiple: multiple, maxSequences: most };
          const batches = packMicroBatches(values, options);
          expect(batches.flatMap((batch) => batch.indices).sort((a, b) => a - b)).toEqual([...values.keys()]);
          for (const { indices, paddedLength } of batches) {
            expect(indices.length * paddedLength).toBeLessThanOrEqual(640);
            expect(indices.length).toBeLessThanOrEqual(most);
            expect(paddedLength % multiple).toBe(0);
            const longest = Math.max(...indices.map((i) => values[i] as number));
            expect(paddedLength - longest).toBeGreaterThanOrEqual(0);
            expect(paddedLength - longest).toBeLessThan(multiple);
          }
        },
      ),
    );
  });

  test("no other partition costs less (all partitions of small lists)", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }), (values) => {
        const [tokenBudget, overhead] = [24, 3];
        const cost = (groups: number[][]): number =>
          groups.reduce((sum, group) => {
            const padded = group.length * Math.max(...group);
            return padded > tokenBudget ? Number.POSITIVE_INFINITY : sum + overhead + padded;
          }, 0);
        let best = Number.POSITIVE_INFINITY;
        const walk = (i: number, groups: number[][]): void => {
          if (i === values.length) {
            best = Math.min(best, cost(groups));
            return;
          }
          for (const group of groups) {
            group.push(values[i] as number);
            walk(i + 1, groups);
            group.pop();
          }
          walk(i + 1, [...groups, [values[i] as number]]);
        };
        walk(0, []);
        const batches = packMicroBatches(values, { tokenBudget, batchOverheadTokens: overhead });
        expect(cost(batches.map((batch) => batch.indices.map((i) => values[i] as number)))).toBe(best);
      }),
    );
  });

  test("wastes little on a real spread of lengths, far less than batches in order of arrival", () => {
    const stream = randomStream(7, "lengths");
    const values = Array.from({ length: 128 }, () => 20 + Math.floor(76 * stream.uniform() ** 2));
    const batches = packMicroBatches(values, { tokenBudget: 2048, lengthMultiple: 8 });
    const arrival = Array.from({ length: 6 }, (_, b) => {
      const indices = [...values.keys()].filter((i) => i % 6 === b);
      return { indices, paddedLength: Math.max(...indices.map((i) => values[i] as number)) };
    });
    expect(paddingShare(values, batches)).toBeLessThan(0.13);
    expect(paddingShare(values, arrival)).toBeGreaterThan(0.4);
  });

  test("overhead 0 pads nothing beyond the multiple; a large one makes the fewest batches", () => {
    const values = [5, 5, 9, 9, 9, 3];
    const free = packMicroBatches(values, { tokenBudget: 100, batchOverheadTokens: 0 });
    expect(paddingShare(values, free)).toBe(0);
    expect(packMicroBatches(values, { tokenBudget: 100, batchOverheadTokens: 1e6 })).toEqual([
      { indices: [2, 3, 4, 0, 1, 5], paddedLength: 9 },
    ]);
  });

  test("refuses a sequence above the budget and bad lengths", () => {
    expect(() => packMicroBatches([10, 90], { tokenBudget: 64 })).toThrow("lengths[1]");
    expect(() => packMicroBatches([60], { tokenBudget: 63, lengthMultiple: 32 })).toThrow("lengths[0]");
    expect(() => packMicroBatches([0], { tokenBudget: 64 })).toThrow(RangeError);
    expect(packMicroBatches([], { tokenBudget: 64 })).toEqual([]);
  });
});
