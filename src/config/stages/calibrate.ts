/** Section of a calibrate stage: difficulty estimate, filter and the rollouts it leaves. Source: recipe A1, B5. */
import { z } from "zod";
import {
  graderSchema,
  MAX_PROBLEMS,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  referenceSchema,
  rolloutFormatSchema,
  samplingSchema,
} from "./common.ts";

/** Stored rollouts one stage may read. */
const MAX_REUSED = 100;

/** Samples of the largest calibration. */
const MAX_FAILED = 1_000_000;

const calibrateKeys = z.strictObject({
  model: modelSchema.optional().describe("The very model that will be trained; or give `reuse` alone."),
  problems: problemsSchema,
  samplesPerProblem: z
    .int()
    .min(1)
    .max(MAX_SAMPLES)
    .default(8)
    .describe("Responses per problem; the pass rate is correct / samples. POLARIS uses 8."),
  sampling: samplingSchema.describe(
    "How the responses are drawn. POLARIS used temperature 0.6 for the study.",
  ),
  prompt: promptSchema,
  grader: graderSchema,
  filter: z
    .strictObject({
      dropSolved: z
        .boolean()
        .default(true)
        .describe("Drop problems solved every time, the V1 rule. Problems never solved are kept."),
      minPassRate: z
        .number()
        .min(0)
        .max(1)
        .default(0)
        .describe("Keep problems with at least this pass rate; 0 keeps those never solved, as POLARIS does."),
      dropUnsolved: z
        .boolean()
        .default(false)
        .describe("Also drop problems never solved. POLARIS keeps them; secondary articles have it wrong."),
      maxPassRate: z
        .number()
        .min(0)
        .max(1)
        .default(1)
        .describe("Keep problems with at most this pass rate; 0.5 is the aggressive filter of the ablation."),
    })
    .prefault({})
    .describe("What is left out of the problems this stage writes."),
  reuse: z
    .array(referenceSchema)
    .max(MAX_REUSED)
    .default([])
    .describe(
      "Stages or files with responses this model already gave, drawn as `sampling` says: they are graded again and only the problems they lack are drawn.",
    ),
  compareWith: referenceSchema
    .optional()
    .describe(
      "Earlier calibrate stage, or its pass-rates.json, on the same problems: writes how difficulty shifted since.",
    ),
  limit: z.int().min(1).max(MAX_PROBLEMS).optional().describe("Use only the first n problems."),
  keepRollouts: z
    .enum(["all", "correct", "none"])
    .default("all")
    .describe("Which rollouts are written; consensus sets are seeded from the correct ones."),
  rolloutFormat: rolloutFormatSchema,
  allowFailed: z
    .int()
    .min(0)
    .max(MAX_FAILED)
    .default(0)
    .describe(
      "Responses a server may fail to give after all its retries; their problems are left out as `unsampled`, and asked for again when the stage is repeated. More of them end the stage, which `--resume` continues.",
    ),
});

export const calibrateSchema = calibrateKeys.refine(
  ({ model, reuse }) => model !== undefined || reuse.length > 0,
  { error: "expected model, reuse or both" },
);

export type CalibrateConfig = z.infer<typeof calibrateSchema>;
