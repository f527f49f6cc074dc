import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { balancedMicroBatches, balancedPartition } from "./balanced-batch.ts";

fc.configureGlobal({ seed: 20260318 });

const sumOf = (lengths: number[], part: number[]): number =>
  part.reduce((sum, index) => sum + (lengths[index] as number), 0);

describe("balancedPartition", () => {
  test("every sequence once, no empty part", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        (lengths, n) => {
          const count = (n % lengths.length) + 1;
          const parts = balancedPartition(lengths, count);
          expect(parts).toHaveLength(count);
          expect(parts.every((part) => part.length > 0)).toBe(true);
          expect(parts.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        },
      ),
    );
  });

  test("the textbook example of the differencing method: 8 7 6 5 4 in two parts differ by 2", () => {
    const lengths = [8, 7, 6, 5, 4];
    const sums = balancedPartition(lengths, 2).map((part) => sumOf(lengths, part));
    expect(sums.sort()).toEqual([14, 16]);
  });

  test("real lengths: parts within 1% of each other", () => {
    const stream = randomStream(3, "lengths");
    const lengths = Array.from({ length: 1024 }, () => 200 + Math.floor(8000 * stream.uniform() ** 2));
    const sums = balancedPartition(lengths, 24).map((part) => sumOf(lengths, part));
    expect(Math.max(...sums) / Math.min(...sums)).toBeLessThan(1.01);
  });
});

describe("balancedMicroBatches", () => {
  test("as few as the budget allows", () => {
    expect(balancedMicroBatches([4, 4, 4, 4], 8)).toHaveLength(2);
    expect(balancedMicroBatches([4, 4, 4, 5], 8)).toHaveLength(3);
    expect(balancedMicroBatches([8, 8], 8)).toEqual([[0], [1]]);
    expect(balancedMicroBatches([], 8)).toEqual([]);
    expect(() => balancedMicroBatches([9], 8)).toThrow("lengths[0]");
    expect(() => balancedMicroBatches([0], 8)).toThrow("lengths[0]");
  });
});
