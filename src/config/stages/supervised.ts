/** Keys of supervised training that sft and distill share. Source: recipe B3, B11; unspecified values from verl's SFT. */
import { z } from "zod";
import { MAX_STEPS, optimizerSchema, scheduleSchema } from "./common.ts";

/** @param defaults learning rate and epochs, which differ between teaching a format and distilling */
export function trainingFields(defaults: { learningRate: number; epochs: number }) {
  return {
    batchSize: z.int().min(1).max(65_536).default(64).describe("Responses per step."),
    epochs: z.number().gt(0).max(1000).default(defaults.epochs).describe("Passes over the data."),
    maxSteps: z.int().min(1).max(MAX_STEPS).optional().describe("Stop after this many steps."),
    maxTokens: z
      .int()
      .min(2)
      .max(1_048_576)
      .default(16_384)
      .describe("Drop examples longer than this, prompt and response together."),
    optimizer: optimizerSchema({ learningRate: defaults.learningRate, weightDecay: 0.01, beta2: 0.95 }),
    schedule: scheduleSchema.default({ kind: "cosine", warmupRatio: 0.1, finalRatio: 0 }),
    checkpointEvery: z
      .int()
      .min(0)
      .max(MAX_STEPS)
      .default(100)
      .describe("Write resumable state every n steps; 0 = never."),
  };
}

/** Which responses may be learnt from. */
export const exampleFilterSchema = z
  .strictObject({
    requireCorrect: z.boolean().default(false).describe("Keep only responses graded correct."),
    requireFinished: z.boolean().default(true).describe("Drop truncated and empty responses."),
    minSpans: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe("Keep only responses with at least this many `\\underline{}` steps."),
  })
  .prefault({});

export type ExampleFilterConfig = z.infer<typeof exampleFilterSchema>;
