import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compareOn, hardestProblems } from "./hardest.ts";

const accuracies = (benchmark: string, values: number[]) =>
  values.map((accuracy, i) => ({ benchmark, id: `${i}`, accuracy }));
const base = [...accuracies("A", [0.9, 0.1, 0.5]), ...accuracies("B", [0.2, 0.1, 0.8])];

describe("hardestProblems", () => {
  test("pooled and per benchmark, ties in the given order", () => {
    const names = (scope: "pooled" | "per_benchmark") =>
      hardestProblems(base, { count: 2, scope }).map(({ benchmark, id }) => benchmark + id);
    expect(names("pooled")).toEqual(["A1", "B1"]);
    expect(names("per_benchmark")).toEqual(["A1", "A2", "B1", "B0"]);
    expect(hardestProblems(base, { count: 99 })).toHaveLength(6);
    expect(() => hardestProblems(base, { count: 0 })).toThrow(RangeError);
  });

  test("other arms on the same problems, apart by benchmark", () => {
    const picked = hardestProblems(base, { count: 2 });
    const result = compareOn(picked, [
      { arm: "base", problems: base },
      { arm: "distilled", problems: accuracies("B", [1, 0.7]) },
    ]);
    expect(result[0]?.values).toEqual([0.1, 0.1]);
    expect(result[1]).toEqual({ arm: "distilled", values: [null, 0.7], sum: 0.7 });
  });
});

const path = "../shared/golden/golden_numeric.json";
const present = existsSync(path);
if (!present) console.log(`golden vectors skipped: ${path} is absent`);

test.skipIf(!present)("the published figure: sums of the 20 hardest problems", () => {
  const { fig5_6 } = JSON.parse(readFileSync(path, "utf8")) as {
    fig5_6: { base: number[]; distill: number[]; merged: number[]; sums: number[] };
  };
  const arms = (["base", "distill", "merged"] as const).map((arm) => ({
    arm,
    problems: accuracies("pooled", fig5_6[arm]),
  }));
  const picked = hardestProblems(arms[0]?.problems ?? [], { count: 20 });
  expect(picked).toHaveLength(20);
  for (const [i, { sum }] of compareOn(picked, arms).entries())
    expect(sum).toBeCloseTo(fig5_6.sums[i] as number, 10);
});
