import { describe, expect, test } from "vitest";
import type { LengthPoint } from "./schedule.ts";
import { checkSchedule, detectPlateau, lengthAlarm, POLARIS_SCHEDULES } from "./schedule.ts";

describe("published schedules", () => {
  test("are valid, raise length and temperature, and sum to the published budgets", () => {
    for (const stages of Object.values(POLARIS_SCHEDULES))
      expect(checkSchedule(stages)).toEqual({ errors: [], warnings: [] });
    const budgets = (name: keyof typeof POLARIS_SCHEDULES) =>
      POLARIS_SCHEDULES[name].map((stage) => (stage.maxPromptTokens + stage.maxResponseTokens) / 1024);
    expect(budgets("qwen3-4b")).toEqual([40, 48, 52]);
    expect(budgets("r1-distill-7b")).toEqual([16, 24, 32]);
    expect(budgets("qwen3-1.7b")).toEqual([40, 48]);
  });

  test("errors and warnings name the stage", () => {
    const [first] = POLARIS_SCHEDULES["qwen3-4b"];
    const bad = checkSchedule([first, { ...first, temperature: 0, maxResponseTokens: 0.5 }]);
    expect(bad.errors.every((error) => error.startsWith("stage 2"))).toBe(true);
    expect(bad.errors).toHaveLength(2);
    expect(bad.warnings).toHaveLength(3);
    expect(checkSchedule([]).errors).toHaveLength(1);
    for (const steps of [0, 1.5]) expect(checkSchedule([{ ...first, steps }]).errors).toHaveLength(1);
    expect(checkSchedule([{ ...first, steps: null }]).errors).toEqual([]);
  });
});

describe("plateau", () => {
  const curve = (values: number[], every = 10) => values.map((value, i) => ({ step: i * every, value }));

  test("rising curves go on, flat ones end after the patience", () => {
    expect(detectPlateau(curve(Array.from({ length: 40 }, (_, i) => i))).reached).toBe(false);
    const flat = curve([...Array.from({ length: 10 }, (_, i) => i / 10), ...new Array<number>(13).fill(0.9)]);
    // The average of five reaches 0.9 at index 13; ten points later the patience of 100 steps is used up.
    expect(detectPlateau(flat.slice(0, 23)).reached).toBe(false);
    expect(detectPlateau(curve([...flat.map((point) => point.value), 0.9])).reached).toBe(true);
    expect(detectPlateau(flat).best?.step).toBe(130);
  });

  test("one noisy peak does not count as progress", () => {
    const noisy = new Array<number>(30).fill(0.5);
    noisy[25] = 0.54;
    expect(detectPlateau(curve(noisy), { minImprovement: 0.01 }).reached).toBe(true);
    expect(detectPlateau(curve(noisy), { window: 1, minImprovement: 0.01 }).reached).toBe(false);
  });

  test("too few points, and steps that do not ascend", () => {
    expect(detectPlateau(curve([1, 1, 1]))).toEqual({ reached: false, best: null, stepsSinceBest: 0 });
    expect(detectPlateau([]).reached).toBe(false);
    expect(() => detectPlateau([...curve([1, 2]), { step: 5, value: 1 }])).toThrow("ascending");
  });
});

describe("length alarm", () => {
  /** Linear curves over 400 steps. */
  const run = (clip: [number, number], accuracy: [number, number], steps = 400): LengthPoint[] =>
    Array.from({ length: steps }, (_, step) => {
      const share = step / (steps - 1);
      return {
        step,
        clipRatio: clip[0] + share * (clip[1] - clip[0]),
        accuracy: accuracy[0] + share * (accuracy[1] - accuracy[0]),
      };
    });

  test("a 4B model at 24K: clipped below 15%, accuracy falls from .71 to .55", () => {
    expect(lengthAlarm(run([0.14, 0.12], [0.71, 0.55]))).toMatchObject({
      tooShort: true,
      reason: "accuracy_falls",
    });
  });

  test("a 7B model at 16K: clip ratio falls from .25 to .04", () => {
    expect(lengthAlarm(run([0.25, 0.04], [0.55, 0.62]))).toMatchObject({
      tooShort: false,
      reason: "recovering",
    });
  });

  test("other causes of falling accuracy are no matter of length", () => {
    expect(lengthAlarm(run([0.001, 0.004], [0.7, 0.4])).reason).toBe("rarely_clipped");
    expect(lengthAlarm(run([0.1, 0.1], [0.5, 0.5])).reason).toBe("accuracy_holds");
    expect(lengthAlarm(run([0.1, 0.1], [0.7, 0.1], 39)).reason).toBe("too_few_steps");
    expect(lengthAlarm([]).tooShort).toBe(false);
  });
});
