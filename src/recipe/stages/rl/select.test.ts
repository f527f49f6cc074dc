import { describe, expect, test } from "vitest";
import { randomStream } from "../../../random.ts";
import { GroupCache } from "../../../rl/index.ts";
import { gradeRollout } from "../grading.ts";
import { toyGroup } from "../testing/groups.ts";
import type { Group } from "./group.ts";
import { type SelectionOptions, selectGroups } from "./select.ts";

const GRADER = { mode: "strict", answerFrom: "last_boxed" } as const;

function options(rules: Partial<SelectionOptions["rules"]> = {}): SelectionOptions {
  return {
    rules: {
      strategy: "substitute",
      gate: "floor_third",
      cacheGroups: 4,
      onGate: "redraw",
      maxRedraws: 5,
      maxRounds: 3,
      ...rules,
    },
    goodGroupBy: "outcome",
    random: randomStream(1, "select"),
    step: 1,
    cache: new GroupCache<Group>({ capacity: 4 }),
  };
}

const GOOD = [toyGroup(0, [1, 0, 0, 0]), toyGroup(1, [1, 1, 0, 0])];
const BAD = [toyGroup(2, [0, 0, 0, 0]), toyGroup(3, [1, 1, 1, 1])];

describe("selectGroups", () => {
  test("copied groups keep their own rewards and truth", () => {
    const selection = selectGroups([...BAD, ...GOOD], options());
    expect(selection).toMatchObject({ good: 2, substituted: 2, skipped: false });
    for (const group of selection.groups) {
      expect(new Set(group.members.map((member) => member.reward?.outcome))).toEqual(new Set([0, 1]));
      // The released code graded copies against the replaced problem's answer, which made every copy wrong.
      for (const member of group.members)
        expect(gradeRollout(group.problem, member.rollout, GRADER).correct).toBe(
          member.reward?.outcome === 1,
        );
    }
    expect(selection.groups.slice(2)).toEqual(GOOD);
  });

  test("the gate skips a batch with too few informative groups", () => {
    const batch = [...BAD, ...BAD, ...BAD, ...GOOD];
    expect(selectGroups(batch, options()).skipped).toBe(true);
    const ignored = selectGroups(batch, options({ onGate: "ignore" }));
    expect(ignored).toMatchObject({ skipped: false, substituted: 6 });
    expect(new Set(ignored.groups)).toEqual(new Set(GOOD));
  });

  test("without any informative group there is nothing to learn, whatever the gate says", () => {
    for (const strategy of ["substitute", "keep", "reject", "backfill"] as const)
      expect(selectGroups(BAD, options({ strategy, onGate: "ignore" })).skipped).toBe(true);
  });

  test("filter takes the informative groups of several batches up to a full one, and the gate judges what is there", () => {
    const draws = [...BAD, ...GOOD, ...BAD, ...GOOD];
    const full = selectGroups(draws, { ...options({ strategy: "filter" }), target: 3 });
    expect(full).toMatchObject({ skipped: false, good: 4, substituted: 0 });
    expect(full.groups).toEqual([GOOD[0], GOOD[1], GOOD[0]]);
    const short = { ...options({ strategy: "filter" }), target: 12 };
    expect(selectGroups(draws, short).skipped).toBe(true);
    expect(
      selectGroups(draws, { ...short, rules: { ...short.rules, onGate: "ignore" } }).groups,
    ).toHaveLength(4);
  });

  test("keep and reject copy nothing", () => {
    const batch = [...BAD, ...GOOD];
    expect(selectGroups(batch, options({ strategy: "keep" })).groups).toEqual(batch);
    expect(selectGroups(batch, options({ strategy: "reject" })).groups).toEqual(GOOD);
  });

  test("backfill takes stored groups of earlier steps and marks them as old", () => {
    const stored = options({ strategy: "backfill", onGate: "ignore" });
    selectGroups([toyGroup(4, [1, 0]), toyGroup(5, [0, 1])], stored);
    const later = selectGroups([toyGroup(6, [0, 1], 2), toyGroup(7, [0, 0], 2)], { ...stored, step: 2 });
    expect(later).toMatchObject({ good: 1, substituted: 1, skipped: false });
    expect(later.groups[0]?.members.every((member) => !member.stale)).toBe(true);
    expect(later.groups[1]?.members.every((member) => member.stale)).toBe(true);
  });

  test("the gate judges a batch as backfilled, and a skipped batch helps to fill the next", () => {
    const shared = options({ strategy: "backfill", gate: 0.5 });
    const poor = (step: number): Group[] => [
      toyGroup(0, [1, 0], step),
      ...[1, 2, 3].map((i) => toyGroup(i, [0, 0], step)),
    ];
    expect(selectGroups(poor(1), shared)).toMatchObject({ skipped: true, good: 1 });
    expect(selectGroups(poor(1), shared)).toMatchObject({ skipped: true, good: 1 });
    // One of this batch and two of the batches skipped, drawn at the same weights: more than half of four.
    const third = selectGroups(poor(1), shared);
    expect(third).toMatchObject({ skipped: false, good: 1, substituted: 2 });
    expect(third.groups.flatMap(({ members }) => members).some(({ stale }) => stale)).toBe(false);
    const aged = { ...shared, cache: new GroupCache<Group>({ capacity: 4, maxAgeSteps: 1 }) };
    for (const step of [1, 1, 3])
      expect(selectGroups(poor(step), { ...aged, step }).skipped, `step ${step}`).toBe(true);
  });

  test("a group whose grader failed everywhere is not informative", () => {
    const failed = toyGroup(2, [null, null, null]);
    const half = toyGroup(3, [1, null, 0]);
    expect(selectGroups([failed, half], options({ onGate: "ignore" })).groups).toEqual([half, half]);
  });
});
