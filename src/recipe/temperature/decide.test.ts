/** The published zones and temperatures out of the published curves (recipe A4; read off figures 3 to 7). */
import { describe, expect, test } from "vitest";
import { type CurvePoint, decideTemperature } from "./decide.ts";
import type { SweepTarget } from "./sweep-file.ts";

const RULES = { robustTolerance: 0.008, explorationShare: 0.8 };

const curve = (temperatures: number[], accuracy: number[], diversity?: number[]): CurvePoint[] =>
  temperatures.map((temperature, i) => ({
    temperature,
    accuracy: (accuracy[i] as number) / 100,
    ...(diversity === undefined ? {} : { diversity: (diversity[i] as number) / 100 }),
  }));

const initial = (points: CurvePoint[], rules = RULES) =>
  decideTemperature(points, { ...rules, target: null });
const target = (
  diversity: number,
  minTemperature: number,
  startZone: SweepTarget["startZone"] = "robust",
): SweepTarget => ({
  diversity,
  rule: "smallest",
  of: "sweep",
  minTemperature,
  startZone,
});

/** Figure 5. */
const qwen4b = curve(
  [0.1, 0.6, 0.8, 1.4, 1.45, 1.5, 1.55, 1.6, 1.7],
  [70, 73.8, 74.2, 74, 73.2, 70.2, 67.8, 50, 32.7],
);
/** Figure 7: R1-Distill-7B before RL, after 400 and after 800 steps. */
const GRID = [0.4, 0.6, 0.7, 0.8, 1.0, 1.2];
const before = curve(GRID, [52, 55, 56, 53, 47, 11], [48, 58, 59, 62, 80, 91]);
const after400 = curve(GRID, [57, 61, 60, 58, 55, 38], [45, 50, 52, 55, 64, 83]);
const after800 = curve(GRID, [61, 64.5, 66, 63, 62, 54], [40, 44, 47, 50, 54, 70]);

describe("published choices", () => {
  test("Qwen3-4B: robust 0.6 to 1.4, exploration to 1.55, first temperature 1.4", () => {
    const { temperature, zones } = initial(qwen4b);
    expect(temperature).toBe(1.4);
    expect(zones.robust).toEqual({ from: 0.6, to: 1.4 });
    expect(zones.explorationTo).toBe(1.55);
    expect(zones.points.filter(({ zone }) => zone === "collapse").map((point) => point.temperature)).toEqual([
      1.6, 1.7,
    ]);
  });

  test("R1-Distill-7B: robust to 0.7, exploration to 1.0, first temperature 0.7", () => {
    const decision = initial(before);
    expect(decision.temperature).toBe(0.7);
    expect(decision.diversity).toBe(0.59);
    expect(decision.zones.explorationTo).toBe(1.0);
  });

  test("then 1.0 and 1.1: the smallest temperature as diverse as the first policy was at 0.7", () => {
    const aim = initial(before).diversity as number;
    const second = decideTemperature(after400, { ...RULES, target: target(aim, 0.7) });
    expect(second).toMatchObject({ temperature: 1.0, diversity: 0.64, reached: true });
    expect(second.crossing).toBeCloseTo(0.889, 3);
    // The figure has no point at 1.1: halfway between its neighbours.
    const finer = [...after800, { temperature: 1.1, accuracy: 0.58, diversity: 0.62 }];
    const third = decideTemperature(finer, { ...RULES, target: target(aim, 1.0) });
    expect(third).toMatchObject({ temperature: 1.1, reached: true });
    expect(decideTemperature(after800, { ...RULES, target: target(aim, 1.0) }).crossing).toBeCloseTo(
      1.0625,
      4,
    );
  });

  test("after 800 steps the authors' zone needs a wider tolerance than before: both are settings", () => {
    expect(initial(after800).temperature).toBe(0.7);
    const wide = initial(after800, { robustTolerance: 0.045, explorationShare: 0.8 });
    expect(wide.zones).toMatchObject({ robust: { from: 0.6, to: 1.0 }, explorationTo: 1.2 });
  });

  test("never into the collapse zone: the highest temperature before it, with a warning", () => {
    const decision = decideTemperature(before, { ...RULES, target: target(0.85, 0.7) });
    expect(decision).toMatchObject({ temperature: 1.0, reached: false });
    expect(decision.warnings[0]).toContain("collapse");
  });
});

