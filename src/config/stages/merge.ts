/** Section of a merge stage: theta = alpha * base + (1 - alpha) * other. Source: recipe B13. */
import { z } from "zod";
import {
  graderSchema,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  samplingSchema,
} from "./common.ts";

const alphaSchema = z.number().min(0).max(1);

export const mergeSchema = z.strictObject({
  base: modelSchema.describe("Weights at alpha = 1, the model that was taught."),
  other: modelSchema.describe("Weights at alpha = 0, the distilled model."),
  alpha: z
    .union([z.literal("best"), alphaSchema])
    .default(0.5)
    .describe("Weight of the base in the model written; `best` takes the sweep's best point. POLARIS 0.5."),
  sweep: z
    .strictObject({
      alphas: z
        .array(alphaSchema)
        .min(2)
        .max(101)
        .default([0, 0.3, 0.4, 0.5, 0.7, 1])
        .describe("Points evaluated; the published grid by default."),
      problems: problemsSchema.describe("Validation problems; never the held-out ones the report shows."),
      samplesPerProblem: z.int().min(1).max(MAX_SAMPLES).default(4).describe("k of avg@k."),
      sampling: samplingSchema,
      prompt: promptSchema,
      grader: graderSchema,
    })
    .optional()
    .describe("Evaluate several alphas; without it only the given alpha is merged."),
});

export type MergeConfig = z.infer<typeof mergeSchema>;
