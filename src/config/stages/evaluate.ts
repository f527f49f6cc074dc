/** Section of an evaluate stage: arms × benchmarks, k samples each. Source: recipe A10. */
import { z } from "zod";
import {
  graderSchema,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  samplingSchema,
} from "./common.ts";

export const evaluateSchema = z.strictObject({
  arms: z
    .array(
      z.strictObject({
        arm: z
          .string()
          .min(1)
          .max(64)
          .describe(
            "Name of the row in every table, for example `grpo`. `{key}` stands for that number of the model's stage: `merged@{alpha}`.",
          ),
        model: modelSchema,
      }),
    )
    .min(1)
    .max(64)
    .describe("The models to compare; each is sampled with the same seeds."),
  problems: problemsSchema.describe("Benchmark problems; the column `source` names the benchmark."),
  samplesPerProblem: z.int().min(1).max(MAX_SAMPLES).default(4).describe("k of avg@k."),
  sampling: samplingSchema.describe("Stored with every score: top-k alone moves scores by points at T > 1."),
  prompt: promptSchema,
  grader: graderSchema,
  showSamples: z
    .int()
    .min(0)
    .max(100)
    .default(2)
    .describe("Responses per arm and benchmark kept for the report's page of samples."),
});

export type EvaluateConfig = z.infer<typeof evaluateSchema>;
