/**
 * The shipped recipes of published runs hold the published numbers, and every reference in them fits its stage. The
 * table below is written down from recipe A5, A6, A9, A10, B3 to B10 on its own, so a slip in the code is no slip here.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRecipe } from "../config/load-recipe.ts";
import { packageRoot } from "../config/package-root.ts";
import type { CampaignConfig } from "../config/stages/campaign.ts";
import type { EvaluateConfig } from "../config/stages/evaluate.ts";
import type { ProblemsConfig } from "../config/stages/problems.ts";
import { checkSchedule, POLARIS_SCHEDULES, type ScheduledStage } from "../rl/index.ts";
import { orderStages } from "./graph.ts";
import { STAGE_KINDS } from "./stages/index.ts";
import { settingsOf } from "./stages/rl/score.ts";

const FOLDER = join(packageRoot(), "recipes", "published");
const schemas = Object.fromEntries(Object.values(STAGE_KINDS).map(({ kind, schema }) => [kind, schema]));

/** The files the recipes leave to the user, where relative paths lead. */
let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-published-"));
  for (const model of ["Qwen3-4B", "Qwen3-1.7B", "DeepSeek-R1-Distill-Qwen-7B", "Qwen3-4B-Thinking-2507"])
    mkdirSync(join(folder, "models", model), { recursive: true });
  mkdirSync(join(folder, "data"));
  for (const file of [
    ...["aime24", "aime25", "aime26", "hmmt25", "amc23", "minerva", "olympiad"].map(
      (name) => `${name}.jsonl`,
    ),
    "areal-boba-106k.jsonl",
    "gpt-oss-20b-responses.jsonl.gz",
  ])
    writeFileSync(join(folder, "data", file), "");
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

function load(name: string) {
  const { recipe, tree } = loadRecipe({ files: [join(FOLDER, `${name}.yaml`)], schemas });
  const find = <Config>(wanted: string): Config =>
    recipe.stages.find(({ id, kind }) => id === wanted || kind === wanted)?.config as Config;
  return {
    recipe,
    order: orderStages(recipe, STAGE_KINDS, tree),
    campaign: find<CampaignConfig>("campaign"),
    pool: find<ProblemsConfig>("pool"),
    evaluation: find<EvaluateConfig>("evaluation"),
    benchmarks: find<ProblemsConfig>("benchmarks"),
  };
}

test("there is one recipe per published run", () => {
  const names = readdirSync(FOLDER).map((name) => name.replace(/\.yaml$/, ""));
  expect(names.sort()).toEqual([...Object.keys(POLARIS_SCHEDULES), "v2-qwen3-4b"].sort());
});

/** Rounds: total budget, prompt, response limit, temperature, validation temperature, first step; then the last step. */
const PUBLISHED: Record<
  keyof typeof POLARIS_SCHEDULES,
  {
    rounds: readonly (readonly [number, number, number, number, number, number | null])[];
    end: number | null;
    evaluatedAt: number;
    rescue: boolean;
  }
> = {
  "qwen3-4b": {
    rounds: [
      [40960, 1024, 39936, 1.4, 1.2, 0],
      [49152, 1024, 48128, 1.45, 1.4, 450],
      [53248, 1024, 52224, 1.5, 1.4, 600],
    ],
    end: 700,
    evaluatedAt: 1.4,
    rescue: false,
  },
  "r1-distill-7b": {
    rounds: [
      [16384, 1024, 15360, 0.7, 0.6, 0],
      [24576, 1024, 23552, 1.0, 0.8, 520],
      [32768, 1024, 31744, 1.1, 0.8, 890],
    ],
    end: 1500,
    evaluatedAt: 1,
    rescue: true,
  },
  // No switch step is published for this model: a round ends at a plateau.
  "qwen3-1.7b": {
    rounds: [
      [40960, 1024, 39936, 1.5, 1.2, null],
      [49152, 1024, 48128, 1.55, 1.4, null],
    ],
    end: null,
    evaluatedAt: 1.4,
    rescue: false,
  },
};

/** Samples per problem by benchmark, as the report scores. */
const SAMPLES = { aime24: 32, aime25: 32, minerva: 4, olympiad: 4, amc23: 8 };

