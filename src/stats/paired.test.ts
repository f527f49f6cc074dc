import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { clusteredInterval } from "./interval.ts";
import { pairedDifference, pairedDifferences, signFlipTest } from "./paired.ts";

fc.configureGlobal({ seed: 20260318 });

const arm = (values: number[]) => values.map((value, i) => ({ id: `p${i}`, value }));

describe("pairedDifference", () => {
  test("only problems both arms have, matched by id", () => {
    const first = [
      { id: "a", value: 1 },
      { id: "b", value: 0.5 },
      { id: "only first", value: 9 },
    ];
    const second = [
      { id: "b", value: 0.75 },
      { id: "a", value: 0.25 },
      { id: "only second", value: 9 },
    ];
    expect(pairedDifferences(first, second)).toEqual([0.75, -0.25]);
    expect(pairedDifference(first, second)).toMatchObject({
      value: 0.25,
      problems: 2,
      wins: 1,
      losses: 1,
      ties: 0,
    });
    expect(() => pairedDifference(first, [])).toThrow("both arms");
    expect(() => pairedDifference([...first, ...first], second)).toThrow("occurs twice");
  });

  test("antisymmetric", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
          { minLength: 2 },
        ),
        (pairs) => {
          const [first, second] = [arm(pairs.map(([a]) => a)), arm(pairs.map(([, b]) => b))];
          const forward = pairedDifference(first, second);
          const backward = pairedDifference(second, first);
          expect(backward.value).toBeCloseTo(-forward.value, 12);
          expect(backward.low).toBeCloseTo(-forward.high, 12);
          expect(backward.wins).toBe(forward.losses);
        },
      ),
    );
  });

  test("sees a small gain that two separate intervals would hide", () => {
    const stream = randomStream(2, "paired");
    const before = Array.from({ length: 60 }, () => stream.uniform() * 0.9);
    const after = before.map((value) => value + 0.05 + 0.02 * stream.normal());
    const difference = pairedDifference(arm(after), arm(before));
    expect(difference.low).toBeGreaterThan(0.03);
    expect(difference.high).toBeLessThan(0.07);
    const clamp = (values: number[]) =>
      clusteredInterval(values.map((value) => Math.min(1, Math.max(0, value))));
    expect(clamp(after).low).toBeLessThan(clamp(before).high);
  });
});

describe("sign flip test", () => {
  test("small for a consistent gain, large for none, exact for few problems", () => {
    const stream = randomStream(4, "flips");
    expect(signFlipTest(new Array<number>(20).fill(0.1), stream)).toBeLessThan(0.001);
    expect(signFlipTest([0.1, -0.1, 0.2, -0.2], stream)).toBeGreaterThan(0.9);
    // Three equal differences: 2 of 8 sign patterns are as extreme.
    expect(Math.abs(signFlipTest([1, 1, 1], stream) - 0.25)).toBeLessThan(0.02);
    expect(signFlipTest([0, 0], stream)).toBe(1);
  });

  test("uniform under no difference", () => {
    const stream = randomStream(6, "null");
    const values = Array.from({ length: 400 }, () =>
      signFlipTest(
        Array.from({ length: 12 }, () => stream.normal()),
        stream,
        199,
      ),
    );
    const below = values.filter((value) => value <= 0.05).length / values.length;
    expect(below).toBeLessThan(0.085);
    expect(below).toBeGreaterThan(0.02);
  });
});
