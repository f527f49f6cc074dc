import { describe, expect, test } from "vitest";
import { randomStream } from "../../src/random.ts";
import { clusteredInterval, differenceInterval } from "../../src/stats/index.ts";
import { simulateBenchmark } from "./worlds.ts";

const RUNS = 10_000;

describe("coverage over 10,000 simulated evaluations of 60 problems and 8 samples", () => {
  // The standard error of a coverage of 95% is 0.22 points here.
  test("avg@8: the 95% interval holds the true accuracy in 93 to 97% of them", () => {
    const stream = randomStream(1, "coverage", "avg");
    let covered = 0;
    for (let run = 0; run < RUNS; run++) {
      const { counts } = simulateBenchmark("spread", 60, 8, stream);
      const { low, high } = clusteredInterval(counts.map((count) => count / 8));
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered / RUNS).toBeGreaterThan(0.93);
    expect(covered / RUNS).toBeLessThan(0.97);
  });

  test("paired difference of a model that gains 0.1 of what is missing", () => {
    const stream = randomStream(1, "coverage", "paired");
    let covered = 0;
    for (let run = 0; run < RUNS; run++) {
      const { chances, counts } = simulateBenchmark("spread", 60, 8, stream);
      const differences = chances.map((chance, i) => {
        const better = chance + 0.1 * (1 - chance);
        let correct = 0;
        for (let sample = 0; sample < 8; sample++) if (stream.uniform() < better) correct++;
        return (correct - (counts[i] as number)) / 8;
      });
      const { low, high } = differenceInterval(differences);
      // E[0.1 (1 - p)] for p uniform.
      if (low <= 0.05 && 0.05 <= high) covered++;
    }
    expect(covered / RUNS).toBeGreaterThan(0.93);
    expect(covered / RUNS).toBeLessThan(0.97);
  });
});
