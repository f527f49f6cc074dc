/** The engine and its peers are given the same work, and the arithmetic of the ratio table is right. */
import { readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, expect, test } from "vitest";
import { formatTable, joinMeasurements, median, summarize } from "../../bench/summary.ts";
import {
  benchConfig,
  denseBatch,
  equalPrompts,
  lengthsOf,
  MODEL_NAMES,
  practicePrompts,
  rolloutBatch,
  writeBenchCheckpoint,
} from "../../bench/workloads.ts";
import { openEmbeddedPolicy } from "../../src/engine/embedded/policy.ts";
import { readCheckpoint } from "../../src/tensors/checkpoint-folder.ts";
import { loadTokenizer } from "../../src/text/load-tokenizer.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(dirname(folder), { recursive: true, force: true });
});

test.each(MODEL_NAMES)("%s: text and ids of a prompt are the same prompt", async (model) => {
  const folder = await writeBenchCheckpoint(model, "drawn");
  folders.push(folder);
  const tokenizer = loadTokenizer(folder);
  expect(tokenizer.vocabularySize).toBe(benchConfig(model).vocabSize);
  for (const { text, tokens } of [...practicePrompts(32), ...equalPrompts(8, 32)])
    expect(tokenizer.encode(text)).toEqual(tokens);
});

test("equal prompts are equally long, practice prompts are not", () => {
  expect(new Set(equalPrompts(16, 32).map(({ tokens }) => tokens.length))).toEqual(new Set([32]));
  expect(new Set(practicePrompts(64).map(({ tokens }) => tokens.length)).size).toBeGreaterThan(2);
});

test("a `never` checkpoint draws full-length responses, a `drawn` one does not", async () => {
  for (const ending of ["never", "drawn"] as const) {
    const folder = await writeBenchCheckpoint("practice", ending);
    folders.push(folder);
    const policy = await openEmbeddedPolicy({ checkpoint: folder, workers: 1 });
    const requests = equalPrompts(8, 16).map(({ text }, i) => ({
      prompt: text,
      samples: 4,
      seed: i,
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 64 },
    }));
    const completions = (await policy.sample(requests)).flat();
    await policy.close();
    const short = completions.filter(({ tokens }) => tokens.length < 64).length;
    if (ending === "never") expect(short).toBe(0);
    else expect(short).toBeGreaterThan(completions.length / 2);
  }
});

test("weights of a checkpoint are a function of the model alone", async () => {
  const [first, second] = [
    await writeBenchCheckpoint("practice", "drawn"),
    await writeBenchCheckpoint("practice", "drawn"),
  ];
  folders.push(first, second);
  expect(readCheckpoint(first).parameters).toEqual(readCheckpoint(second).parameters);
});

test("a rollout batch is the one whose lengths the peers read, weighs its tokens to 1 and keeps groups together", () => {
  const batch = rolloutBatch(16, 8, 96);
  const { lengths } = JSON.parse(
    readFileSync(new URL("../../bench/peers/lengths.json", import.meta.url), "utf8"),
  ) as { lengths: [number, number][] };
  expect(lengthsOf(batch)).toEqual(lengths);
  expect(batch.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0)).toBeCloseTo(1, 4);
  for (let i = 0; i < batch.length; i++)
    expect(batch[i]!.promptTokens).toEqual(batch[i - (i % 8)]!.promptTokens);
});

test("a dense batch has as many loss tokens as it says", () => {
  const batch = denseBatch("small", 16, 128);
  expect(lengthsOf(batch)).toEqual(Array.from({ length: 16 }, () => [1, 128]));
  expect(Math.max(...batch.flatMap(({ responseTokens }) => responseTokens))).toBeLessThan(64);
});

test("speeds, medians and ratios", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
  const engine = summarize(
    { workload: "w", model: "m", cores: 1, side: "engine" },
    joinMeasurements([
      { tokens: [100], seconds: [1], cpuSeconds: [1] },
      { tokens: [100, 100], seconds: [2, 0.5], cpuSeconds: [1, 0.5] },
    ]),
  );
  expect(engine).toMatchObject({ repeats: 3, best: 200, median: 100, medianSeconds: 1, perCpuSecond: 120 });
  expect(engine.coresUsed).toBeCloseTo(2.5 / 3.5);
  const peer = summarize(
    { workload: "w", model: "m", cores: 1, side: "peer" },
    { tokens: [50, 50], seconds: [1, 0.5], cpuSeconds: [1, 1] },
    engine,
  );
  expect(peer.ratio).toEqual({ best: 2, median: 100 / 75, perCpuSecond: 2.4 });
  expect(formatTable([engine, peer]).split("\n")).toHaveLength(4);
  expect(formatTable([engine, peer])).toContain("2.00x");
});
