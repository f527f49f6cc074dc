/** Section of a problems stage: where problems come from and which are kept. Source: recipe A1.5, A1.6, A2, A10. */
import { z } from "zod";
import { MAX_PROBLEMS, modelSchema, problemsSchema, promptSchema, referenceSchema } from "./common.ts";
import { problemSourcesSchema } from "./problem-sources.ts";
import { suitabilityFields } from "./rl-data.ts";

export const problemsStageSchema = z.strictObject({
  sources: problemSourcesSchema,
  invalidRows: z
    .enum(["error", "drop"])
    .default("error")
    .describe("A row without a question or a usable answer stops the run, or is left out and counted."),
  contradictions: z
    .enum(["keep_first", "drop"])
    .default("keep_first")
    .describe(
      "Of rows that give one question different answers keep the first, or none: at least one is wrong.",
    ),
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
  unsuitable: suitabilityFields.unsuitable
    .default([])
    .describe("Also drop problems that automatic evaluation cannot judge, for these reasons."),
  maxSymbols: suitabilityFields.maxSymbols,
  maxPromptCharacters: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(16_384)
    .describe(
      "Drop longer questions before anything else is looked at; 1024 tokens are about 3000 characters.",
    ),
  overlong: z
    .strictObject({
      model: modelSchema.describe(
        "The model whose tokenizer and chat template count: a stage id, `builtin:<name>` or a checkpoint folder.",
      ),
      maxTokens: z
        .int()
        .min(1)
        .max(1_048_576)
        .default(1024)
        .describe("Longest prompt, chat template and opening of the answer included; 1024 as V1."),
      prompt: promptSchema,
    })
    .optional()
    .describe("The V1 filter of overlong prompts."),
  decontaminate: z
    .strictObject({
      against: z
        .array(problemsSchema)
        .min(1)
        .max(64)
        .describe("Benchmarks: ids of stages that write problems, or files."),
      words: z
        .int()
        .min(3)
        .max(100)
        .default(13)
        .describe("Words of a shared run; a benchmark question with fewer words counts as a whole."),
      minWords: z
        .int()
        .min(1)
        .max(100)
        .default(6)
        .describe("A benchmark question with fewer words is found only where it is the whole question."),
      phraseQuestions: z
        .int()
        .min(0)
        .max(1000)
        .default(3)
        .describe(
          "A run that this many benchmark questions share is a phrase and does not count; 0 = every run counts.",
        ),
      nearShare: z
        .number()
        .min(0)
        .max(1)
        .default(0.6)
        .describe(
          "Also drop a problem that has this share of a benchmark question's words in short runs: a copy with words changed; 0 = not.",
        ),
    })
    .optional()
    .describe("Drop problems that are a benchmark's question, in full, in part or with words changed."),
});

export type ProblemsConfig = z.infer<typeof problemsStageSchema>;