/** Samples per problem of every benchmark an evaluation draws. */
function samplesOf(evaluation: EvaluateConfig, benchmarks: ProblemsConfig): Record<string, number> {
  return Object.fromEntries(
    benchmarks.sources.map((source) => {
      const name = "source" in source ? (source.source as string) : "";
      const override = evaluation.overrides.find(({ benchmarks: own }) => own.includes(name));
      return [name, override?.samplesPerProblem ?? evaluation.samplesPerProblem];
    }),
  );
}

describe.each(Object.entries(PUBLISHED))("%s", (name, published) => {
  test("lengths, temperatures and switch steps of A5, in the recipe and in the schedule of the library", () => {
    const { campaign, pool } = load(name);
    const schedule: readonly ScheduledStage[] = POLARIS_SCHEDULES[name as keyof typeof POLARIS_SCHEDULES];
    expect(campaign.rounds).toHaveLength(published.rounds.length);
    expect(schedule).toHaveLength(published.rounds.length);
    expect(checkSchedule(schedule)).toEqual({ errors: [], warnings: [] });
    for (const [
      i,
      [budget, prompt, response, temperature, validation, first],
    ] of published.rounds.entries()) {
      const next = published.rounds[i + 1]?.[5] ?? published.end;
      const steps = first === null || next === null ? null : next - first;
      expect(prompt + response).toBe(budget);
      expect(pool.overlong?.maxTokens).toBe(prompt);
      const round = campaign.rounds[i];
      expect(round).toMatchObject({ maxNewTokens: response, temperature, validationTemperature: validation });
      expect(round?.steps ?? null).toBe(steps);
      expect(round).toMatchObject({ dropEasy: true, differenceFilter: false });
      expect(schedule[i]).toEqual({
        maxPromptTokens: prompt,
        maxResponseTokens: response,
        temperature,
        validationTemperature: validation,
        steps,
      });
      // The default of A5 where no step is published.
      if (steps === null)
        expect(round?.stop).toMatchObject({
          kind: "plateau",
          metric: "validation",
          window: 5,
          patienceSteps: 100,
        });
    }
    expect(campaign.train.sampling.maxNewTokens).toBe(published.rounds[0]?.[2]);
  });

  test("the settings of A2, A6, A7 and A8", () => {
    const { campaign, order, recipe, pool } = load(name);
    const { train } = campaign;
    expect(recipe.seed).toBe(1);
    // The released scripts leave nothing of the 53K out but overlong prompts.
    expect(pool.requireVerifiable).toBe(false);
    expect(pool.sources[0]).toMatchObject({ from: "hub", dataset: "POLARIS-Project/Polaris-Dataset-53K" });
    expect(train).toMatchObject({
      batchSize: 128,
      samplesPerProblem: 8,
      miniBatches: 1,
      order: "shuffled",
      oldLogprobs: "recompute",
      checkpointEvery: 10,
      // Training prompts carry no boxed suffix.
      prompt: "plain",
      grader: { mode: "compat", answerFrom: "think_close" },
      sampling: { topP: 1, topK: 0, minP: 0 },
      optimizer: { learningRate: 1e-6, beta1: 0.9, beta2: 0.999, weightDecay: 0.01, maxGradientNorm: 1 },
      schedule: { kind: "constant", warmupRatio: 0 },
      reward: { preset: "orm_only" },
    });
    expect(train.loss).toMatchObject({
      clipRatioLow: 0.2,
      clipRatioHigh: 0.28,
      clipRatioC: 3,
      aggregation: "verl_micro_batch",
      microBatchTokens: published.rounds[0]?.[0],
      klCoefficient: 0,
      entropyCoefficient: 0,
      normalizeByStd: true,
    });
    expect(train.zeroAdvantage).toMatchObject({
      strategy: "substitute",
      gate: "floor_third",
      onGate: "redraw",
      goodGroupBy: "outcome",
    });
    expect(train.rescue.enabled).toBe(published.rescue);
    expect(train.validation).toMatchObject({
      problems: "./data/aime24.jsonl",
      every: 10,
      samplesPerProblem: 8,
      atStart: false,
    });
    // As in training: no top-k, whatever the evaluation does.
    expect(train.validation?.sampling).toBeUndefined();
    expect(campaign.dropEasy).toMatchObject({ threshold: 0.9, estimate: "mean", includeOffline: false });
    expect(order.at(-1)?.kind).toBe("report");
  });

  test("the evaluation of A9 and A10", () => {
    const { evaluation, benchmarks } = load(name);
    expect(evaluation).toMatchObject({
      prompt: "boxed",
      grader: { mode: "compat", answerFrom: "last_boxed" },
      sampling: { temperature: published.evaluatedAt, topP: 1, topK: 20, minP: 0, maxNewTokens: 90_000 },
    });
    expect(samplesOf(evaluation, benchmarks)).toEqual(SAMPLES);
    // Never above the training temperature.
    expect(published.evaluatedAt).toBeLessThanOrEqual(published.rounds.at(-1)?.[3] as number);
    expect(evaluation.arms).toEqual([
      expect.objectContaining({
        model: "train",
        ropeScaling: expect.objectContaining({
          factor: 1.5,
          originalLength: 32768,
          attentionScale: 1,
          betaFast: 32,
          betaSlow: 1,
          maxPositionEmbeddings: 131072,
        }),
      }),
    ]);
  });
});

