import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CampaignRound, DecisionsFile } from "../../recipe/result-files.ts";
import type { SweepFile } from "../../recipe/temperature/sweep-file.ts";
import { loadChartKit } from "../charts/render.ts";
import { createContext } from "../context.ts";
import { htmlText } from "../html.ts";
import { readRun } from "../read-run.ts";
import { campaignSections, roundBands } from "./campaign.ts";
import { curvesSection } from "./curves.ts";
import { temperatureSections } from "./temperature.ts";

const kit = await loadChartKit();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-campaign-report-"));
  put(
    "recipe.yaml",
    "name: c\nseed: 1\nstages:\n  - {id: loop, kind: campaign, model: ./m, problems: ./p}\n",
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

const estimate = (value: number) => ({ value, low: value - 0.02, high: value + 0.02 });

/** The sweep of a round as the campaign's part writes it. */
function sweepOf(round: number, diversities: readonly number[]): SweepFile {
  const temperatures = [0.8, 1, 1.2];
  const ids = ["a", "b"];
  const start = 0.5 + round / 10;
  return {
    layout: 1,
    stage: `loop/round-${round}/sweep`,
    model: round === 1 ? "./m" : `round-${round - 1}:train`,
    seed: 1,
    graderVersion: "g",
    problems: { reference: "./p", count: 2, ids },
    conditions: {
      samplesPerProblem: 4,
      sampling: { topK: 0, topP: 1, minP: 0, maxNewTokens: 12 },
      prompt: { instruction: "plain", position: "after_suffix" },
      ngram: 4,
      unit: "words",
      problemsSha256: "0",
    },
    points: temperatures.map((temperature, i) => ({
      temperature,
      accuracy: estimate(start - i / 20),
      diversity: estimate(diversities[i] as number),
      entropy: 0.2,
      lengthTokens: 10,
      truncated: 0,
      unboxed: 0,
      graderErrors: 0,
      correct: [1, 2],
      distinct: [0.4, 0.5],
    })),
    decision: {
      temperature: 1,
      diversity: diversities[1] as number,
      zones: {
        robustTolerance: 0.008,
        explorationShare: 0.8,
        peak: { temperature: 0.8, accuracy: start },
        robust: { from: 0.8, to: 0.8 },
        explorationTo: 1.2,
        points: temperatures.map((temperature, i) => ({
          temperature,
          zone: i === 0 ? ("robust" as const) : ("exploration" as const),
        })),
      },
      target:
        round === 1
          ? null
          : {
              diversity: 0.47,
              rule: "smallest",
              of: "round-1:sweep",
              minTemperature: 0.8,
              startZone: "robust",
            },
      reached: true,
      crossing: null,
      resolution: null,
      warnings: [],
    },
    search: null,
  } as unknown as SweepFile;
}

const round = (number: number, change: Partial<CampaignRound> = {}): CampaignRound => ({
  round: number,
  stepsBefore: (number - 1) * 4,
  steps: 4,
  temperature: 0.8 + 0.2 * (number - 1),
  maxNewTokens: 64 + 16 * (number - 1),
  problems: 24 - number,
  stopped: "plateau",
  files: { sweep: `checkpoints/loop/round-${number}/sweep/sweep.json` },
  ...change,
});

/** A campaign in its second round, as it stands in the folder while it runs; `steps` are done. */
function running(steps: number, rounds: CampaignRound[]): void {
  const file: DecisionsFile = {
    stage: "loop",
    decisions: [
      {
        round: 1,
        decision: "end_of_training",
        choice: "plateau",
        reason: "no new best for 2 steps, 4 steps in all",
        evidence: {
          accuracy_start: 0.2,
          accuracy_end: 0.4,
          entropy_start: 0.3,
          entropy_end: 0.2,
          clip_ratio_start: 0.1,
          clip_ratio_end: 0.05,
        },
      },
    ],
    rounds,
  };
  put("checkpoints/loop/decisions.json", JSON.stringify(file));
  put("checkpoints/loop/round-1/sweep/sweep.json", JSON.stringify(sweepOf(1, [0.4, 0.47, 0.6])));
  put("checkpoints/loop/round-2/sweep/sweep.json", JSON.stringify(sweepOf(2, [0.3, 0.48, 0.5])));
  const lines = Array.from({ length: steps }, (_, i) =>
    JSON.stringify({
      stage: "loop",
      step: i + 1,
      accuracy: 0.2 + i / 20,
      entropy: 0.3 - i / 100,
      "response_length/mean": 30 + i,
      "response_length/clip_ratio": 0.1,
      "campaign/round": i < 4 ? 1 : 2,
      "campaign/max_new_tokens": i < 4 ? 64 : 80,
      ...(i % 2 === 1 ? { "val/aime24/avg@8": 0.3 + i / 50 } : {}),
    }),
  );
  put("metrics.jsonl", `${lines.join("\n")}\n`);
}

const words = (markup: string): string => markup.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");

test("a campaign that still runs is shown: curves with rounds, sweeps, rounds and decisions", () => {
  running(6, [round(1), round(2, { steps: null, stopped: null })]);
  const context = createContext(readRun(folder), kit);
  expect(context.records.notes).toEqual([]);
  const page = campaignSections(context)
    .map(({ body }) => htmlText(body))
    .join("");
  const text = words(page);
  expect(text).toContain(
    "2 rounds: temperature 0.8 and 1; response limit in tokens 64 and 80; problems 23 and 22.",
  );
  for (const label of ["round 1", "T 0.8", "64 tok", "23 prob.", "plateau", "round 2", "80 tok"])
    expect(text, label).toContain(label);
  expect(text).toMatch(/1 1–4 0\.8 64 23 20\.0 → 40\.0 0\.300 → 0\.200 10\.0 → 5\.0 plateau/);
  expect(text).toMatch(/2 2 so far 1 80 22 still training/);
  expect(text).toContain("target 47.0");
  expect(text).toContain("checkpoints/loop/decisions.jsonl");
  // The curves stand in one place only, and the sweeps are named by their rounds.
  const curves = htmlText(curvesSection(context).body);
  expect(curves).toContain('href="#campaign"');
  expect(curves).not.toContain('<svg aria-label="Training accuracy');
  const sweeps = words(
    temperatureSections(context)
      .map(({ body }) => htmlText(body))
      .join(""),
  );
  expect(sweeps).toContain("loop, round 2");
  expect(sweeps).toContain("that of loop, round 1");
  expect(sweeps).toContain("after round 1");
  expect(page + sweeps).not.toMatch(/round-\d:/);
});

test("a finished campaign is read from its stage; paths out of the run folder are not followed", () => {
  running(8, [round(1), round(2)]);
  const file = {
    stage: "loop",
    decisions: [{ round: 1, decision: "length", choice: 64, reason: "r", evidence: {} }],
  };
  for (const path of ["../secret.json", "/etc/passwd", "a/../../b.json", "c:/x.json", "..\\x.json"]) {
    put(
      "stages/loop/decisions.json",
      JSON.stringify({ ...file, rounds: [round(1, { files: { sweep: path } })] }),
    );
    const records = readRun(folder);
    expect(records.sweeps, path).toEqual([]);
    expect(records.sources.map((source) => source.file)).not.toContain(path);
  }
  // Files of before rounds were written still show their decisions.
  put("stages/loop/decisions.json", JSON.stringify(file));
  const page = campaignSections(createContext(readRun(folder), kit)).map(({ body }) => words(htmlText(body)));
  expect(page.join("")).toContain("stages/loop/decisions.jsonl");
  rmSync(join(folder, "stages"), { recursive: true });
  rmSync(join(folder, "checkpoints"), { recursive: true });
  expect(campaignSections(createContext(readRun(folder), kit))).toEqual([]);
});

test("bands end where their round does, and say least where asked to", () => {
  running(6, []);
  const context = createContext(readRun(folder), kit);
  const run = context.training[0] as (typeof context.training)[number];
  const rounds = [round(1), round(2, { steps: null, stopped: null })];
  expect(roundBands(rounds, run, false)).toEqual([
    { from: 0.5, to: 4.5, lines: ["round 1"] },
    { from: 4.5, to: 6.5, lines: ["round 2"] },
  ]);
});
