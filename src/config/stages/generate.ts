/** Section of a generate stage: graded responses of any model to problems, for building data sets. Source: recipe B3, B5. */
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
import { requiredSpansSchema } from "./sft-data.ts";

export const generateSchema = z.strictObject({
  model: modelSchema.describe(
    "The model that writes the responses: a teacher, or the one that will be trained.",
  ),
  problems: problemsSchema,
  samplesPerProblem: z
    .int()
    .min(1)
    .max(MAX_SAMPLES)
    .default(1)
    .describe("Responses per problem; POLARIS draws 8 to build an RL set."),
  sampling: samplingSchema,
  prompt: promptSchema,
  grader: graderSchema,
  requiredSpans: requiredSpansSchema.describe(
    "Distinct `\\underline{}` results a response needs to count as compliant in this stage's numbers.",
  ),
  rolloutFormat: rolloutFormatSchema,
  limit: z.int().min(1).max(MAX_PROBLEMS).optional().describe("Use only the first n problems."),
});

export type GenerateConfig = z.infer<typeof generateSchema>;
