import fc from "fast-check";
import { expect, test } from "vitest";
import { binOf, equalEdges, histogram } from "./histogram.ts";

fc.configureGlobal({ seed: 20260318 });

test("bins are half open, the last one closed", () => {
  expect(histogram([0, 0.5, 0.99, 1, 1.5, 2, -0.1, 2.1], [0, 1, 2])).toEqual({
    edges: [0, 1, 2],
    counts: [3, 3],
    below: 1,
    above: 1,
  });
});

test("every value is counted once, in the bin a scan finds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -2, max: 2, noNaN: true })),
      fc.uniqueArray(fc.integer({ min: -10, max: 10 }), { minLength: 2, maxLength: 9 }),
      (values, integers) => {
        const edges = integers.sort((a, b) => a - b).map((value) => value / 6);
        const { counts, below, above } = histogram(values, edges);
        expect(counts.reduce((sum, bin) => sum + bin, 0) + below + above).toBe(values.length);
        for (const value of values) {
          const bin = binOf(value, edges);
          if (bin < 0) expect(value).toBeLessThan(edges[0] as number);
          else if (bin >= edges.length - 1) expect(value).toBeGreaterThan(edges[edges.length - 1] as number);
          else {
            expect(value).toBeGreaterThanOrEqual(edges[bin] as number);
            expect(value).toBeLessThanOrEqual(edges[bin + 1] as number);
          }
        }
      },
    ),
  );
});

test("edges", () => {
  expect(equalEdges(0, 0.3, 3).at(-1)).toBe(0.3);
  expect(equalEdges(0, 1, 4)).toEqual([0, 0.25, 0.5, 0.75, 1]);
  expect(() => equalEdges(1, 1, 3)).toThrow(RangeError);
  expect(() => equalEdges(0, 1, 1e9)).toThrow("100000");
  expect(() => histogram([], [1])).toThrow("two or more");
  expect(() => histogram([], [1, 1])).toThrow("ascending");
  expect(() => histogram([Number.NaN], [0, 1])).toThrow("NaN");
});
