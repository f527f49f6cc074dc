import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RandomStream, randomStream } from "../random.ts";
import { clusteredInterval, differenceInterval } from "./interval.ts";
import { meanOfDifferences, meanOfShares } from "./mean-of-groups.ts";
import { studentQuantile } from "./student-t.ts";

const share = fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
const group = fc.array(share, { minLength: 2, maxLength: 30 });

describe("meanOfShares", () => {
  test("one benchmark gets exactly its own interval", () => {
    fc.assert(
      fc.property(group, (values) => {
        const alone = clusteredInterval(values);
        const mean = meanOfShares([values]);
        for (const key of ["value", "low", "high"] as const) expect(mean[key]).toBeCloseTo(alone[key], 12);
      }),
    );
  });

  test("the mean of the means, whatever the sizes; holds it, stays in [0, 1], mirrors", () => {
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), (groups) => {
        const { value, low, high } = meanOfShares(groups);
        const means = groups.map((values) => values.reduce<number>((a, b) => a + b, 0) / values.length);
        expect(value).toBeCloseTo(means.reduce((a, b) => a + b, 0) / means.length, 12);
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true);
        const mirrored = meanOfShares(groups.map((values) => values.map((one) => 1 - one)));
        expect(mirrored.low).toBeCloseTo(1 - high, 10);
      }),
    );
  });

  test("single problems have no interval", () => {
    expect(meanOfShares([[1], [0]])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });
});

describe("meanOfDifferences", () => {
  test("one benchmark gets exactly its own interval, and its mirror image mirrors", () => {
    fc.assert(
      fc.property(group, group, (first, second) => {
        const values = first.slice(0, second.length).map((one, i) => (one - (second[i] as number)) / 4);
        if (values.length < 2) return;
        const alone = differenceInterval(values);
        const mean = meanOfDifferences([values]);
        for (const key of ["value", "low", "high"] as const)
          expect(mean[key]).toBeCloseTo(Math.min(1, Math.max(-1, alone[key])), 12);
        expect(meanOfDifferences([values.map((one) => -one)]).low).toBeCloseTo(-mean.high, 12);
      }),
    );
  });

  test("a worked example: Satterthwaite's degrees of freedom", () => {
    // Deviations of 0.1: squares 0.04 + 2 x 0.1 x 0.01 = 0.042 over 3 x 4 = 0.0035; and 0.02 + 0.002 over 1 x 2 = 0.011.
    const groups = [
      [0.1, 0.3, 0.1, 0.3],
      [0.1, -0.1],
    ];
    const [a, b] = [0.0035 / 4, 0.011 / 4];
    const degrees = Math.floor((a + b) ** 2 / (a ** 2 / 3 + b ** 2 / 1));
    expect(degrees).toBe(1);
    const { value, low, high } = meanOfDifferences(groups);
    expect(value).toBeCloseTo(0.1, 12);
    const half = studentQuantile(0.975, degrees) * Math.sqrt(a + b);
    expect(low).toBeCloseTo(Math.max(-1, 0.1 - half), 12);
    expect(high).toBeCloseTo(Math.min(1, 0.1 + half), 12);
  });

  test("equal differences have no interval", () => {
    expect(meanOfDifferences([[0.25, 0.25], [0.25]])).toEqual({ value: 0.25, low: 0.25, high: 0.25 });
  });
});

describe("three benchmarks of 30 problems, one problem in twenty hard", () => {
  // 2000 runs: standard error 0.5 points. A plain t interval covers 91% (shares) and 92.6% (differences of one benchmark).
  const runs = 2000;
  const correctOf = (chance: number, samples: number, stream: RandomStream): number => {
    let correct = 0;
    for (let i = 0; i < samples; i++) if (stream.uniform() < chance) correct++;
    return correct / samples;
  };
  const chanceOf = (stream: RandomStream): number => (stream.uniform() < 0.05 ? 0.1 : 0.99);
  const problems = Array.from({ length: 30 });

  test("the mean accuracy is covered in 93.5 to 97.5% of them", () => {
    const stream = randomStream(20260318, "rare", "shares");
    const truth = 0.05 * 0.1 + 0.95 * 0.99;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = meanOfShares(
        [1, 2, 3].map(() => problems.map(() => correctOf(chanceOf(stream), 4, stream))),
      );
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.935);
    expect(covered / runs).toBeLessThan(0.975);
  });

  test("the mean difference of a second model as good is covered in 93.5 to 98% of them", () => {
    const stream = randomStream(20260318, "rare", "differences");
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const { low, high } = meanOfDifferences(
        [1, 2, 3].map(() =>
          problems.map(() => {
            const chance = chanceOf(stream);
            return correctOf(chance + 0.1 * (1 - chance), 8, stream) - correctOf(chance, 8, stream);
          }),
        ),
      );
      const truth = 0.1 * (0.05 * 0.9 + 0.95 * 0.01);
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.935);
    expect(covered / runs).toBeLessThan(0.98);
  });
});
