import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { incompleteBeta, logGamma, studentCdf, studentQuantile } from "./student-t.ts";

fc.configureGlobal({ seed: 20260318 });

describe("Student's t", () => {
  // Table values of the 97.5% and 99.5% points.
  test.each([
    [1, 12.7062, 63.6567],
    [2, 4.3027, 9.9248],
    [5, 2.5706, 4.0321],
    [10, 2.2281, 3.1693],
    [29, 2.0452, 2.7564],
    [100, 1.984, 2.6259],
    [1e6, 1.96, 2.5758],
  ])("%d degrees of freedom", (degrees, p975, p995) => {
    expect(studentQuantile(0.975, degrees)).toBeCloseTo(p975, 3);
    expect(studentQuantile(0.995, degrees)).toBeCloseTo(p995, 3);
  });

  test("quantile and distribution function are inverse, and symmetric", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.double({ min: 1, max: 500, noNaN: true }),
        (probability, degrees) => {
          const t = studentQuantile(probability, degrees);
          expect(studentCdf(t, degrees)).toBeCloseTo(probability, 10);
          expect(studentCdf(-t, degrees)).toBeCloseTo(1 - probability, 10);
        },
      ),
    );
  });

  test("closed forms: Cauchy for one degree, arctangent free for two", () => {
    for (const t of [-3, -0.5, 0, 0.7, 12]) {
      expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
    }
  });
});

test("special functions", () => {
  expect(logGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
  expect(incompleteBeta(0.3, 1, 1)).toBeCloseTo(0.3, 12);
  expect(incompleteBeta(0.3, 2, 3)).toBeCloseTo(0.3483, 10);
  expect(incompleteBeta(0.9, 5, 2) + incompleteBeta(0.1, 2, 5)).toBeCloseTo(1, 12);
  expect(() => logGamma(0)).toThrow(RangeError);
  expect(() => studentQuantile(1, 5)).toThrow(RangeError);
});
