import { describe, expect, it } from "vitest";
import { randomStream } from "../random.ts";
import { differenceMean, meanOfBenchmarks, problemMean } from "./problem-statistics.ts";

describe("meanOfBenchmarks", () => {
  it("is the mean of the benchmarks' means", () => {
    const estimate = meanOfBenchmarks([
      [0, 1],
      [0.5, 0.5],
      [1, 1],
    ]);
    expect(estimate.value).toBeCloseTo(2 / 3, 12);
    expect(0 < estimate.low && estimate.low < estimate.value).toBe(true);
    expect(estimate.value < estimate.high && estimate.high < 1).toBe(true);
    expect(meanOfBenchmarks([[1], [0.5]])).toEqual({ value: 0.75, low: 0.75, high: 0.75 });
    expect(
      meanOfBenchmarks([
        [2, 1],
        [1, 1],
      ]).value,
    ).toBe(1);
  });

  it("covers the true mean in about 95% of simulated evaluations", () => {
    const random = randomStream(5, "coverage");
    const runs = 800;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      // Benchmarks of different difficulty and size; a problem's accuracy varies, 4 samples each.
      const benchmarks = [0.2, 0.5, 0.7].map((mean, i) =>
        Array.from({ length: 30 + 20 * i }, () => {
          const accuracy = Math.min(1, Math.max(0, mean + 0.4 * (random.uniform() - 0.5)));
          let correct = 0;
          for (let sample = 0; sample < 4; sample++) if (random.uniform() < accuracy) correct++;
          return correct / 4;
        }),
      );
      const { low, high } = meanOfBenchmarks(benchmarks);
      if (low <= (0.2 + 0.5 + 0.7) / 3 && (0.2 + 0.5 + 0.7) / 3 <= high) covered++;
    }
    // The standard error of the coverage is 0.8 points here.
    expect(covered / runs).toBeGreaterThan(0.925);
    expect(covered / runs).toBeLessThan(0.975);
  });
});

describe("means over problems", () => {
  it("have no number without problems and no interval with one", () => {
    expect(problemMean([]).value).toBeNaN();
    expect(differenceMean([]).value).toBeNaN();
    expect(differenceMean([0.5])).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  it("take a count above the number of samples, which a damaged file may hold, for all", () => {
    expect(problemMean([1.5, 0.5]).value).toBeCloseTo(0.75, 12);
  });
});
