import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RandomStream } from "../random.ts";
import { randomStream } from "../random.ts";
import { bootstrapInterval, quantileOf } from "./bootstrap.ts";
import { clusteredInterval, differenceInterval, meanInterval } from "./interval.ts";

fc.configureGlobal({ seed: 20260318 });

/** Gamma draw with an integer shape, hence Beta with integer parameters: sums of exponentials. */
const gamma = (shape: number, stream: RandomStream): number => {
  let sum = 0;
  for (let i = 0; i < shape; i++) sum -= Math.log(1 - stream.uniform());
  return sum;
};

/** Difficulties as benchmarks have them, with their mean. */
const WORLDS = {
  spread: { mean: 0.5, draw: (stream: RandomStream) => stream.uniform() },
  // Half the problems nearly never, half nearly always solved: clustering at its strongest.
  extreme: { mean: 0.5, draw: (stream: RandomStream) => (stream.uniform() < 0.5 ? 0.03 : 0.97) },
  sparse: {
    mean: 1 / 10,
    draw: (stream: RandomStream) => {
      const [a, b] = [gamma(1, stream), gamma(9, stream)];
      return a / (a + b);
    },
  },
  // One problem in twenty hard: a fifth of the benchmarks of 30 hold none, and seem to have no spread.
  rare: {
    mean: 0.05 * 0.1 + 0.95 * 0.99,
    draw: (stream: RandomStream) => (stream.uniform() < 0.05 ? 0.1 : 0.99),
  },
  saturated: {
    mean: 9 / 10,
    draw: (stream: RandomStream) => {
      const [a, b] = [gamma(9, stream), gamma(1, stream)];
      return a / (a + b);
    },
  },
};

/** Share of simulated benchmarks whose interval holds the true mean. */
function coverage(
  world: keyof typeof WORLDS,
  problems: number,
  samples: number,
  interval: (values: number[]) => { low: number; high: number },
  runs = 1500,
): number {
  const stream = randomStream(11, "coverage", world, problems, samples);
  const { mean, draw } = WORLDS[world];
  let covered = 0;
  for (let run = 0; run < runs; run++) {
    const values = Array.from({ length: problems }, () => {
      const chance = draw(stream);
      let correct = 0;
      for (let i = 0; i < samples; i++) if (stream.uniform() < chance) correct++;
      return correct / samples;
    });
    const { low, high } = interval(values);
    if (low <= mean && mean <= high) covered++;
  }
  return covered / runs;
}

describe("coverage of the 95% interval by simulation", () => {
  // 1500 runs: standard error 0.006 at 0.95.
  test.each([
    ["spread", 10, 4],
    ["spread", 30, 8],
    ["spread", 200, 4],
    ["extreme", 30, 8],
    ["extreme", 200, 4],
    ["sparse", 30, 4],
    ["sparse", 200, 4],
    ["saturated", 30, 8],
    ["rare", 30, 32],
  ] as const)("%s difficulties, %d problems, %d samples", (world, problems, samples) => {
    const share = coverage(world, problems, samples, clusteredInterval);
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.985);
  });

  test("pooling the samples of strongly clustered problems would cover far too little", () => {
    const pooled = (values: number[]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const half = 1.96 * Math.sqrt((mean * (1 - mean)) / (values.length * 8));
      return { low: mean - half, high: mean + half };
    };
    expect(coverage("extreme", 30, 8, pooled)).toBeLessThan(0.65);
  });

  test("one sample of ten problems near 0: the plain t interval misses, this one does not", () => {
    expect(coverage("sparse", 10, 1, meanInterval)).toBeLessThan(0.75);
    expect(coverage("sparse", 10, 1, clusteredInterval)).toBeGreaterThan(0.93);
  });
});

