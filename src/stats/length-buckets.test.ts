import fc from "fast-check";
import { expect, test } from "vitest";
import { budgetCurve, lengthBuckets } from "./length-buckets.ts";

fc.configureGlobal({ seed: 20260318 });

const sample = (problemId: string, lengthTokens: number, correct: boolean) => ({
  problemId,
  lengthTokens,
  correct,
});

test("buckets at 16K and 32K, lower end included", () => {
  const buckets = lengthBuckets([
    sample("a", 0, true),
    sample("a", 16_383, false),
    sample("a", 16_384, true),
    sample("a", 40_000, false),
  ]);
  expect(buckets.map(({ samples, correct, accuracy }) => [samples, correct, accuracy])).toEqual([
    [2, 1, 0.5],
    [1, 1, 1],
    [1, 0, 0],
  ]);
  expect(lengthBuckets([])[0]?.accuracy).toBeNull();
  expect(() => lengthBuckets([], [5, 5])).toThrow("ascending");
  expect(() => lengthBuckets([sample("a", -1, true)])).toThrow("-1");
});

test("a shorter budget makes long responses wrong; problems weigh the same", () => {
  const samples = [sample("a", 10, true), sample("a", 30, true), sample("b", 20, false)];
  expect(budgetCurve(samples, [5, 10, 30])).toEqual([
    { budgetTokens: 5, accuracy: 0 },
    { budgetTokens: 10, accuracy: 0.25 },
    { budgetTokens: 30, accuracy: 0.5 },
  ]);
});

test("the curve never falls and ends at avg@k", () => {
  const samples = fc.array(
    fc.record({
      problemId: fc.constantFrom("a", "b", "c"),
      lengthTokens: fc.nat(100),
      correct: fc.boolean(),
    }),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(samples, (list) => {
      const values = budgetCurve(list, [0, 25, 50, 75, 100]).map((point) => point.accuracy);
      for (let i = 1; i < values.length; i++)
        expect(values[i]).toBeGreaterThanOrEqual(values[i - 1] as number);
      const ids = [...new Set(list.map((entry) => entry.problemId))];
      const average =
        ids.reduce((sum, id) => {
          const own = list.filter((entry) => entry.problemId === id);
          return sum + own.filter((entry) => entry.correct).length / own.length;
        }, 0) / ids.length;
      expect(values.at(-1)).toBeCloseTo(average, 12);
    }),
  );
});
