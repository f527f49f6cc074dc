import { expect, test } from "vitest";
import { type ConsensusHealth, ConsensusSets, consensusHealth } from "../../../consensus/index.ts";
import { createAlarmWatch } from "./alarms.ts";

const empty: ConsensusHealth = consensusHealth(new ConsensusSets(), [{ problemId: "p", rewards: [] }]);

test("a collapsing entropy is told once", () => {
  const watch = createAlarmWatch(false);
  const told = Array.from({ length: 40 }, (_, i) => watch.step(i + 1, i < 12 ? 0.4 : 0.05, empty)).flat();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/entropy went from 0\.400/);
});

test("empty consensus sets matter only where a process reward depends on them", () => {
  const messages = (process: boolean) => {
    const watch = createAlarmWatch(process);
    return Array.from({ length: 30 }, (_, i) => watch.step(i + 1, 0.3, empty)).flat();
  };
  expect(messages(false)).toEqual([]);
  expect(messages(true)).toEqual(["100% of the problems have no consensus set"]);
});
