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
import { passRatesSection } from "./pass-rates.ts";
import { temperatureSections } from "./temperature.ts";
import { comparableSweeps } from "./temperature-overview.ts";
import { zoneBands } from "./temperature-zones.ts";

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

test("sweeps drawn alike share a frame with what changed between them, others do not", () => {
  const longer: SweepFile = {
    ...second,
    stage: "third",
    conditions: { ...second.conditions, sampling: { ...second.conditions.sampling, maxNewTokens: 13 } },
  };
  expect(comparableSweeps([first, longer, second]).map((group) => group.map(({ stage }) => stage))).toEqual([
    ["first", "second"],
  ]);
  const overview = (sweeps: SweepFile[]): string =>
    wordsOf(
      render((records) => {
        records.sweeps = sweeps;
      }),
    );
  expect(overview([first, longer])).not.toContain("All policies");
  const words = overview([first, second]);
  expect(words).toContain("All policies");
  // Both tried 1: alike in accuracy, ten points less diverse, 0.1 nats.
  expect(words).toMatch(/, second at 1 0\.0 \u221210\.0 0\.100 to 0\.100/);
  expect(words).toContain("Differences from the peak of");
});

test("several models on one axis, and how their responses ended", () => {
  const rates = (model: string, samplesPerProblem: number): PassRateFile => ({
    stage: `calibrate-${model}`,
    model,
    samplesPerProblem,
    counts: new Array<number>(samplesPerProblem + 1).fill(5),
    shape: "flat",
    outcomes: { responses: 100, correct: 40, truncated: 7, unboxed: 3, empty: 1, graderErrors: 2 },
    problems: [],
  });
  const section = (passRates: PassRateFile[]) => {
    const records = readRun(scratchRun());
    records.passRates = passRates;
    return htmlText(passRatesSection(createContext(records, kit)).body);
  };
  const together = section([rates("small", 4), rates("wide", 4)]);
  expect(together.match(/class="chart"/g)).toHaveLength(1);
  expect(wordsOf(together)).toMatch(/small \(flat; mean 50\.0%\) wide \(flat/);
  expect(wordsOf(together)).toContain(
    "7.0% cut at the token limit; 3.0% ended without a boxed answer; 1.0% empty; the grader failed on 2.",
  );
  // Bins of other sizes cannot stand side by side.
  expect(section([rates("small", 4), rates("wide", 8)]).match(/class="chart"/g)).toHaveLength(2);
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
