/** Section of an rl stage: GRPO with the DAPO-style settings of POLARIS, outcome or CORE reward. Source: recipe A6 to A8, B7, B8. */
import { z } from "zod";
import {
  graderSchema,
  keepRolloutsSchema,
  MAX_PROBLEMS,
  MAX_SAMPLES,
  MAX_STEPS,
  modelSchema,
  optimizerSchema,
  problemsSchema,
  promptSchema,
  referenceSchema,
  rolloutFormatSchema,
  samplingSchema,
  scheduleSchema,
} from "./common.ts";
import { consensusSchema, rewardSchema } from "./reward.ts";
import { keepModelsSchema } from "./rl-keep.ts";
import { lengthAlarmSchema, lengthsSchema, stopSchema } from "./rl-stop.ts";

const lossSchema = z
  .strictObject({
    clipRatioLow: z.number().min(0).max(1).default(0.2).describe("The ratio is not rewarded below 1 - this."),
    clipRatioHigh: z
      .number()
      .min(0)
      .max(10)
      .default(0.28)
      .describe("The ratio is not rewarded above 1 + this."),
    clipRatioC: z.number().gt(1).max(1000).default(3).describe("Dual clip for negative advantages."),
    aggregation: z
      .enum([
        "global_token_mean",
        "verl_micro_batch",
        "seq_mean_token_mean",
        "seq_mean_token_sum",
        "seq_mean_token_sum_norm",
      ])
      .default("global_token_mean")
      .describe("How token losses become one number; `verl_micro_batch` is what the V1 trainer computes."),
    microBatchTokens: z
      .int()
      .min(1)
      .max(100_000_000)
      .default(16_384)
      .describe("Token budget of a micro-batch; only `verl_micro_batch` depends on it."),
    entropyCoefficient: z.number().min(0).max(10).default(0).describe("Weight of an entropy bonus; 0 = off."),
    klCoefficient: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        "Weight of the KL to the `reference` model; 0 = off, as POLARIS trains, and no reference is held.",
      ),
    klEstimator: z
      .enum(["kl", "abs", "mse", "low_var_kl"])
      .default("low_var_kl")
      .describe("How the KL is estimated per token; names as in verl."),
    normalizeByStd: z
      .boolean()
      .default(true)
      .describe("Divide advantages by the group's standard deviation."),
  })
  .prefault({});

const zeroAdvantageSchema = z
  .strictObject({
    strategy: z
      .enum(["substitute", "keep", "reject", "backfill", "filter"])
      .default("substitute")
      .describe(
        "Groups that teach nothing: copy informative ones over them, keep them, leave them out, fill up with stored ones, or leave them out and sample on until the batch is full (DAPO).",
      ),
    maxRounds: z
      .int()
      .min(1)
      .max(1000)
      .default(10)
      .describe("Batches `filter` samples for one step at most; what is there then is judged by the gate."),
    goodGroupBy: z
      .enum(["outcome", "total_std"])
      .optional()
      .describe(
        "Informative = right and wrong answers in it, or any difference in total reward; the reward preset decides by default.",
      ),
    gate: z
      .union([z.literal("floor_third"), z.number().min(0).lt(1)])
      .default("floor_third")
      .describe("Informative groups a batch must exceed: floor(B/3) as published, or a share of the batch."),
    cacheGroups: z
      .int()
      .min(1)
      .max(100_000)
      .default(256)
      .describe("Informative groups `backfill` stores at most."),
    cacheMaxAgeSteps: z
      .int()
      .min(1)
      .max(MAX_STEPS)
      .optional()
      .describe("Oldest stored group `backfill` uses; no limit when left out."),
    onGate: z
      .enum(["redraw", "count", "ignore"])
      .default("redraw")
      .describe(
        "A batch below the gate is skipped without counting a step, skipped as a step, or substituted all the same.",
      ),
    maxRedraws: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("Batches skipped in a row before the stage gives up with an error."),
  })
  .prefault({});

const rescueSchema = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Put a stored correct response into a group without one."),
    store: z
      .enum(["random", "last", "shortest"])
      .default("random")
      .describe("Which correct response is stored."),
    maxAgeEpochs: z
      .number()
      .min(0)
      .max(1_000_000)
      .optional()
      .describe("Stored responses older than this are not used; no limit when left out."),
    maxProblems: z
      .int()
      .min(1)
      .max(MAX_PROBLEMS)
      .optional()
      .describe(
        "Problems remembered at most, the one stored longest ago leaves first; no limit when left out.",
      ),
    from: referenceSchema
      .optional()
      .describe(
        "Earlier rl stage whose stored responses are known from the start; of problems no longer trained on they are forgotten.",
      ),
  })
  .prefault({});

const validationSchema = z.strictObject({
  problems: problemsSchema,
  every: z.int().min(1).max(MAX_STEPS).default(10).describe("Steps between validations."),
  samplesPerProblem: z.int().min(1).max(MAX_SAMPLES).default(8).describe("k of avg@k."),
  atStart: z.boolean().default(false).describe("Also validate before the first step."),
  sampling: samplingSchema.optional().describe("As in training when left out."),
});

export const rlSchema = z.strictObject({
  model: modelSchema,
  problems: problemsSchema,
  steps: z
    .int()
    .min(1)
    .max(MAX_STEPS)
    .describe(
      "Optimiser steps (batches that pass the gate); the most there are where `stop` can end the stage.",
    ),
  batchSize: z.int().min(1).max(65_536).default(128).describe("Problems per step. V1 128, V2 64."),
  samplesPerProblem: z.int().min(1).max(MAX_SAMPLES).default(8).describe("Responses per problem: the group."),
  order: z
    .enum(["shuffled", "given"])
    .default("shuffled")
    .describe("A new random order every epoch, or the order of the file, as a curriculum needs."),
  miniBatches: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe("Optimiser updates per batch; 1 is fully on-policy, as POLARIS trains."),
  sampling: samplingSchema.refine((sampling) => sampling.temperature > 0, {
    error: "temperature: expected above 0, greedy responses cannot be learnt from",
  }),
  lengths: lengthsSchema,
  stop: stopSchema,
  lengthAlarm: lengthAlarmSchema,
  reference: modelSchema
    .optional()
    .describe(
      "Model the KL is measured against, held beside the trained one; default: the model trained from.",
    ),
  prompt: promptSchema,
  grader: graderSchema,
  oldLogprobs: z
    .enum(["sampler", "recompute"])
    .default("sampler")
    .describe("Whose log-probabilities of the responses count as old; the sampler must give tempered ones."),
  optimizer: optimizerSchema({ learningRate: 1e-6, weightDecay: 0.01, beta2: 0.999 }),
  schedule: scheduleSchema.default({ kind: "constant", warmupRatio: 0, finalRatio: 1 }),
  loss: lossSchema,
  reward: rewardSchema.prefault({}),
  consensus: consensusSchema,
  zeroAdvantage: zeroAdvantageSchema,
  rescue: rescueSchema,
  validation: validationSchema.optional(),
  output: z
    .enum(["last", "best"])
    .default("last")
    .describe(
      "Model written: after the last step, or the most accurate one on the validation problems. The other one is `<id>@last` or `<id>@best`.",
    ),
  keepModels: keepModelsSchema,
  checkpointEvery: z.int().min(1).max(MAX_STEPS).default(10).describe("Write resumable state every n steps."),
  keepRollouts: keepRolloutsSchema,
  rolloutFormat: rolloutFormatSchema,
});

export type RlConfig = z.infer<typeof rlSchema>;
