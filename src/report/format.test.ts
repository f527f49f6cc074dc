import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatCount,
  formatDifference,
  formatDuration,
  formatEstimate,
  formatLargeCount,
  formatNumber,
  formatShare,
  listWords,
  plural,
} from "./format.ts";

describe("numbers", () => {
  it("prints an estimate in per cent with its interval", () => {
    expect(formatEstimate({ value: 0.314, low: 0.289, high: 0.339 })).toBe("31.4 (28.9\u201333.9)");
    expect(formatEstimate({ value: 0.5, low: 0.5, high: 0.5 })).toBe("50.0");
  });

  it("signs differences and keeps a minus away from the dash", () => {
    expect(formatDifference({ value: 0.041, low: 0.01, high: 0.072 })).toBe("+4.1 (1.0\u20137.2)");
    expect(formatDifference({ value: -0.003, low: -0.02, high: 0.014 })).toBe("\u22120.3 (\u22122.0 to 1.4)");
    expect(formatDifference({ value: 0.0001, low: -0.01, high: 0.01 })).toBe("0.0 (\u22121.0 to 1.0)");
  });

  it("never shows a number that is none as a number", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      for (const print of [formatShare, formatCount, formatLargeCount, formatDuration])
        expect(print(value)).toBe("n/a");
    }
  });

  it("has no negative zero", () => {
    expect(formatNumber(-0.04, 1)).toBe("0.0");
    fc.assert(
      fc.property(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), (value) => {
        const text = formatNumber(value, 2).replace("\u2212", "-");
        return Math.abs(Number(text) - value) <= 0.005000001 && !/^-0\.00$/.test(text);
      }),
    );
  });

  it("uses readable units", () => {
    expect(formatCount(1234567)).toBe("1,234,567");
    expect(formatLargeCount(1234567)).toBe("1.23 M");
    expect(formatLargeCount(45600)).toBe("45.6 k");
    expect(formatLargeCount(999_600)).toBe("1.00 M");
    expect(formatDuration(43.21)).toBe("43.2 s");
    expect(formatDuration(252)).toBe("4 min 12 s");
    expect(formatDuration(7500)).toBe("2 h 5 min");
    expect(formatDuration(7199)).toBe("2 h 0 min");
  });

  it("writes words", () => {
    expect(plural(1, "problem")).toBe("1 problem");
    expect(plural(2000, "problem")).toBe("2,000 problems");
    expect(listWords(["a", "b", "c"])).toBe("a, b and c");
    expect(listWords(["a"])).toBe("a");
  });
});
