import { expect, test } from "vitest";
import { exponentialAverage, movingAverage } from "./moving-average.ts";

test("moving average begins with what there is", () => {
  expect(movingAverage([1, 3, 5, 7], 2)).toEqual([1, 2, 4, 6]);
  expect(movingAverage([1, 2], 5)).toEqual([1, 1.5]);
  expect(movingAverage([], 3)).toEqual([]);
  expect(() => movingAverage([1], 0)).toThrow(RangeError);
});

test("exponential average has no start-up bias", () => {
  expect(exponentialAverage([4, 4, 4], 0.1).every((value) => Math.abs(value - 4) < 1e-12)).toBe(true);
  // Weights 0.25 and 0.5 over their sum 0.75.
  expect(exponentialAverage([0, 3], 0.5)[1]).toBeCloseTo(2, 12);
  expect(exponentialAverage([1, 9], 1)).toEqual([1, 9]);
  expect(() => exponentialAverage([1], 0)).toThrow(RangeError);
});
