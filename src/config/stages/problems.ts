/** Section of a problems stage: where problems come from and which are kept. Source: recipe A1.5, A2, A10. */
import { z } from "zod";
import { MAX_PROBLEMS, problemsSchema, referenceSchema } from "./common.ts";

/** Problems of the built-in practice tasks. */
const practiceSource = z.strictObject({
  from: z.literal("practice"),
  benchmarks: z
    .array(z.string().min(1).max(64))
    .min(1)
    .max(64)
    .describe("Named practice benchmarks, for example `chain` or `inverse-long`."),
  split: z
    .enum(["train", "validation", "held_out"])
    .describe("No problem is in two splits, whatever the seeds and sizes."),
  count: z.int().min(1).max(MAX_PROBLEMS).describe("Problems per benchmark."),
  seed: z.int().min(0).max(0xffffffff).optional().describe("Seed of the drawing; the stage's by default."),
});

/** Problems in a JSONL file or written by an earlier stage. */
const referenceSource = z.strictObject({
  from: z.literal("reference"),
  problems: problemsSchema,
  source: z.string().min(1).max(64).optional().describe("Rename the benchmark these problems belong to."),
});

export const problemsStageSchema = z.strictObject({
  sources: z
    .array(z.discriminatedUnion("from", [practiceSource, referenceSource]))
    .min(1)
    .max(64)
    .describe("Read in order; of two problems with one id or one text the first is kept."),
  shuffle: z.boolean().default(false).describe("Put the problems in a seeded random order."),
  limit: z.int().min(1).max(MAX_PROBLEMS).optional().describe("Keep the first n after shuffling."),
  dropEasy: z
    .strictObject({
      stage: referenceSchema.describe("The rl stage whose accuracy log decides."),
      threshold: z
        .number()
        .min(0)
        .max(1)
        .default(0.9)
        .describe("Drop a problem whose accuracy is strictly above this."),
      variant: z
        .enum(["mean", "last_visit", "ema"])
        .default("mean")
        .describe("Accuracy over all visits of that stage, the last one, or a moving average."),
      minVisits: z.int().min(1).max(1000).default(1).describe("Problems visited less often are kept."),
    })
    .optional()
    .describe("The V1 rule between stages: leave out what has become easy."),
  requireVerifiable: z
    .boolean()
    .default(true)
    .describe("Drop problems whose own answer the grader does not accept as correct."),
  maxPromptCharacters: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16_384)
    .describe("Drop longer prompts; V1 filters prompts above 1024 tokens."),
});

export type ProblemsConfig = z.infer<typeof problemsStageSchema>;
