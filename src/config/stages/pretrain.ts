/** Section of a pretrain stage: a practice base model from fresh weights, or training on of a given one. */
import { z } from "zod";
import { MAX_STEPS, modelSchema } from "./common.ts";

const share = z.number().min(0).max(1);
const weight = z.number().min(0).max(1000);

const mixtureSchema = z.strictObject({
  factsShare: share.default(0).describe("Share of documents that are arithmetic facts."),
  steps: z
    .array(z.int().min(1).max(9))
    .min(1)
    .max(64)
    .describe("Steps of a problem; repeat one to weigh it."),
  families: z
    .array(z.enum(["chain", "two-route", "inverse"]))
    .min(1)
    .max(64)
    .default(["chain", "two-route", "inverse"]),
  styles: z
    .strictObject({
      full: weight.default(1),
      mid: weight.default(0),
      hasty: weight.default(0),
      direct: weight.default(0),
    })
    .prefault({})
    .describe("Weights of the solution styles."),
  markupShare: share.default(1).describe("Share of documents with `\\underline{}` steps."),
  boxedShare: share.default(1).describe("Share of documents with a boxed answer."),
  noisyShare: share.default(0).describe("Share of documents written with `noisy_error_rate`."),
  errorRate: share.default(0).describe("Probability of a wrong step in other documents."),
  noisyErrorRate: share.default(0),
  shortcutShare: share.default(0.5).describe("Probability of the second route where there is one."),
});

const phaseSchema = z.strictObject({
  name: z.string().min(1).max(64).describe("Names the document stream; unique."),
  steps: z.int().min(1).max(MAX_STEPS),
  documentsPerStep: z.int().min(1).max(4096).default(32),
  learningRate: z.number().gt(0).max(1).describe("Peak of the phase's cosine."),
  warmupSteps: z.int().min(1).max(MAX_STEPS).default(50),
  finalShare: share.default(0.05).describe("Rate at the end, as a share of the peak."),
  mixture: mixtureSchema,
});

export const pretrainSchema = z.strictObject({
  curriculum: z
    .enum(["practice-small", "practice-large"])
    .describe("Architecture, and phases unless `phases` is given."),
  model: modelSchema.optional().describe("Start from these weights instead of fresh ones."),
  phases: z
    .array(phaseSchema)
    .min(1)
    .max(64)
    .optional()
    .describe("Own phases; each restarts the optimiser and its schedule."),
  stepsScale: z
    .number()
    .gt(0)
    .max(10)
    .default(1)
    .describe("Multiplies the steps of every phase; below 1 for a quick try."),
  checkpointEvery: z
    .int()
    .min(0)
    .max(MAX_STEPS)
    .default(200)
    .describe("Write resumable state every n steps; 0 = never."),
});

export type PretrainConfig = z.infer<typeof pretrainSchema>;
