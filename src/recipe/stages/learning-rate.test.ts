import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { learningRateAt } from "./learning-rate.ts";

describe("learningRateAt", () => {
  test("warms up linearly to the peak and ends at the final share", () => {
    const schedule = { kind: "cosine", warmupRatio: 0.1, finalRatio: 0.05 } as const;
    expect(learningRateAt(schedule, 2, 1, 100)).toBeCloseTo(0.2, 12);
    expect(learningRateAt(schedule, 2, 10, 100)).toBeCloseTo(2, 12);
    expect(learningRateAt(schedule, 2, 11, 100)).toBeCloseTo(2, 12);
    expect(learningRateAt(schedule, 2, 100, 100)).toBeCloseTo(0.1, 12);
  });

  test("is half way down a cosine in the middle", () => {
    const schedule = { kind: "cosine", warmupRatio: 0, finalRatio: 0 } as const;
    expect(learningRateAt(schedule, 1, 51, 101)).toBeCloseTo(0.5, 12);
  });

  test("never leaves (0 or final share, peak] and never rises after the warm-up", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("constant" as const, "cosine" as const, "linear" as const),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (kind, warmupRatio, finalRatio, steps) => {
          const schedule = { kind, warmupRatio, finalRatio };
          const rates = Array.from({ length: steps }, (_, i) => learningRateAt(schedule, 3, i + 1, steps));
          const warmup = Math.round(warmupRatio * steps);
          for (const [i, rate] of rates.entries()) {
            expect(rate).toBeGreaterThanOrEqual(0);
            expect(rate).toBeLessThanOrEqual(3 + 1e-12);
            if (i > warmup) expect(rate).toBeLessThanOrEqual((rates[i - 1] as number) + 1e-12);
          }
        },
      ),
    );
  });

  test("refuses a step outside the stage", () => {
    const schedule = { kind: "constant", warmupRatio: 0, finalRatio: 1 } as const;
    expect(() => learningRateAt(schedule, 1, 0, 10)).toThrow(RangeError);
    expect(() => learningRateAt(schedule, 1, 11, 10)).toThrow(RangeError);
  });
});
