import { describe, expect, it } from "vitest";
import { ConfigError } from "../../errors.ts";
import { BENCHMARKS, benchmarkNamed, createBenchmark } from "./benchmarks.ts";

describe("practice benchmarks", () => {
  it("hold 400 different problems each, with steps in range", () => {
    for (const { name, steps, family } of BENCHMARKS) {
      const problems = createBenchmark({ name, split: "held_out", seed: 1, count: 400 });
      expect(new Set(problems.map(({ id }) => id)).size).toBe(400);
      expect(new Set(problems.map(({ meta }) => meta["steps"]))).toEqual(new Set(steps));
      expect(problems.every(({ source, meta }) => source === name && meta["family"] === family)).toBe(true);
    }
  });

  it("names the benchmarks there are when asked for another", () => {
    expect(() => benchmarkNamed("aime")).toThrow(ConfigError);
    expect(() => benchmarkNamed("aime")).toThrow(/chain, two-route, inverse/);
  });
});
