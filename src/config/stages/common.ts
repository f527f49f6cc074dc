/**
 * Pieces several stage sections share: references, sampling, prompts, optimiser, problem sources.
 * Keys are camelCase here and snake_case in a recipe file; the mapping is generic.
 */
import { z } from "zod";

/** Largest counts a recipe may ask for: a typing slip must not fill the memory. */
export const MAX_PROBLEMS = 1_000_000;
export const MAX_SAMPLES = 4096;
export const MAX_STEPS = 1_000_000;

/** A stage id or a path; what it must hold is said where it is used. */
export const referenceSchema = z.string().min(1).max(4096);

/** A model: stage id, `builtin:<name>`, `served:<name>` or a checkpoint folder. */
export const modelSchema = referenceSchema.describe(
  "Weights to use: a stage id, `builtin:<name>`, the path of a Hugging Face checkpoint folder, or `served:<name>` for a model the openai engine's server holds.",
);

/** Problems: the id of a stage that writes problems, or a JSONL file. */
export const problemsSchema = referenceSchema.describe(
  "Problems to use: the id of a stage that writes problems, or the path of a JSONL or Parquet file.",
);

const samplingKeys = z.strictObject({
  temperature: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe("Logits are divided by it; 0 = greedy. Training samples and trains at the same temperature."),
  temperatureFrom: referenceSchema
    .optional()
    .describe(
      "In place of `temperature`: the temperature_sweep stage that chooses it, or the path of a sweep.json.",
    ),
  topK: z.int().min(0).max(1_000_000).default(0).describe("Keep the k most likely tokens; 0 = off."),
  topP: z.number().gt(0).max(1).default(1).describe("Keep the smallest set of tokens this likely; 1 = off."),
  minP: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("Drop tokens less likely than this share of the most likely one; 0 = off."),
  maxNewTokens: z
    .int()
    .min(1)
    .max(1_048_576)
    .describe("Response limit in tokens; a response cut here is truncated and never correct."),
});

/** How responses are drawn. The runner puts the temperature of `temperatureFrom` in its place before a stage starts. */
export const samplingSchema = samplingKeys.refine(
  // A resolved recipe states the default beside the reference, so 1 is not taken for a second answer.
  ({ temperature, temperatureFrom }) => temperatureFrom === undefined || temperature === 1,
  { error: "expected temperature or temperature_from, got both" },
);

/** The same without a temperature, for stages that try several. */
export const drawSchema = samplingKeys.omit({ temperature: true, temperatureFrom: true });

const instructionSchema = z.enum(["plain", "boxed", "boxed_and_underline"]);

/** What is added to the user's question before the chat template: a word, or a section that also says where. */
export const promptSchema = z
  .union([
    instructionSchema,
    z.strictObject({
      instruction: instructionSchema.describe("What the model is asked for, as in the short form."),
      position: z
        .enum(["after_suffix", "before_question", "system"])
        .default("after_suffix")
        .describe(
          "Where the request to underline stands: after the boxed suffix, before the question, or in the system message.",
        ),
      system: z
        .string()
        .min(1)
        .max(20_000)
        .optional()
        .describe(
          "A system message, for example `Reasoning: high`; the model's template must know the role.",
        ),
    }),
  ])
  .default("plain")
  .describe(
    "Instruction after the question: none (how POLARIS trains), the boxed suffix (how it evaluates), or that and the request to underline intermediate results. As a section, also where the request stands.",
  );

/** How a response is judged. */
export const graderSchema = z
  .strictObject({
    mode: z
      .enum(["strict", "compat"])
      .default("strict")
      .describe("`strict` compares mathematically; `compat` repeats the verdicts of the released V1 grader."),
    answerFrom: z
      .enum(["last_boxed", "think_close"])
      .default("last_boxed")
      .describe("`think_close` looks for the boxed answer only after the first `</think>`, as V1 trained."),
  })
  .prefault({});

/** AdamW; the learning rate's default differs between supervised and reinforcement learning. */
export function optimizerSchema(defaults: { learningRate: number; weightDecay: number; beta2: number }) {
  return z
    .strictObject({
      learningRate: z.number().gt(0).max(10).default(defaults.learningRate).describe("Peak learning rate."),
      beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of the first moment."),
      beta2: z.number().min(0).lt(1).default(defaults.beta2).describe("Decay of the second moment."),
      epsilon: z.number().gt(0).max(1).default(1e-8).describe("Added to the root of the second moment."),
      weightDecay: z
        .number()
        .min(0)
        .max(10)
        .default(defaults.weightDecay)
        .describe("Decoupled weight decay."),
      maxGradientNorm: z.number().min(0).default(1).describe("Clip of the global gradient norm; 0 = off."),
    })
    .prefault({});
}

/** Learning rate over the steps of a stage. */
export const scheduleSchema = z.strictObject({
  kind: z.enum(["constant", "cosine", "linear"]).describe("Shape after the warm-up."),
  warmupRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("Share of the steps over which the rate rises linearly."),
  finalRatio: z.number().min(0).max(1).default(0).describe("Rate at the last step, as a share of the peak."),
});

/** Which rollouts are kept on disk. */
export const keepRolloutsSchema = z
  .int()
  .min(0)
  .max(MAX_STEPS)
  .default(1)
  .describe("Write the rollouts of every n-th step to `rollouts/<id>/`; 0 = none.");

/** What kept rollouts are written as. Absent from a resolved recipe when left out. */
export const rolloutFormatSchema = z
  .enum(["files", "store"])
  .optional()
  .describe(
    "Kept rollouts as `.jsonl.gz` files (default), or as a compressed store, which can be queried and is smaller.",
  );

export type RolloutFormat = NonNullable<z.infer<typeof rolloutFormatSchema>>;
export type SamplingConfig = z.infer<typeof samplingSchema>;
export type PromptConfig = z.infer<typeof promptSchema>;
export type GraderConfig = z.infer<typeof graderSchema>;
export type OptimizerConfig = z.infer<ReturnType<typeof optimizerSchema>>;
export type ScheduleConfig = z.infer<typeof scheduleSchema>;
