import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupAdvantages } from "./advantage.ts";

fc.configureGlobal({ seed: 20260318 });

const rewards = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 32 });
const binary = fc.array(fc.constantFrom(0, 1), { minLength: 2, maxLength: 32 });

describe("groupAdvantages", () => {
  test("published values", () => {
    expect([...groupAdvantages([1, 0, 0, 0, 0, 0, 0, 0])].map((a) => a.toFixed(6))).toEqual([
      "2.474867",
      ...new Array<string>(7).fill("-0.353552"),
    ]);
    expect(groupAdvantages([1, 1, 1, 1, 0, 0, 0, 0])[0]).toBeCloseTo(0.935413, 6);
  });

  test("sum to zero, and to unit variance where rewards differ", () => {
    fc.assert(
      fc.property(rewards, (values) => {
        const advantages = [...groupAdvantages(values, { epsilon: 0 })];
        const sum = advantages.reduce((total, a) => total + a, 0);
        const spread = Math.max(...values) - Math.min(...values);
        if (spread === 0) expect(advantages.every((a) => a === 0)).toBe(true);
        if (spread < 1e-6) return;
        expect(Math.abs(sum)).toBeLessThan(1e-8);
        const variance = advantages.reduce((total, a) => total + a * a, 0) / (values.length - 1);
        expect(variance).toBeCloseTo(1, 8);
      }),
    );
  });

  test("order-free: permuting rewards permutes advantages", () => {
    fc.assert(
      fc.property(rewards, (values) => {
        const forward = [...groupAdvantages(values, { normalizeByStd: false })];
        const backward = [...groupAdvantages([...values].reverse(), { normalizeByStd: false })].reverse();
        for (const i of values.keys()) expect(forward[i]).toBeCloseTo(backward[i] as number, 10);
      }),
    );
  });

  test("monotone: a higher reward never has a lower advantage", () => {
    fc.assert(
      fc.property(rewards, (values) => {
        const advantages = groupAdvantages(values);
        const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
        for (let k = 1; k < order.length; k++)
          expect(advantages[order[k] as number]).toBeGreaterThanOrEqual(
            advantages[order[k - 1] as number] ?? 0,
          );
      }),
    );
  });

  test("equal rewards that do not average to themselves give exact zeros", () => {
    expect([...groupAdvantages(new Array<number>(6).fill(0.1))]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("a group of one uses mean 0 and standard deviation 1", () => {
    expect(groupAdvantages([1])[0]).toBeCloseTo(1 / (1 + 1e-6), 15);
    expect(groupAdvantages([0.5], { normalizeByStd: false })[0]).toBe(0.5);
  });

  test("refuses what has no meaning", () => {
    expect(() => groupAdvantages([])).toThrow(RangeError);
    expect(() => groupAdvantages([1, Number.NaN])).toThrow("rewards[1]");
    expect(() => groupAdvantages([1, 0], { outcomes: [1] })).toThrow(RangeError);
    expect(() => groupAdvantages([0.2, 0], { allWrongGroups: "zero" })).toThrow(TypeError);
  });
});

describe("guards for shaped rewards", () => {
  const allWrong = { outcomes: [0, 0, 0, 0, 0, 0, 0, 0] };
  const small = [0.05, 0, 0, 0, 0, 0, 0, 0];

  test("plain GRPO reinforces the best of all wrong rollouts like a lone correct one", () => {
    expect(groupAdvantages(small, allWrong)[0]).toBeCloseTo(2.4747, 4);
  });

  test("scaled, mean_only and zero", () => {
    const scaled = groupAdvantages(small, { ...allWrong, allWrongGroups: "scaled" });
    expect(scaled[0]).toBeCloseTo(0.05 * 2.474734, 6);
    const meanOnly = groupAdvantages(small, { ...allWrong, allWrongGroups: "mean_only" });
    expect(meanOnly[0]).toBeCloseTo(0.05 * 0.875, 12);
    expect([...groupAdvantages(small, { ...allWrong, allWrongGroups: "zero" })]).toEqual([
      0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test("no rule touches a group with a correct rollout", () => {
    fc.assert(
      fc.property(
        binary,
        fc.constantFrom("mean_only", "scaled", "zero" as const),
        (outcomes, allWrongGroups) => {
          fc.pre(outcomes.includes(1));
          expect(groupAdvantages(outcomes, { outcomes, allWrongGroups })).toEqual(groupAdvantages(outcomes));
        },
      ),
    );
  });

  test("the floor bounds what a tiny spread can become", () => {
    const floored = groupAdvantages([0.02, 0.01, 0.01, 0.01], { stdFloor: 0.1 });
    expect(Math.max(...floored)).toBeLessThan(0.0075 / 0.1 + 1e-9);
    expect(groupAdvantages([1, 0, 0, 0], { stdFloor: 0.1 })).toEqual(groupAdvantages([1, 0, 0, 0]));
  });

  test("clamped: no wrong rollout above 0 where another is correct", () => {
    const outcomes = [1, 0, 0, 0, 0, 0, 0, 0];
    const totals = [1, 0.5, 0, 0, 0, 0, 0, 0];
    expect(groupAdvantages(totals, { outcomes })[1]).toBeCloseTo(0.840025, 6);
    const clamped = groupAdvantages(totals, { outcomes, clampWrongAdvantage: true });
    expect(clamped[1]).toBe(0);
    expect([...clamped.slice(2)]).toEqual([...groupAdvantages(totals).slice(2)]);
    expect(clamped[2]).toBeLessThan(-0.5);
    expect(clamped[0]).toBeCloseTo(2.184064, 6);
    expect(groupAdvantages(small, { ...allWrong, clampWrongAdvantage: true })[0]).toBeGreaterThan(2);
  });
});
