import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { writeProblems } from "../../data/problems.ts";
import { writeRollouts } from "../../data/rollouts.ts";
import { formatSweep } from "../../recipe/temperature/format-sweep.ts";
import { readSweep } from "../../recipe/temperature/read-sweep.ts";
import type { SweepFile } from "../../recipe/temperature/sweep-file.ts";
import type { Rollout } from "../../types.ts";
import { runProgram } from "../program.ts";

const folder = mkdtempSync(join(tmpdir(), "polaris-temperature-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

function save(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

const curve = (temperatures: number[], accuracy: number[], diversity: number[]) => ({
  points: temperatures.map((temperature, i) => ({
    temperature,
    accuracy: (accuracy[i] as number) / 100,
    diversity: (diversity[i] as number) / 100,
  })),
});
const GRID = [0.4, 0.6, 0.7, 0.8, 1.0, 1.2];
/** Figure 7 of the V1 paper: R1-Distill-7B before RL and after 400 steps. */
const before = save("before.json", curve(GRID, [52, 55, 56, 53, 47, 11], [48, 58, 59, 62, 80, 91]));
const after = save("after.json", curve(GRID, [57, 61, 60, 58, 55, 38], [45, 50, 52, 55, 64, 83]));

/** Exit code and output of one call. */
async function run(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = "";
  let error = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    error += String(text);
    return true;
  });
  vi.spyOn(console, "error").mockImplementation((text) => {
    error += String(text);
  });
  const code = await runProgram(["temperature", ...words]);
  vi.restoreAllMocks();
  return { code, out, error };
}

const estimate = (value: number) => ({ value, low: value, high: value });
const sweep = (samplesPerProblem = 4): SweepFile => ({
  layout: 1,
  stage: "sweep",
  model: 'a "model": 0',
  seed: 3,
  graderVersion: "1",
  problems: { reference: "toy", count: 2, ids: ["a", "b"] },
  conditions: {
    samplesPerProblem,
    sampling: { topK: 0, topP: 1, minP: 0, maxNewTokens: 12 },
    prompt: { instruction: "plain", position: "after_suffix" },
    ngram: 4,
    unit: "words",
    problemsSha256: "0",
  },
  points: [0.5, 1].map((temperature) => ({
    temperature,
    accuracy: estimate(0.5),
    diversity: estimate(temperature / 2),
    entropy: null,
    lengthTokens: 5,
    truncated: 0,
    unboxed: 0,
    graderErrors: 0,
    correct: [4, 0],
    distinct: [temperature, 0],
  })),
  decision: {
    temperature: 1,
    diversity: 0.5,
    zones: {
      robustTolerance: 0.1,
      explorationShare: 0.5,
      peak: { temperature: 0.5, accuracy: 0.5 },
      robust: { from: 0.5, to: 1 },
      explorationTo: 1,
      points: [
        { temperature: 0.5, zone: "robust" },
        { temperature: 1, zone: "robust" },
      ],
    },
    target: null,
    reached: true,
    crossing: null,
    resolution: null,
    warnings: [],
  },
  search: null,
});

describe("polaris temperature", () => {
  test("published choices from bare curves: 0.7, then 1.0 by diversity", async () => {
    const first = await run(before, "--json");
    expect(JSON.parse(first.out)).toMatchObject({ temperature: 0.7, zones: { explorationTo: 1 } });
    const second = await run(after, "--match", before, "--json");
    expect(JSON.parse(second.out)).toMatchObject({
      temperature: 1,
      reached: true,
      target: { diversity: 0.59, minTemperature: 0.7 },
    });
    const nearest = await run(after, "--match", "0.59", "--rule", "nearest", "--json");
    expect(JSON.parse(nearest.out).temperature).toBe(0.8);
    const text = await run(after, "--match", before);
    expect(text.out).toMatch(/1\s+exploration\s+55\.0.*64\.0.*chosen/);
    expect(text.out).toContain("the lowest that reaches a diversity of 59.0");
    expect(text.out).toContain("crosses the target at 0.889");
    // Columns that bare curves cannot fill are left out.
    expect(text.out).not.toMatch(/95%|entropy/);
  });

  test("other tolerances give other zones", async () => {
    const { out } = await run(before, "--robust-tolerance", "0.04", "--exploration-share", "0.95", "--json");
    expect(JSON.parse(out)).toMatchObject({ temperature: 0.8, zones: { robust: { from: 0.4 } } });
  });

  test("a stage's file is written and read back as it was, with its own rules", async () => {
    const path = save("sweep.json", formatSweep(sweep()));
    expect(readSweep(path)).toEqual(sweep());
    const { out } = await run(path);
    expect(out).toContain('stage sweep, model a "model": 0, 2 problems x 4 responses');
    expect(JSON.parse((await run(path, "--json")).out).zones.robustTolerance).toBe(0.1);
    const wider = save("wider.json", formatSweep(sweep(8)));
    const { code, error } = await run(wider, "--match", path);
    expect([code, error]).toEqual([2, expect.stringMatching(/samplesPerProblem 8 here, 4 there/)]);
  });

  test("what the data can show stands beside what the rule asks for", async () => {
    expect((await run(before)).out).toContain(
      "These curves have no intervals, and the robust zone asks for 0.8",
    );
    const counted = { ...curve(GRID, [52, 55, 56, 53, 47, 11], GRID), problems: 30, samples_per_problem: 16 };
    expect((await run(save("counted.json", counted))).out).toMatch(
      /30 problems x 16 responses show differences of accuracy from about 6\.3 points on; .*0\.8, which is below it/,
    );
    const { points, ...rest } = sweep();
    const noisy = points.map((point, i) => ({ ...point, correct: [4, i] }));
    const { out } = await run(save("noisy.json", formatSweep({ ...rest, points: noisy })));
    expect(out).toMatch(/Differences from the peak of \d+\.\d points and more show.*asks for 10\.0/);
  });

  test("a file of an earlier version, without what was added since, is read", async () => {
    const { decision, ...rest } = sweep();
    const { resolution: _, ...earlier } = decision;
    const old = {
      ...rest,
      decision: {
        ...earlier,
        target: { diversity: 0.4, rule: "smallest", of: "first", minTemperature: 0.5 },
      },
    };
    const { out, code } = await run(save("old.json", old), "--json");
    expect([code, JSON.parse(out).target.startZone]).toEqual([0, null]);
  });

  test("stored responses are counted into a sweep that later calls and recipes read", async () => {
    const problems = [1, 2, 3].map((n) => ({
      id: `p${n}`,
      prompt: `${n} + ${n}?`,
      answer: String(2 * n),
      source: "s",
      meta: {},
    }));
    writeProblems(join(folder, "problems.jsonl"), problems);
    const words = ["we add", "so the sum is"];
    const files = [0.5, 1].map((temperature) => {
      const rollouts = problems.flatMap(({ id, answer }, n) =>
        [0, 1].map(
          (sample): Rollout => ({
            problemId: id,
            stage: "sample",
            step: 0,
            sample,
            policyVersion: "m",
            seed: sample,
            promptTokens: [],
            sampling: { temperature, topK: 0, topP: 1, minP: 0, maxNewTokens: 64 },
            text: `${words[temperature === 1 ? sample : 0]} now \\boxed{${temperature === 1 && n === 0 ? "0" : answer}}`,
            tokens: [],
            logprobs: [],
            finishReason: "stop",
          }),
        ),
      );
      const path = join(folder, `r-${temperature}.jsonl.gz`);
      writeRollouts(path, rollouts);
      return path;
    });
    const out = join(folder, "stored.json");
    const given = ["--responses", ...files, "--problems", join(folder, "problems.jsonl"), "--out", out];
    const { out: text, code, error } = await run(...given, "--exploration-share", "0.5");
    expect([code, error]).toEqual([0, ""]);
    expect(text).toMatch(/0\.5\s+robust\s+100\.0.*50\.0.*chosen[\s\S]*\n\s+1\s+exploration\s+66\.7/);
    expect(readSweep(out)).toMatchObject({
      decision: { temperature: 0.5 },
      conditions: { samplesPerProblem: 2, unit: "words" },
      problems: { ids: ["p1", "p2", "p3"] },
    });
    expect((await run(out)).out).toContain("3 problems x 2 responses");
    expect((await run(...files, "--responses")).error).toMatch(/without a verdict[\s\S]*--problems/);
    expect((await run(...files)).error).toMatch(/got a file of rows[\s\S]*--responses/);
    expect((await run(out, "--out", "x.json")).error).toContain("--out needs --responses");
  });

  test.each([
    ["missing.json", undefined, "no such file"],
    ["text.json", "{", "not JSON"],
    ["empty.json", { points: [] }, "points"],
    ["range.json", { points: [{ temperature: 1, accuracy: 74 }] }, "points.0.accuracy"],
    [
      "twice.json",
      {
        points: [
          { temperature: 1, accuracy: 0.7 },
          { temperature: 1, accuracy: 0.7 },
        ],
      },
      "twice",
    ],
    ["layout.json", { ...sweep(), layout: 2 }, "layout"],
    [
      "short.json",
      { ...sweep(), problems: { reference: "x", count: 1, ids: ["a"] } },
      "expected results of 1 problems",
    ],
  ])("%s is one clear line", async (name, value, message) => {
    const path = value === undefined ? join(folder, name) : save(name, value);
    const { code, error } = await run(path);
    expect([code, error]).toEqual([3, expect.stringContaining(message)]);
  });

  test("what cannot be matched says so", async () => {
    const bare = save("bare.json", { points: [{ temperature: 1, accuracy: 0.7 }] });
    expect((await run(bare, "--match", "0.5")).error).toContain("expected a diversity");
    expect((await run(before, "--match", bare)).error).toContain("expected a diversity, got none");
    expect((await run(before, "--match", "59")).error).toMatch(/from 0 to 1[\s\S]*--match 0\.59/);
    const nothing = save("nothing.json", curve([0.6, 0.8], [0, 0], [10, 20]));
    expect((await run(nothing)).error).toContain("no response is correct");
    expect((await run(before, "--from", "1")).error).toContain("--match");
    expect((await run(before, "--match", "0.5", "--from", "3")).error).toContain("at or above 3");
  });
});
