import { expect, test } from "vitest";
import { ConsensusSets, consensusHealth, healthMetrics } from "../../../consensus/index.ts";
import { type AlarmWatch, createAlarmWatch, lengthMessages } from "./alarms.ts";
import { Course } from "./course.ts";

const empty = healthMetrics(
  consensusHealth(new ConsensusSets(), [{ problemId: "p", rewards: [], trajectories: [] }]),
);

test("a collapsing entropy is told once", () => {
  const watch = createAlarmWatch(false);
  const told = Array.from({ length: 40 }, (_, i) =>
    watch.step(i + 1, { ...empty, entropy: i < 12 ? 0.4 : 0.05 }),
  ).flat();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/entropy went from 0\.400/);
});

test("a resumed stage compares with its own start, and an update left out is told", () => {
  const course = new Course();
  for (let step = 1; step <= 25; step++)
    course.add(step, { ...empty, accuracy: 0, "reward/mean": 0, entropy: 0.4 }, 12);
  const step = { ...empty, entropy: 0.05, "actor/non_finite": 1 };
  const told = (watch: AlarmWatch): string[] =>
    Array.from({ length: 19 }, (_, i) => watch.step(26 + i, step)).flat();
  const resumed = told(createAlarmWatch(false, course.entropies()));
  expect(resumed[0]).toMatch(/gradient was not finite/);
  expect(resumed[1]).toMatch(/entropy went from 0\.400/);
  expect(told(createAlarmWatch(false))).toHaveLength(1);
});

test("empty consensus sets matter only where a process reward depends on them", () => {
  const messages = (process: boolean) => {
    const watch = createAlarmWatch(process);
    return Array.from({ length: 30 }, (_, i) => watch.step(i + 1, { ...empty, entropy: 0.3 })).flat();
  };
  expect(messages(false)).toEqual([]);
  expect(messages(true)).toEqual([
    "since step 1, 100% of the problems have no consensus set, so nothing is paid there; give consensus.seeds correct responses, or lower consensus.min_support",
  ]);
});

test("a limit that is too short is told once per limit, with what to change", () => {
  const alarm = {
    tooShort: true,
    reason: "accuracy_falls",
    clipRatio: { start: 0.12, end: 0.14 },
    accuracy: { best: 0.7, end: 0.55 },
  } as const;
  const watch = createAlarmWatch(false);
  const told = [100, 100, 200].map((limit, i) =>
    watch.step(i + 1, { ...empty, entropy: 0.3 }, lengthMessages(alarm, limit)),
  );
  expect(told.map((messages) => messages.length)).toEqual([1, 0, 1]);
  expect(told[0]?.[0]).toMatch(
    /cut at 100 tokens \(12\.0%.*14\.0% now\).*70\.0% to 55\.0%: raise sampling\.max_new_tokens/,
  );
  expect(lengthMessages({ ...alarm, tooShort: false }, 100)).toEqual([]);
});

test("a sampler that is not the trainer's model is told once", () => {
  const watch = createAlarmWatch(false);
  const told = [0.0005, 0.02, 0.03].map((kl, i) =>
    watch.step(i + 1, { ...empty, entropy: 0.3, "actor/mismatch_kl": kl }),
  );
  expect(told.map((messages) => messages.length)).toEqual([0, 1, 0]);
  expect(told[1]?.[0]).toMatch(/differ by 0\.020 nats per token/);
});
