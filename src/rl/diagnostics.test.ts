import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { entropyAlarm, logprobMismatch } from "./diagnostics.ts";

describe("entropy", () => {
  const curve = (from: number, to: number, steps = 200) =>
    Array.from({ length: steps }, (_, step) => ({
      step,
      entropy: from + ((to - from) * step) / (steps - 1),
    }));

  test("the published curves: one collapses, the other holds", () => {
    expect(entropyAlarm(curve(0.36, 0.2))).toMatchObject({ state: "collapsing" });
    expect(entropyAlarm(curve(0.365, 0.305)).state).toBe("steady");
    expect(entropyAlarm(curve(0.3, 1.2)).state).toBe("exploding");
    expect(entropyAlarm(curve(0.36, 0.1, 19)).state).toBe("too_few_steps");
    expect(entropyAlarm([])).toEqual({ state: "too_few_steps", start: 0, end: 0, ratio: 1 });
  });
});

describe("sampler and trainer", () => {
  test("equal log-probabilities", () => {
    const values = [-0.1, -2, -0.5];
    const mismatch = logprobMismatch(values, values);
    expect(mismatch).toMatchObject({
      tokens: 3,
      meanAbsolute: 0,
      maxAbsolute: 0,
      k1: 0,
      k3: 0,
      effectiveShare: 1,
    });
    expect(mismatch.correlation).toBeCloseTo(1, 12);
    expect(logprobMismatch([-1], [-1]).correlation).toBe(1);
  });

  test("worked example", () => {
    const mismatch = logprobMismatch([Math.log(0.5), Math.log(0.25)], [Math.log(0.25), Math.log(0.5)]);
    expect(mismatch.meanAbsolute).toBeCloseTo(Math.log(2), 12);
    expect(mismatch.k1).toBeCloseTo(0, 12);
    // Weights 1/2 and 2: mean of w - 1 - ln w, and 2.5^2 / (2 * 4.25).
    expect(mismatch.k3).toBeCloseTo((0.5 + 2 - 2) / 2, 12);
    expect(mismatch.effectiveShare).toBeCloseTo(6.25 / 8.5, 12);
    expect(mismatch.correlation).toBeCloseTo(-1, 12);
  });

  test("both estimates approach the divergence of two distributions", () => {
    const [p, q] = [
      [0.7, 0.2, 0.1],
      [0.6, 0.25, 0.15],
    ];
    const divergence = p.reduce((sum, value, i) => sum + value * Math.log(value / (q[i] as number)), 0);
    const stream = randomStream(1, "tokens");
    const tokens = Array.from({ length: 200_000 }, () => {
      const u = stream.uniform();
      return u < 0.7 ? 0 : u < 0.9 ? 1 : 2;
    });
    const mismatch = logprobMismatch(
      tokens.map((token) => Math.log(p[token] as number)),
      tokens.map((token) => Math.log(q[token] as number)),
    );
    expect(Math.abs(mismatch.k1 - divergence)).toBeLessThan(0.002);
    expect(Math.abs(mismatch.k3 - divergence)).toBeLessThan(0.0005);
  });

  test("refuses what cannot be compared", () => {
    expect(() => logprobMismatch([], [])).toThrow(RangeError);
    expect(() => logprobMismatch([-1], [-1, -2])).toThrow("1 and 2");
    expect(() => logprobMismatch([-1, Number.NEGATIVE_INFINITY], [-1, -2])).toThrow("token 1");
  });
});