describe("warnings", () => {
  test("a chosen temperature at either end of the grid asks for a wider one", () => {
    expect(initial(curve([0.6, 0.8], [70, 70])).warnings[0]).toMatch(
      /grid ends here: accuracy has not fallen at 0.8, the highest.*widen the grid upwards/,
    );
    expect(initial(curve([0.6, 0.8], [70, 60])).warnings).toEqual([
      expect.stringMatching(
        /grid ends here: accuracy is highest at 0.6, the lowest.*widen the grid downwards/,
      ),
    ]);
    expect(initial(qwen4b).warnings).toEqual([]);
    const matched = (diversity: number, from: number): string[] =>
      decideTemperature(after400, { ...RULES, target: target(diversity, from) }).warnings;
    expect(matched(0.59, 0.7)).toEqual([expect.stringContaining("edge of collapse")]);
    // The lowest of a grid that begins above the last stage's temperature.
    expect(matched(0.3, 0)).toEqual([expect.stringMatching(/grid begins here: 0.4.*downwards/)]);
    expect(matched(0.5, 0.6)).toEqual([expect.stringMatching(/0.6, where the search begins.*not fallen/)]);
    const short = after400.slice(0, 4);
    const stopped = decideTemperature(short, { ...RULES, target: target(0.59, 0.7) });
    expect(stopped).toMatchObject({ temperature: 0.8, reached: false, crossing: null });
    expect(stopped.warnings).toEqual([
      expect.stringMatching(/grid ends here.*0.8, has not collapsed.*upwards/),
    ]);
  });

  test("robust, then collapse at once: the grid is too coarse for a zone between", () => {
    const { temperature, warnings } = initial(curve([0.6, 0.8, 1.2], [60, 70, 30]));
    expect(temperature).toBe(0.8);
    expect(warnings).toEqual([expect.stringMatching(/collapses from 0.8 to 1.2.*finer grid/)]);
  });

  test("a search that begins at the edge of collapse, or where its peak may lie below, says so", () => {
    const climb = curve([1.0, 1.1], [55, 40], [64, 75]);
    const warned = (zone: SweepTarget["startZone"]): string =>
      decideTemperature(climb, { ...RULES, target: target(0.6, 1.0, zone) }).warnings.join("\n");
    for (const zone of ["exploration", null] as const) expect(warned(zone)).toMatch(/peak lies below/);
    // There accuracy was within the tolerance of its peak: the guard misses next to nothing.
    expect(warned("robust")).not.toMatch(/peak lies below/);
    expect(warned("robust")).toMatch(/1 is at the edge of collapse: 1.1, the next one tried/);
  });

  test("nothing solved at any temperature is no flat robust zone", () => {
    expect(() => initial(curve([0.6, 0.8], [0, 0]))).toThrow("no response is correct");
  });

  test("accuracies too noisy for the tolerance, by paired intervals", () => {
    const problems = (values: number[]): number[] => values;
    const points: CurvePoint[] = [
      { temperature: 0.2, accuracy: 0.2, diversity: 0.1, problemAccuracies: problems([0.2, 0.2, 0.2, 0.2]) },
      { temperature: 0.6, accuracy: 0.5, diversity: 0.3, problemAccuracies: problems([0.5, 0.5, 0.5, 0.5]) },
      // Two per cent below the peak on every problem, or on the average of a wide spread.
      {
        temperature: 1,
        accuracy: 0.48,
        diversity: 0.5,
        problemAccuracies: problems([0.48, 0.48, 0.48, 0.48]),
      },
      { temperature: 1.2, accuracy: 0.3, diversity: 0.6, problemAccuracies: problems([0.3, 0.3, 0.3, 0.3]) },
    ];
    expect(initial(points).warnings).toEqual([]);
    (points[2] as CurvePoint).problemAccuracies = [0.1, 0.86, 0.48, 0.48];
    const { warnings, resolution } = initial(points);
    expect(warnings).toEqual([expect.stringContaining("whether 1 lies within 0.8 points")]);
    // Differences of -40, 36, -2 and -2 points: Student's t of three degrees times their standard error, a little
    // widened for the problems that were not drawn.
    const plain = 3.182446 * Math.sqrt((2 * 0.38 ** 2) / 3 / 4);
    expect(resolution).toBeGreaterThan(plain);
    expect(resolution).toBeLessThan(1.06 * plain);
    expect(warnings[0]).toMatch(/show differences from \d+\.\d points on; .*robust_tolerance/);
    expect(initial(qwen4b).resolution).toBeNull();
  });
});
