import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import {
  averageAtK,
  bestAtK,
  majorityAtK,
  passAtK,
  problemAccuracies,
  problemMajority,
  problemPassAtK,
  solveCounts,
} from "./accuracy.ts";

fc.configureGlobal({ seed: 20260318 });

const count = fc
  .integer({ min: 1, max: 16 })
  .chain((samples) =>
    fc.record({ correct: fc.integer({ min: 0, max: samples }), samples: fc.constant(samples) }),
  );
const counts = fc.array(count, { minLength: 1, maxLength: 20 });

describe("pass@k", () => {
  test("equals the count over all subsets of k samples", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.nat(8), (samples, c, j) => {
        const correct = c % (samples + 1);
        const k = (j % samples) + 1;
        let subsets = 0;
        let passing = 0;
        for (let mask = 0; mask < 1 << samples; mask++) {
          if (mask.toString(2).split("1").length - 1 !== k) continue;
          subsets++;
          // The correct samples are the lowest bits.
          if ((mask & ((1 << correct) - 1)) !== 0) passing++;
        }
        expect(problemPassAtK({ correct, samples }, k)).toBeCloseTo(passing / subsets, 12);
      }),
    );
  });

  test("pass@1 is avg@k, pass@n is best@n, and it never falls with k", () => {
    fc.assert(
      fc.property(counts, (problems) => {
        expect(passAtK(problems, 1)).toBeCloseTo(averageAtK(problems), 12);
        const equal = problems.map(({ correct }) => ({ correct: Math.min(correct, 4), samples: 4 }));
        expect(passAtK(equal, 4)).toBeCloseTo(bestAtK(equal), 12);
        for (let k = 2; k <= 4; k++)
          expect(passAtK(equal, k)).toBeGreaterThanOrEqual(passAtK(equal, k - 1) - 1e-12);
      }),
    );
  });

  test("large counts stay finite", () => {
    expect(problemPassAtK({ correct: 1, samples: 100_000 }, 1000)).toBeCloseTo(0.01, 10);
    expect(() => problemPassAtK({ correct: 1, samples: 4 }, 5)).toThrow("1..4");
  });
});

test("problems weigh the same whatever their number of samples", () => {
  const problems = [
    { correct: 1, samples: 1 },
    { correct: 0, samples: 99 },
  ];
  expect(averageAtK(problems)).toBe(0.5);
  expect(problemAccuracies(problems)).toEqual([1, 0]);
  expect(solveCounts([...problems, { correct: 1, samples: 2 }])).toEqual({ none: 1, all: 1, some: 1 });
  expect(() => averageAtK([])).toThrow("none");
  expect(() => averageAtK([{ correct: 3, samples: 2 }])).toThrow("counts[0]");
});

describe("majority", () => {
  const votes = (text: string) =>
    [...text].map((answer) => ({ answer: answer === "-" ? null : answer, correct: answer === "a" }));

  test("most frequent answer; ties share; no answer never votes", () => {
    expect(problemMajority(votes("aab"))).toBe(1);
    expect(problemMajority(votes("abb"))).toBe(0);
    expect(problemMajority(votes("aabbc"))).toBe(0.5);
    expect(problemMajority(votes("abc"))).toBeCloseTo(1 / 3, 12);
    expect(problemMajority(votes("a----"))).toBe(1);
    expect(problemMajority(votes("---"))).toBe(0);
  });

  test("order-free", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "b", "c", "-") }), (text) => {
        const reversed = [...text].reverse().join("");
        expect(problemMajority(votes(reversed))).toBe(problemMajority(votes(text)));
      }),
    );
  });

  test("maj@k over subsets approaches its expectation", () => {
    // Of the 10 subsets of 3 out of aaabb, 7 have two a or more.
    const value = majorityAtK([votes("aaabb")], 3, { stream: randomStream(1, "maj"), resamples: 4000 });
    expect(value).toBeCloseTo(0.7, 1.5);
    expect(Math.abs(value - 0.7)).toBeLessThan(0.03);
    expect(majorityAtK([votes("aab"), votes("bbb")], 3)).toBe(0.5);
    expect(() => majorityAtK([votes("aab")], 2)).toThrow(TypeError);
    expect(() => majorityAtK([votes("aab")], 4)).toThrow("1..3");
  });
});
