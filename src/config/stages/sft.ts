/** Section of an sft stage: response-only cross-entropy on given responses. Source: recipe B3. */
import { z } from "zod";
import { graderSchema, modelSchema, promptSchema, referenceSchema } from "./common.ts";
import { exampleFilterSchema, trainingFields } from "./supervised.ts";

export const sftSchema = z.strictObject({
  model: modelSchema,
  data: z
    .array(referenceSchema)
    .min(1)
    .max(64)
    .describe("Stages that write rollouts (teacher, calibrate), or rollout files."),
  problems: referenceSchema
    .optional()
    .describe("Problems the responses answer; the ones their stage used by default."),
  filter: exampleFilterSchema,
  prompt: promptSchema,
  grader: graderSchema,
  ...trainingFields({ learningRate: 1e-5, epochs: 2 }),
});

export type SftConfig = z.infer<typeof sftSchema>;
