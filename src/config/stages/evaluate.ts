/** Section of an evaluate stage: arms × benchmarks, k samples each. Source: recipe A9, A10, B12. */
import { z } from "zod";
import {
  graderSchema,
  MAX_PROBLEMS,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  rolloutFormatSchema,
  samplingSchema,
} from "./common.ts";
import { ropeScalingSchema } from "./rope-scaling.ts";

/** Longest arm name: it heads rows of tables. */
const MAX_ARM_CHARACTERS = 64;
const MAX_ARMS = 64;
/** Files and stages problems come from in one evaluation. */
const MAX_REFERENCES = 64;
/** Values of k, length edges, budgets: more make no table. */
const MAX_VALUES = 32;

const armNameSchema = z.string().min(1).max(MAX_ARM_CHARACTERS);
const samplesSchema = z.int().min(1).max(MAX_SAMPLES);
const { temperature, temperatureFrom, topK, topP, minP, maxNewTokens } = samplingSchema.shape;

/** Sampling keys of which any may be left out: what is left out stays as the evaluation has it. */
const samplingChangesSchema = z
  .strictObject({
    temperature: temperature.removeDefault().optional().describe("In place of `sampling.temperature`."),
    temperatureFrom,
    topK: topK.removeDefault().optional().describe("In place of `sampling.top_k`."),
    topP: topP.removeDefault().optional().describe("In place of `sampling.top_p`."),
    minP: minP.removeDefault().optional().describe("In place of `sampling.min_p`."),
    maxNewTokens: maxNewTokens.optional().describe("In place of `sampling.max_new_tokens`."),
  })
  .refine(({ temperature: given, temperatureFrom: from }) => given === undefined || from === undefined, {
    error: "expected temperature or temperature_from, got both",
  });

const overrideSchema = z.strictObject({
  benchmarks: z
    .array(z.string().min(1).max(300))
    .min(1)
    .max(200)
    .describe(
      "Names of benchmarks, as in the problems' column `source`, or the paper's (`AIME24` for `test-math-aime24`).",
    ),
  samplesPerProblem: samplesSchema.optional().describe("k of avg@k on these."),
  sampling: samplingChangesSchema.prefault({}).describe("Keys to change on these."),
});

const hardestSchema = z.strictObject({
  count: z.int().min(1).max(10_000).default(20).describe("Problems chosen."),
  scope: z
    .enum(["pooled", "per_benchmark"])
    .default("pooled")
    .describe("`pooled`: so many over all benchmarks together; `per_benchmark`: so many of each."),
  samplesPerProblem: samplesSchema
    .optional()
    .describe("Fresh samples per chosen problem; default: as many as the evaluation drew."),
  reference: armNameSchema
    .optional()
    .describe(
      "Arm whose worst problems are chosen, as written in `arms`; default: the evaluation's reference.",
    ),
  arms: z
    .array(armNameSchema)
    .min(1)
    .max(MAX_ARMS)
    .optional()
    .describe("Arms to compare on them, as written in `arms`; default: all."),
});

export const evaluateSchema = z.strictObject({
  arms: z
    .array(
      z.strictObject({
        arm: armNameSchema.describe(
          "Name of the row in every table, for example `grpo`. `{key}` stands for that number of the model's stage: `merged@{alpha}`.",
        ),
        model: modelSchema,
        ropeScaling: ropeScalingSchema
          .optional()
          .describe("YaRN laid on the model for this evaluation; the weights stay as they are."),
      }),
    )
    .min(1)
    .max(MAX_ARMS)
    .describe("The models to compare; each is sampled with the same seeds."),
  reference: armNameSchema
    .optional()
    .describe("Arm that every other one is compared with, as written in `arms`; default: the first."),
  problems: z
    .union([problemsSchema, z.array(problemsSchema).min(1).max(MAX_REFERENCES)])
    .describe(
      "Benchmark problems, the column `source` names the benchmark: the id of a stage, the path of a JSONL or Parquet file, or a list of these.",
    ),
  limit: z
    .int()
    .min(1)
    .max(MAX_PROBLEMS)
    .optional()
    .describe("Only the first n problems of each benchmark, to try things out; no score to report."),
  samplesPerProblem: samplesSchema.default(4).describe("k of avg@k."),
  sampling: samplingSchema.describe("Stored with every score: top-k alone moves scores by points at T > 1."),
  overrides: z
    .array(overrideSchema)
    .max(200)
    .default([])
    .describe("Benchmarks drawn in another way, for example 32 samples of a small one."),
  prompt: promptSchema,
  grader: graderSchema,
  passAt: z
    .array(samplesSchema)
    .max(MAX_VALUES)
    .optional()
    .describe("k of pass@k; default: 2, 4, 8 and so on up to the samples drawn."),
  majorityAt: z
    .array(samplesSchema)
    .max(MAX_VALUES)
    .optional()
    .describe("k of maj@k; default: all samples drawn."),
  lengthEdges: z
    .array(z.int().min(1).max(1_048_576))
    .max(MAX_VALUES)
    .optional()
    .describe(
      "Token counts between which accuracy by length is given; default: 16384 and 32768, or quarters of a shorter limit.",
    ),
  budgetShares: z
    .array(z.number().gt(0).max(1))
    .min(1)
    .max(MAX_VALUES)
    .default([0.125, 0.25, 0.5, 0.75, 1])
    .describe("Shares of the token limit for which the score is computed again from the same responses."),
  hardest: hardestSchema
    .optional()
    .describe(
      "Compare the arms on the problems the reference does worst on, with fresh samples: those that chose the problems would flatter every other arm.",
    ),
  keepRollouts: z
    .enum(["none", "all"])
    .default("none")
    .describe("Keep the responses themselves; lengths and outcomes are always kept."),
  rolloutFormat: rolloutFormatSchema,
  showSamples: z
    .int()
    .min(0)
    .max(100)
    .default(2)
    .describe("Responses per arm and benchmark kept for the report's page of samples."),
});

export type EvaluateConfig = z.infer<typeof evaluateSchema>;
