import { describe, expect, test } from "vitest";
import { ConsensusSets } from "./consensus-set.ts";
import { recordGroup, scoreGroup } from "./group-reward.ts";
import { CORE_PRESETS, coreSettings } from "./preset.ts";

const trajectory = (id: string, correct: boolean, keys: string[]) => ({
  id,
  correct,
  keys,
  finished: true,
  boxed: true,
});
const group = [
  trajectory("0", true, ["a", "b"]),
  trajectory("1", false, ["a", "x"]),
  trajectory("2", false, ["y"]),
];

describe("order of scoring and voting", () => {
  test("after scoring: siblings do not pay each other, the next visit is paid", () => {
    const sets = new ConsensusSets();
    const first = scoreGroup(sets, "p", group, 0, CORE_PRESETS.default);
    expect(first.map((reward) => [reward.total, reward.reason])).toEqual([
      [1, "correct"],
      [0, "empty_set"],
      [0, "empty_set"],
    ]);
    expect(sets.problemIds()).toEqual([]);
    recordGroup(sets, "p", group, 0);
    const second = scoreGroup(sets, "p", group.slice(1), 1, CORE_PRESETS.default);
    expect(second.map((reward) => reward.total)).toEqual([0.5, 0]);
  });

  test("before scoring: the same group pays itself; recording it again changes nothing", () => {
    const sets = new ConsensusSets();
    const settings = coreSettings("blog", { updateOrder: "before_scoring" });
    expect(scoreGroup(sets, "p", group, 0, settings)[1]?.total).toBe(0.5);
    const state = sets.snapshot();
    recordGroup(sets, "p", group, 0);
    expect(sets.snapshot()).toBe(state);
  });

  test("wrong trajectories never enter a set", () => {
    const sets = new ConsensusSets({ contrast: 1 });
    recordGroup(sets, "p", group, 0);
    expect(sets.items("p").map((item) => item.key)).toEqual(["a", "b"]);
    // One wrong sibling reached `a`: with full contrast it says nothing.
    expect([...sets.effective("p").weights.keys()]).toEqual(["b"]);
  });
});
