import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { groupAdvantages } from "./advantage.ts";
import { applySubstitution, isGoodGroup, passesSubstitutionGate, planSubstitution } from "./substitution.ts";

fc.configureGlobal({ seed: 20260318 });

interface Group {
  problemId: string;
  truth: string;
  rollouts: string[];
  rewards: { outcome: number; total: number }[];
}

/** Eight answers of which `correct` match the truth. */
function group(problemId: string, truth: string, correct: number): Group {
  const rollouts = Array.from({ length: 8 }, (_, i) => (i < correct ? truth : `not ${truth} (${i})`));
  const rewards = rollouts.map((rollout) => {
    const outcome = rollout === truth ? 1 : 0;
    return { outcome, total: outcome };
  });
  return { problemId, truth, rollouts, rewards };
}

describe("good groups", () => {
  test("by outcome and by spread of total rewards", () => {
    const shaped = [0, 0, 0.25].map((total) => ({ outcome: 0, total }));
    expect(isGoodGroup(shaped)).toBe(false);
    expect(isGoodGroup(shaped, "total_std")).toBe(true);
    expect(isGoodGroup([], "total_std")).toBe(false);
    expect(isGoodGroup([{ outcome: 1, total: 1 }])).toBe(false);
    expect(isGoodGroup(group("a", "1", 3).rewards)).toBe(true);
    expect(isGoodGroup(group("a", "1", 8).rewards)).toBe(false);
  });
});

describe("gate", () => {
  test("the released thresholds and SkyRL's", () => {
    expect(passesSubstitutionGate(42, 128)).toBe(false);
    expect(passesSubstitutionGate(43, 128)).toBe(true);
    expect(passesSubstitutionGate(38, 128, 0.3)).toBe(false);
    expect(passesSubstitutionGate(39, 128, 0.3)).toBe(true);
  });

  test("equals the integer rule for every batch size", () => {
    for (let batch = 1; batch <= 600; batch++)
      for (const good of [Math.floor(batch / 3), Math.floor(batch / 3) + 1])
        if (good <= batch) expect(passesSubstitutionGate(good, batch)).toBe(good > Math.floor(batch / 3));
  });
});

describe("plan", () => {
  const batches = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });

  test("replaces every bad group by a good one, without replacement while there are enough", () => {
    fc.assert(
      fc.property(batches, fc.integer(), (good, seed) => {
        const plan = planSubstitution(good, randomStream(seed, "substitution"));
        const count = good.filter(Boolean).length;
        expect(plan.proceed).toBe(count > Math.floor(good.length / 3));
        if (!plan.proceed) {
          expect(plan.pairs).toEqual([]);
          return;
        }
        expect(plan.pairs.map((pair) => pair.target)).toEqual(plan.bad);
        for (const { source } of plan.pairs) expect(good[source]).toBe(true);
        if (plan.good.length >= plan.bad.length)
          expect(new Set(plan.pairs.map((pair) => pair.source)).size).toBe(plan.bad.length);
      }),
    );
  });

  test("equal seeds give equal plans; each good group is drawn about equally often", () => {
    const good = [true, true, true, false, false, false, false];
    const plan = (seed: number) => planSubstitution(good, randomStream(seed, "s"), { share: 0.3 });
    expect(plan(3)).toEqual(plan(3));
    const drawn = [0, 0, 0];
    for (let seed = 0; seed < 600; seed++)
      for (const { source } of plan(seed).pairs) drawn[source] = (drawn[source] ?? 0) + 1;
    // 2400 draws, 800 expected each, standard deviation 23.
    for (const count of drawn) expect(Math.abs(count - 800)).toBeLessThan(100);
  });

  test("a batch below the gate is skipped and cannot be applied", () => {
    const plan = planSubstitution([true, false, false], randomStream(1, "s"));
    expect(plan).toMatchObject({ proceed: false, pairs: [] });
    expect(() => applySubstitution([1, 2, 3], plan)).toThrow("skip");
    expect(() => planSubstitution([], randomStream(1, "s"))).toThrow(RangeError);
  });
});

describe("application", () => {
  test("whole groups move: truth and rewards stay with their rollouts", () => {
    const groups = [group("a", "11", 4), group("b", "22", 0), group("c", "33", 8), group("d", "44", 1)];
    const plan = planSubstitution(
      groups.map((item) => isGoodGroup(item.rewards)),
      randomStream(5, "substitution"),
    );
    const result = applySubstitution(groups, plan);
    expect(plan.bad).toEqual([1, 2]);
    for (const item of result) {
      // The released trainer regraded copies against the truth of the group they replaced: all wrong, no signal.
      const regraded = item.rollouts.map((rollout) => (rollout === item.truth ? 1 : 0));
      expect(regraded).toEqual(item.rewards.map((reward) => reward.outcome));
      expect(isGoodGroup(item.rewards)).toBe(true);
    }
    for (const { target, source } of plan.pairs) {
      expect(result[target]).toBe(groups[source]);
      const advantages = (item: Group | undefined) =>
        groupAdvantages((item as Group).rewards.map((r) => r.total));
      expect(advantages(result[target])).toEqual(advantages(result[source]));
    }
    expect(groups[1]?.problemId).toBe("b");
  });

  test("the released bug, emulated: moving rollouts without their truth leaves no signal", () => {
    const [good, bad] = [group("a", "11", 4), group("b", "22", 0)];
    const released = { ...bad, rollouts: good.rollouts };
    const regraded = released.rollouts.map((rollout) => (rollout === released.truth ? 1 : 0));
    expect(isGoodGroup(regraded.map((outcome) => ({ outcome, total: outcome })))).toBe(false);
  });

  test("refuses a plan for another batch", () => {
    const plan = planSubstitution([true, true], randomStream(1, "s"));
    expect(() => applySubstitution([1], plan)).toThrow("expected 2");
    expect(applySubstitution(["x", "y"], plan)).toEqual(["x", "y"]);
  });
});
