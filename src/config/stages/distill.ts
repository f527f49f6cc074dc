/** Section of a distill stage: the student learns a teacher model's own samples. Source: recipe B11. */
import { z } from "zod";
import {
  graderSchema,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  samplingSchema,
} from "./common.ts";
import { exampleFilterSchema, trainingFields } from "./supervised.ts";

export const distillSchema = z.strictObject({
  teacher: modelSchema.describe("The specialist that is sampled."),
  student: modelSchema.describe("The larger model that is trained."),
  problems: problemsSchema.describe("Prompts; POLARIS used 9K general ones."),
  samplesPerProblem: z.int().min(1).max(MAX_SAMPLES).default(1).describe("Responses per prompt."),
  sampling: samplingSchema,
  filter: exampleFilterSchema.describe("POLARIS drops truncated and empty responses only."),
  prompt: promptSchema,
  grader: graderSchema,
  ...trainingFields({ learningRate: 5e-6, epochs: 1 }),
});

export type DistillConfig = z.infer<typeof distillSchema>;
