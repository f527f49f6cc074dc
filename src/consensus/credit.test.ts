import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupAdvantages } from "../rl/advantage.ts";
import { groupCredit } from "./credit.ts";

fc.configureGlobal({ seed: 20260318 });

/** Four trajectories, two right: `shared` common steps, then one step of their own each. */
const group = (shared: number) => {
  const advantages = groupAdvantages([1, 1, 0, 0]);
  return Array.from({ length: 4 }, (_, i) => ({
    keys: [...Array.from({ length: shared }, (_, k) => `shared ${k}`), `own ${i}`],
    advantage: advantages[i] as number,
  }));
};

describe("groupCredit", () => {
  test("shared steps cancel, the parting step keeps its whole advantage", () => {
    const credit = groupCredit(group(3));
    expect(credit.steps[0]?.net).toBeCloseTo(0, 12);
    expect(credit.steps[0]?.trajectories).toBe(4);
    expect(credit.steps.at(-1)).toMatchObject({ key: "own 3", trajectories: 1 });
    expect(credit.steps.at(-1)?.net).toBeCloseTo(-credit.steps.at(-1)!.gross, 12);
    expect(credit.cancelled).toBeCloseTo(3 / 4, 12);
  });

  test("disjoint trajectories cancel nothing: everything is pushed wholesale", () => {
    expect(groupCredit(group(0)).cancelled).toBe(0);
    expect(groupCredit([]).cancelled).toBeNull();
    expect(groupCredit([{ keys: ["a"], advantage: 0 }]).cancelled).toBeNull();
  });

  test("more shared steps never cancel less; the share stays in [0, 1]", () => {
    for (let shared = 1; shared < 8; shared++)
      expect(groupCredit(group(shared)).cancelled as number).toBeGreaterThan(
        groupCredit(group(shared - 1)).cancelled as number,
      );
    const trajectory = fc.record({
      keys: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 }),
      advantage: fc.double({ min: -3, max: 3, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(trajectory, { maxLength: 8 }), (trajectories) => {
        const { cancelled, net, gross } = groupCredit(trajectories);
        expect(net).toBeLessThanOrEqual(gross + 1e-12);
        if (cancelled !== null) expect(cancelled >= 0 && cancelled <= 1).toBe(true);
      }),
    );
    expect(() => groupCredit([{ keys: ["a"], advantage: Number.NaN }])).toThrow(RangeError);
  });
});