describe("clusteredInterval", () => {
  const values = fc.array(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), { minLength: 2, maxLength: 40 });

  test("holds the value, stays in [0, 1], mirrors", () => {
    fc.assert(
      fc.property(values, (problem) => {
        const { value, low, high } = clusteredInterval(problem);
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true);
        expect(high - low).toBeGreaterThan(0);
        const mirrored = clusteredInterval(problem.map((share) => 1 - share));
        expect(mirrored.low).toBeCloseTo(1 - high, 10);
        expect(mirrored.high).toBeCloseTo(1 - low, 10);
      }),
    );
  });

  test("all problems alike still have width; one problem has none", () => {
    const never = clusteredInterval(new Array<number>(30).fill(0));
    expect(never).toMatchObject({ value: 0, low: 0 });
    expect(never.high).toBeGreaterThan(0.08);
    expect(never.high).toBeLessThan(0.15);
    expect(clusteredInterval([0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  test("narrower with more problems, wider with more confidence", () => {
    const width = (count: number, confidence = 0.95) => {
      const { low, high } = clusteredInterval(
        Array.from({ length: count }, (_, i) => (i % 4) / 4),
        { confidence },
      );
      return high - low;
    };
    expect(width(400) / width(100)).toBeCloseTo(0.5, 1);
    expect(width(40, 0.99)).toBeGreaterThan(width(40));
    expect(() => clusteredInterval([0.5, 1.5])).toThrow("values[1]");
    expect(() => clusteredInterval([])).toThrow("none");
    expect(() => clusteredInterval([0, 1], { confidence: 1 })).toThrow("confidence");
  });
});

describe("meanInterval", () => {
  test("a worked example", () => {
    // Mean 5, standard deviation 2, standard error 1; the 97.5% point for 3 degrees of freedom is 3.1824.
    const values = [5 - Math.sqrt(6), 5, 5, 5 + Math.sqrt(6)];
    const { value, low, high } = meanInterval(values);
    expect(value).toBeCloseTo(5, 12);
    expect(high - 5).toBeCloseTo(3.1824, 3);
    expect(5 - low).toBeCloseTo(3.1824, 3);
  });
});

describe("differenceInterval", () => {
  test("a worked example: a tenth of a problem on either side at the largest deviation", () => {
    // Mean 0.25, deviations 0.5, 0, 0, -0.5: squares 0.5 + 2 x 0.1 x 0.25 = 0.55 over 3 x 4.
    const { value, low, high } = differenceInterval([0.75, 0.25, 0.25, -0.25]);
    const half = 3.182446 * Math.sqrt(0.55 / 12);
    expect(value).toBe(0.25);
    expect(high - 0.25).toBeCloseTo(half, 5);
    expect(0.25 - low).toBeCloseTo(half, 5);
    expect(differenceInterval([0.5, 0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
    expect(differenceInterval([0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  test("benchmarks that may hold none of the hard problems: covers where the plain t interval falls below 93%", () => {
    // 4000 runs: standard error 0.4 points.
    const covered = (interval: (values: number[]) => { low: number; high: number }): number => {
      const stream = randomStream(12, "rare differences");
      const share = (chance: number): number => {
        let correct = 0;
        for (let i = 0; i < 32; i++) if (stream.uniform() < chance) correct++;
        return correct / 32;
      };
      let hits = 0;
      for (let run = 0; run < 4000; run++) {
        const { low, high } = interval(
          Array.from({ length: 30 }, () => {
            const chance = WORLDS.rare.draw(stream);
            return share(chance + 0.1 * (1 - chance)) - share(chance);
          }),
        );
        if (low <= 0.1 * (1 - WORLDS.rare.mean) && 0.1 * (1 - WORLDS.rare.mean) <= high) hits++;
      }
      return hits / 4000;
    };
    const [plain, wider] = [covered(meanInterval), covered(differenceInterval)];
    expect(plain).toBeLessThan(0.93);
    expect(wider).toBeGreaterThan(0.93);
    expect(wider).toBeLessThan(0.96);
  });
});

describe("bootstrap", () => {
  const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0) / part.length;

  test("agrees with the t interval on many problems, and is repeatable", () => {
    const draws = randomStream(3, "values");
    const values = Array.from({ length: 300 }, () => draws.uniform());
    const run = () =>
      bootstrapInterval(values, mean, { stream: randomStream(5, "bootstrap"), resamples: 2000 });
    const boot = run();
    const exact = meanInterval(values);
    expect(run()).toEqual(boot);
    expect(boot?.value).toBeCloseTo(exact.value, 12);
    expect(boot?.low).toBeCloseTo(exact.low, 2);
    expect(boot?.high).toBeCloseTo(exact.high, 2);
  });

  test("statistics that are not defined", () => {
    const options = { stream: randomStream(1, "b"), resamples: 50 };
    expect(bootstrapInterval([], mean, options)).toBeNull();
    expect(bootstrapInterval([1, 2], () => null, options)).toBeNull();
    expect(bootstrapInterval([3], mean, options)).toEqual({ value: 3, low: 3, high: 3 });
    const some = bootstrapInterval([0, 1], (part) => (part.includes(1) ? mean(part) : null), options);
    expect(some?.low).toBeGreaterThanOrEqual(0.5);
  });

  test("quantiles", () => {
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileOf([1, 2, 3], 0)).toBe(1);
    expect(quantileOf([1, 2, 3], 1)).toBe(3);
    expect(() => quantileOf([], 0.5)).toThrow(RangeError);
  });
});
