import { describe, expect, test } from "vitest";
import { ConsensusSets } from "./consensus-set.ts";
import { scoreGroup } from "./group-reward.ts";
import type { ConsensusHealth } from "./health.ts";
import { consensusHealth, healthAlarms, healthMetrics } from "./health.ts";
import { CORE_PRESETS } from "./preset.ts";

test("numbers of one step", () => {
  const sets = new ConsensusSets();
  sets.seed("p", [{ id: "o", keys: ["a", "b", "c", "d"] }]);
  const trajectory = (id: string, correct: boolean, keys: string[]) => ({
    id,
    correct,
    keys,
    finished: true,
    boxed: true,
  });
  const groups = [
    {
      problemId: "p",
      rewards: scoreGroup(
        sets,
        "p",
        [
          trajectory("0", true, ["a", "b", "c"]),
          trajectory("1", false, ["a", "x"]),
          trajectory("2", false, ["a", "b", "c", "x"]),
          trajectory("3", false, []),
        ],
        0,
        CORE_PRESETS.default,
      ),
    },
    {
      problemId: "q",
      rewards: scoreGroup(sets, "q", [trajectory("4", false, ["a"])], 0, CORE_PRESETS.default),
    },
  ];
  const health = consensusHealth(sets, groups);
  expect(health).toMatchObject({
    problems: 2,
    items: 4,
    size: { mean: 2, median: 0, p90: 4, max: 4 },
    emptyShare: 0.5,
    ratioRight: 0.75,
    processMean: (0.25 + 0.5) / 4,
    processNonzero: 0.5,
    cappedShare: 0.25,
    spansRight: 3,
    spansWrong: 7 / 4,
    compliance: 2 / 5,
  });
  expect(health.ratioWrong).toBeCloseTo(1 / 3, 12);
  expect(health.gap).toBeCloseTo(0.75 - 1 / 3, 12);
  const metrics = healthMetrics(health);
  expect(metrics["consensus/ratio_right"]).toBe(0.75);
  expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
});

test("no gap without both sides", () => {
  const sets = new ConsensusSets();
  sets.seed("p", [{ id: "o", keys: ["a", "b"] }]);
  for (const correct of [true, false]) {
    const trajectory = { id: "t", correct, keys: ["a"], finished: true, boxed: true };
    const rewards = scoreGroup(sets, "p", [trajectory], 0, CORE_PRESETS.default);
    const health = consensusHealth(sets, [{ problemId: "p", rewards }]);
    expect([health.ratioRight, health.ratioWrong]).toEqual(correct ? [0.5, null] : [null, 0.5]);
    expect(health.gap).toBeNull();
  }
});

test("a step without anything leaves undefined numbers out", () => {
  const health = consensusHealth(new ConsensusSets(), []);
  expect(health.gap).toBeNull();
  expect(Object.keys(healthMetrics(health)).sort()).toEqual([
    "consensus/empty_share",
    "consensus/items",
    "consensus/size_max",
    "consensus/size_mean",
    "consensus/size_median",
    "consensus/size_p90",
  ]);
});

describe("alarms", () => {
  const healthy: ConsensusHealth = {
    problems: 8,
    items: 32,
    size: { mean: 4, median: 4, p90: 6, max: 8 },
    emptyShare: 0.1,
    ratioRight: 0.7,
    ratioWrong: 0.3,
    gap: 0.4,
    processMean: 0.2,
    processNonzero: 0.6,
    cappedShare: 0.1,
    spansRight: 4,
    spansWrong: 4,
    compliance: 0.98,
  };
  const history = (last: Partial<ConsensusHealth>): ConsensusHealth[] => [
    ...new Array<ConsensusHealth>(10).fill(healthy),
    ...new Array<ConsensusHealth>(10).fill({ ...healthy, ...last }),
  ];
  const codes = (last: Partial<ConsensusHealth>) => healthAlarms(history(last)).map((alarm) => alarm.code);

  test("none while healthy", () => {
    expect(codes({})).toEqual([]);
    expect(healthAlarms([])).toEqual([]);
  });

  test.each([
    ["gap_closed", { gap: 0.02 }],
    ["sets_empty", { emptyShare: 0.7 }],
    ["cap_saturated", { cappedShare: 0.8 }],
    ["sets_inflate", { size: { mean: 11, median: 9, p90: 20, max: 40 } }],
    ["spam", { spansWrong: 12 }],
    ["format_decays", { compliance: 0.5 }],
  ] as const)("%s", (code, last) => {
    expect(codes(last)).toEqual([code]);
  });

  test("growth needs two windows, a closed gap one", () => {
    const bad = { ...healthy, gap: 0, spansWrong: 40 };
    const late = (steps: number, start: number) =>
      healthAlarms([
        ...new Array<ConsensusHealth>(start).fill(healthy),
        ...new Array<ConsensusHealth>(steps).fill(bad),
      ]).map((alarm) => alarm.code);
    expect(late(9, 0)).toEqual([]);
    expect(late(10, 0)).toEqual(["gap_closed"]);
    expect(late(10, 9)).toEqual(["gap_closed"]);
    expect(late(10, 10)).toEqual(["gap_closed", "spam"]);
  });

  test("one bad step is no alarm", () => {
    expect(healthAlarms([...history({}).slice(1), { ...healthy, gap: -0.2, spansWrong: 30 }])).toEqual([]);
  });
});
