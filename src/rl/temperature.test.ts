import { describe, expect, test } from "vitest";
import {
  initialTemperature,
  interpolatedTemperature,
  matchTemperature,
  searchInterval,
  temperatureGrid,
  temperatureZones,
} from "./temperature.ts";

/** Accuracy of Qwen3-4B read off figure 5. */
const qwen4b = [
  [0.1, 70.0],
  [0.6, 73.8],
  [0.8, 74.2],
  [1.4, 74.0],
  [1.45, 73.2],
  [1.5, 70.2],
  [1.55, 67.8],
  [1.6, 50.0],
  [1.7, 32.7],
].map(([temperature, accuracy]) => ({
  temperature: temperature as number,
  accuracy: (accuracy as number) / 100,
}));

/** Figures 3 and 4: accuracy and diversity over one grid, several models. */
const grid = [0.1, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6];
const figures = {
  "Qwen3-32B": {
    accuracy: [64, 79.8, 81.2, 81, 82.4, 79.2, 62.7, 10],
    diversity: [34, 39, 48, 60, 72, 74.5, 80, 99],
  },
  "R1-7B": { accuracy: [40, 53, 55, 51.6, 42, 11.5, 0, 0], diversity: [24, 45, 57, 63, 80, 91, 99, 99.5] },
};
const points = (name: keyof typeof figures) =>
  grid.map((temperature, i) => ({
    temperature,
    accuracy: (figures[name].accuracy[i] as number) / 100,
    diversity: (figures[name].diversity[i] as number) / 100,
  }));

describe("zones", () => {
  test("Qwen3-4B: robust to 1.4, exploration to 1.55, collapse beyond", () => {
    const zones = temperatureZones(qwen4b);
    expect(zones.peak).toEqual({ temperature: 0.8, accuracy: 0.742 });
    expect(zones.robust).toEqual({ from: 0.6, to: 1.4 });
    expect(zones.explorationTo).toBe(1.55);
    expect(zones.zones.map(({ zone }) => zone)).toEqual([
      "low",
      "robust",
      "robust",
      "robust",
      "exploration",
      "exploration",
      "exploration",
      "collapse",
      "collapse",
    ]);
    expect(initialTemperature(qwen4b)).toBe(1.4);
  });

  test("other published curves, in any order of points", () => {
    const large = temperatureZones(points("Qwen3-32B").reverse());
    expect(large.robust).toEqual({ from: 1, to: 1 });
    expect(large.explorationTo).toBe(1.2);
    expect(temperatureZones(points("R1-7B")).robust).toEqual({ from: 0.6, to: 0.6 });
  });

  test("a zone ends at its first gap, a recovery beyond it does not count", () => {
    const dip = [0.5, 0.8, 0.2, 0.8].map((accuracy, i) => ({ temperature: i, accuracy }));
    expect(temperatureZones(dip).explorationTo).toBe(1);
    expect(temperatureZones([{ temperature: 1, accuracy: 0 }])).toMatchObject({ robust: { from: 1, to: 1 } });
  });

  test("tolerances of one's own, and points that cannot be", () => {
    expect(initialTemperature(qwen4b, { robustTolerance: 0.011 })).toBe(1.45);
    expect(temperatureZones(qwen4b, { explorationShare: 0.9 }).explorationTo).toBe(1.55);
    expect(temperatureZones(qwen4b, { explorationShare: 0.93 }).explorationTo).toBe(1.5);
    const bounds = [0, 1].map((accuracy) => ({ temperature: accuracy, accuracy }));
    expect(temperatureZones(bounds).peak).toEqual({ temperature: 1, accuracy: 1 });
    expect(() => temperatureZones([])).toThrow("none");
    expect(() => temperatureZones([{ temperature: 1, accuracy: 74 }])).toThrow("0..1");
    expect(() => temperatureZones([qwen4b[0], qwen4b[0]].flatMap((point) => point ?? []))).toThrow("twice");
  });
});

describe("match", () => {
  test("smallest and nearest", () => {
    const curve = points("Qwen3-32B");
    const match = (targetDiversity: number, rule: "smallest" | "nearest") =>
      matchTemperature(curve, { targetDiversity, rule }).temperature;
    expect(match(0.5, "smallest")).toBe(0.8);
    expect(match(0.5, "nearest")).toBe(0.6);
    expect(match(0.6, "smallest")).toBe(0.8);
  });

  test("never into the collapse zone: highest safe temperature with a warning", () => {
    const result = matchTemperature(points("Qwen3-32B"), { targetDiversity: 0.8 });
    expect(result).toMatchObject({ temperature: 1.2, diversity: 0.745, reached: false });
    expect(result.warning).toContain("1.2");
  });

  test("not below the previous stage, even where that lies in the collapse zone", () => {
    const curve = points("R1-7B");
    expect(matchTemperature(curve, { targetDiversity: 0.3, minTemperature: 0.6 }).temperature).toBe(0.6);
    const collapsed = matchTemperature(curve, { targetDiversity: 0.3, minTemperature: 1.2 });
    expect(collapsed.temperature).toBe(1.2);
    expect(collapsed.warning).toContain("collapse");
    expect(() => matchTemperature(curve, { targetDiversity: 0.3, minTemperature: 2 })).toThrow(RangeError);
    expect(() => matchTemperature(qwen4b, { targetDiversity: 0.3 })).toThrow("diversity");
  });

  test("interpolation", () => {
    const curve = [
      { temperature: 1, diversity: 0.5 },
      { temperature: 2, diversity: 0.9 },
    ];
    expect(interpolatedTemperature(curve, 0.7)).toBeCloseTo(1.5, 12);
    expect(interpolatedTemperature(curve, 0.4)).toBe(1);
    expect(interpolatedTemperature(curve, 0.95)).toBeNull();
  });
});

describe("grid and interval", () => {
  test("end points survive the float trap", () => {
    expect(temperatureGrid({ start: 1.4, end: 1.6, step: 0.05 })).toEqual([1.4, 1.45, 1.5, 1.55, 1.6]);
    expect(temperatureGrid({ start: 0.4, end: 0.7, step: 0.1 })).toEqual([0.4, 0.5, 0.6, 0.7]);
    expect(temperatureGrid({ start: 1, end: 1.09, step: 0.05 })).toEqual([1, 1.05]);
    expect(temperatureGrid({ start: 1, end: 1, step: 0.05 })).toEqual([1]);
    for (let tenth = 1; tenth <= 20; tenth++)
      for (let count = 1; count <= 30; count++) {
        const start = tenth / 10;
        const points_ = temperatureGrid({ start, end: start + count * 0.05, step: 0.05 });
        expect(points_).toHaveLength(count + 1);
      }
    expect(() => temperatureGrid({ start: 1, end: 2, step: 0 })).toThrow(RangeError);
    expect(() => temperatureGrid({ start: 0, end: 2, step: 1e-6 })).toThrow("1000");
  });

  test("fine after a slight fall of entropy, coarse after a large one", () => {
    expect(searchInterval(0.4, 0.36)).toBe(0.05);
    expect(searchInterval(0.4, 0.45)).toBe(0.05);
    expect(searchInterval(0.4, 0.3)).toBe(0.1);
    expect(() => searchInterval(0, 0.3)).toThrow(RangeError);
  });
});