test("the 4B model recalibrates the 53K with 8 responses of its own, drops 8/8 and keeps 0/8", () => {
  const { order } = load("qwen3-4b");
  expect(order.find(({ kind }) => kind === "calibrate")?.config).toMatchObject({
    samplesPerProblem: 8,
    sampling: { temperature: 0.6, maxNewTokens: 39936 },
    filter: { dropSolved: true, dropUnsolved: false },
  });
  expect(load("r1-distill-7b").order.some(({ kind }) => kind === "calibrate")).toBe(false);
});

test("V2: formatting SFT, 300 steps at 1.2, the difference filter, 200 steps at 1.3, CORE", () => {
  const { campaign, order, evaluation, benchmarks } = load("v2-qwen3-4b");
  const configOf = (kind: string): unknown => order.find((stage) => stage.kind === kind)?.config;
  expect(configOf("sft")).toMatchObject({ maxTokens: 16384, prompt: "boxed_and_underline" });
  expect(configOf("sft_data")).toMatchObject({ requiredSpans: 3 });
  expect(configOf("generate")).toMatchObject({ model: "sft", samplesPerProblem: 8 });
  expect(
    campaign.rounds.map(({ temperature, steps, dropEasy, differenceFilter }, i) => ({
      temperature,
      steps,
      ...(i === 0 ? { dropEasy, differenceFilter } : {}),
    })),
  ).toEqual([
    { temperature: 1.2, steps: 300, dropEasy: false, differenceFilter: true },
    { temperature: 1.3, steps: 200 },
  ]);
  expect(campaign.train).toMatchObject({
    batchSize: 64,
    samplesPerProblem: 8,
    prompt: "boxed_and_underline",
    reward: { preset: "blog" },
    consensus: { seeds: ["rl-data"] },
    validation: { problems: "./data/aime25.jsonl", every: 10, samplesPerProblem: 8 },
    loss: { clipRatioLow: 0.2, clipRatioHigh: 0.28 },
    optimizer: { learningRate: 1e-6 },
    zeroAdvantage: { strategy: "substitute", goodGroupBy: "total_std" },
  });
  expect(settingsOf(campaign.train).reward).toMatchObject({
    enabled: true,
    cap: 0.5,
  });
  expect(campaign.differenceFilter).toMatchObject({
    mode: "low",
    samplesPerProblem: 16,
    measure: "containment",
    aggregate: "mean_max",
    threshold: { kind: "quantile", quantile: 0.5 },
  });
  expect(evaluation.sampling).toMatchObject({ temperature: 1.2, topK: 20, topP: 1, maxNewTokens: 81_920 });
  expect(samplesOf(evaluation, benchmarks)).toEqual({ aime25: 32, aime26: 32, hmmt25: 32 });
  expect(evaluation.arms.map(({ model }) => model)).toEqual([
    "./models/Qwen3-4B-Thinking-2507",
    "sft",
    "train@round-1",
    "train",
  ]);
});
