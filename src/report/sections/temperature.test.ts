import { expect, test } from "vitest";
import { shiftShape } from "../../recipe/calibration/pass-rate-shape.ts";
import { difficultyShiftFile } from "../../recipe/calibration/shift.ts";
import type { PassRateFile } from "../../recipe/result-files.ts";
import { decideTemperature } from "../../recipe/temperature/decide.ts";
import { curveOf } from "../../recipe/temperature/read-sweep.ts";
import type { SweepFile, SweepTarget } from "../../recipe/temperature/sweep-file.ts";
import { sweepShape } from "../../recipe/temperature/sweep-shape.ts";
import { clusteredInterval } from "../../stats/index.ts";
import { loadChartKit } from "../charts/render.ts";
import { createContext } from "../context.ts";
import { htmlText } from "../html.ts";
import { type RunRecords, readRun } from "../read-run.ts";
import { scratchRun } from "../testing/scratch-run.ts";
import { crossings, difficultyShiftSections } from "./difficulty-shift.ts";
import { temperatureSections, zoneBands } from "./temperature.ts";

const kit = await loadChartKit();

/** A sweep of two problems and four samples with the given correct counts and diversities. */
function sweep(stage: string, rows: [number, number[], number][], target: SweepTarget | null): SweepFile {
  const points = rows.map(([temperature, correct, diversity]) => ({
    temperature,
    accuracy: clusteredInterval(correct.map((solved) => solved / 4)),
    diversity: clusteredInterval(correct.map(() => diversity)),
    entropy: temperature / 10,
    lengthTokens: 40,
    truncated: 0,
    unboxed: 0,
    graderErrors: 0,
    correct,
    distinct: correct.map(() => diversity),
  }));
  const conditions: SweepFile["conditions"] = {
    samplesPerProblem: 4,
    sampling: { topK: 0, topP: 1, minP: 0, maxNewTokens: 12 },
    prompt: { instruction: "plain", position: "after_suffix" },
    ngram: 4,
    unit: "words",
    problemsSha256: "0",
  };
  return {
    layout: 1,
    stage,
    model: "<b>m</b>",
    seed: 0,
    graderVersion: "1",
    problems: { reference: "toy", count: 2, ids: ["a", "b"] },
    conditions,
    points,
    decision: decideTemperature(curveOf({ points, conditions }), {
      robustTolerance: 0.008,
      explorationShare: 0.8,
      target,
    }),
    search:
      target === null
        ? null
        : { step: 0.1, entropyBefore: 0.2, entropyAfter: 0.1, ended: "reached" as const },
  };
}

const first = sweep(
  "first",
  [
    [0.5, [4, 4], 0.2],
    [1, [4, 4], 0.4],
    [1.5, [4, 3], 0.6],
    [2, [1, 0], 0.9],
  ],
  null,
);
const second = sweep(
  "second",
  [
    [1, [4, 4], 0.3],
    [1.1, [4, 4], 0.4],
  ],
  { diversity: 0.4, rule: "smallest", of: "first", minTemperature: 1, startZone: "robust" },
);

function render(change: (records: RunRecords) => void): string {
  const records = readRun(scratchRun());
  change(records);
  const context = createContext(records, kit);
  return [...temperatureSections(context), ...difficultyShiftSections(context)]
    .map(({ body }) => htmlText(body))
    .join("");
}

const wordsOf = (page: string): string => page.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");

test("zones end where they were measured, and every sweep says what it chose", () => {
  expect(zoneBands(first).map(({ name, from, to }) => [name, from, to])).toEqual([
    ["RGZ", 0.5, 1],
    ["CEZ", 1, 1.5],
    ["PCZ", 1.5, 2],
  ]);
  const page = render((records) => {
    records.sweeps = [first, second];
  });
  const words = wordsOf(page);
  expect(words).toContain("Temperature 1: the end of the robust zone");
  expect(words).toContain("Temperature 1.1: the lowest that reaches a distinct-4 of 40.0, that of first.");
  expect(words).toContain("climbed from 1 in steps of 0.1, as entropy went from 0.200 to 0.100 nats");
  expect(words).toMatch(/1\.1 \(chosen\) robust 100\.0/);
  expect(page).toContain("target 40.0");
  expect(page).not.toContain("<b>m</b>");
  for (const file of [first, second]) expect(sweepShape.safeParse(file).success).toBe(true);
});

test("a shift counts the crossings of both ends", () => {
  const rates = (stage: string, correct: number[]): PassRateFile => ({
    stage,
    model: "m",
    samplesPerProblem: 4,
    counts: [],
    shape: "flat",
    problems: correct.map((solved, i) => ({ id: `p${i}`, source: "s", passRate: solved / 4 })),
  });
  const file = difficultyShiftFile(rates("before", [0, 0, 2, 4, 1]), rates("after", [1, 0, 4, 3, 0]));
  expect(crossings(file)).toEqual({ nowSolvable: 1, forgotten: 1, nowSolved: 1, noLongerSolved: 1 });
  expect(shiftShape.safeParse(file).success).toBe(true);
  const words = wordsOf(
    render((records) => {
      records.shifts = [file];
    }),
  );
  expect(words).toContain("before to after: mean pass rate +5.0");
  expect(words).toContain("2 problems easier, 2 harder, 1 alike");
  expect(() => difficultyShiftFile(rates("a", []), rates("b", [1]))).toThrow("a problem both have");
  const third = rates("a", [1]);
  third.problems = [{ id: "p0", source: "s", passRate: 1 / 3 }];
  expect(() => difficultyShiftFile(third, rates("b", [1]))).toThrow("a share of 4 samples");
});

test("a run without sweeps and shifts has no such sections", () => {
  expect(render(() => {})).toBe("");
});
