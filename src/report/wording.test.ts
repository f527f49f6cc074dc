import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareWithZero, describeDifference, intervalsApart } from "./wording.ts";

describe("describeDifference", () => {
  it("claims a direction only when the interval excludes zero", () => {
    expect(describeDifference({ value: 0.041, low: 0.01, high: 0.072 })).toBe(
      "higher by 4.1 points (95% interval 1.0\u20137.2)",
    );
    expect(describeDifference({ value: -0.05, low: -0.08, high: -0.02 })).toBe(
      "lower by 5.0 points (95% interval \u22128.0 to \u22122.0)",
    );
    expect(describeDifference({ value: -0.003, low: -0.02, high: 0.014 })).toBe(
      "not distinguishable (difference \u22120.3 points, 95% interval \u22122.0 to 1.4)",
    );
  });

  it("claims nothing on the edge or without an interval", () => {
    expect(compareWithZero({ value: 0.02, low: 0, high: 0.04 })).toBe("not distinguishable");
    expect(describeDifference({ value: 0.3, low: 0.3, high: 0.3 })).toContain("nothing is claimed");
    expect(describeDifference({ value: Number.NaN, low: 0, high: 1 })).toBe("not measured");
  });

  it("is antisymmetric", () => {
    const edge = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(edge, edge, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const value = (low + high) / 2;
        const forward = compareWithZero({ value, low, high });
        const backward = compareWithZero({ value: -value, low: -high, high: -low });
        const mirrored = { higher: "lower", lower: "higher" } as Record<string, string>;
        return (mirrored[forward] ?? forward) === backward;
      }),
    );
  });
});

describe("intervalsApart", () => {
  it("needs a gap and two intervals", () => {
    expect(intervalsApart({ value: 0.2, low: 0.1, high: 0.3 }, { value: 0.5, low: 0.4, high: 0.6 })).toBe(
      true,
    );
    expect(intervalsApart({ value: 0.2, low: 0.1, high: 0.4 }, { value: 0.5, low: 0.4, high: 0.6 })).toBe(
      false,
    );
    expect(intervalsApart({ value: 0.2, low: 0.2, high: 0.2 }, { value: 0.5, low: 0.4, high: 0.6 })).toBe(
      false,
    );
  });
});
