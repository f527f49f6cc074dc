/**
 * What is accepted as an evaluation file: a zod shape, since such files come from other machines and other versions.
 * Every list and text is capped; unknown keys are ignored. The type itself is `evaluation-file.ts`.
 */
import { z } from "zod";
import type { EvaluationFile } from "./evaluation-file.ts";

/** Longest name (stage, arm, benchmark, problem id) accepted: longer ones are an attack or a mistake. */
const name = z.string().max(300);
const count = z.number().int().min(0);
/** Most problems of one benchmark: 2 M rows are far above any benchmark and still fit in memory. */
const MAX_PROBLEMS = 2_000_000;
/** Most samples per problem a recipe may ask for. */
const MAX_SAMPLES = 4096;
/** 64 paths of 4096 characters, as a recipe may name. */
const MAX_REFERENCE_CHARACTERS = 64 * 4100;
const MAX_ARMS = 200;
const MAX_BENCHMARKS = 200;

const estimate = { value: z.number(), low: z.number(), high: z.number() };

const sampling = z.object({
  temperature: z.number(),
  topK: z.number(),
  topP: z.number(),
  minP: z.number(),
  maxNewTokens: z.number(),
});

export const summaryRowShape = z.object({
  arm: name,
  benchmark: name,
  metric: name,
  ...estimate,
  problems: count,
  samples: count,
  seed: z.number(),
});

const responses = z
  .object({
    tokens: z.array(count).max(MAX_SAMPLES),
    outcomes: z
      .string()
      .max(MAX_SAMPLES)
      .regex(/^[cwneCWNE]*$/, "expected the letters c, w, n, e"),
    answers: z.array(z.number().int().min(-1)).max(MAX_SAMPLES),
  })
  .refine(
    ({ tokens, outcomes, answers }) => tokens.length === outcomes.length && answers.length === tokens.length,
    "expected one length, outcome and answer per response",
  );

const problem = z.object({
  id: name,
  correct: count,
  truncated: count,
  noBoxed: count,
  graderErrors: count,
  meanTokens: z.number().min(0),
  steps: z.number().optional(),
  distinct4: z.number().min(0).max(1).optional(),
  responses: responses.optional(),
});

const lengthBucket = z.object({
  fromTokens: count,
  toTokens: count.nullable(),
  responses: count,
  correct: count,
  truncated: count,
  accuracy: z.object(estimate).nullable(),
});

const budgetPoint = z.object({
  budgetTokens: count,
  accuracy: z.object(estimate),
  truncated: z.number(),
});

const benchmark = z.object({
  benchmark: name,
  samplesPerProblem: count.min(1),
  sampling: sampling.optional(),
  problems: z.array(problem).max(MAX_PROBLEMS),
  lengths: z.array(lengthBucket).max(100).optional(),
  budgets: z.array(budgetPoint).max(100).optional(),
});

const arm = z.object({
  arm: name,
  model: z.string().max(4096),
  modelSha256: name.nullable().optional(),
  ropeScaling: z
    .object({
      factor: z.number(),
      originalLength: z.number(),
      attentionScale: z.number(),
      betaFast: z.number(),
      betaSlow: z.number(),
      maxPositionEmbeddings: z.number(),
    })
    .nullable()
    .optional(),
  benchmarks: z.array(benchmark).max(MAX_BENCHMARKS),
  mean: z.object(estimate).optional(),
  lengths: z.array(lengthBucket).max(100).optional(),
  budgets: z.array(budgetPoint).max(100).optional(),
});

const comparison = z.object({
  arm: name,
  reference: name,
  benchmark: name,
  ...estimate,
  problems: count,
  wins: count,
  losses: count,
  ties: count,
  p: z.number(),
});

const hardest = z.object({
  reference: name,
  scope: z.enum(["pooled", "per_benchmark"]),
  samplesPerProblem: count.min(1),
  problems: z.array(z.object({ benchmark: name, id: name, selectedOn: z.number() })).max(10_000),
  regression: z.object({ selectedOn: z.number(), fresh: z.number() }),
  arms: z
    .array(
      z.object({
        arm: name,
        accuracies: z.array(z.number()).max(10_000),
        mean: z.object(estimate),
        comparison: comparison.nullable(),
      }),
    )
    .max(MAX_ARMS),
});

export const evaluationShape = z.object({
  layout: z.literal(2).optional(),
  stage: name,
  seed: z.number(),
  sampling,
  graderVersion: name,
  grader: z.object({ mode: name, answerFrom: name }).optional(),
  prompt: z
    .object({ instruction: name, position: name, system: z.string().max(20_000).optional() })
    .optional(),
  problems: z
    .object({
      reference: z.string().max(MAX_REFERENCE_CHARACTERS),
      sha256: name,
      count,
      limit: count.min(1).optional(),
    })
    .optional(),
  arms: z.array(arm).max(MAX_ARMS),
  reference: name.nullable().optional(),
  comparisons: z.array(comparison).max(100_000).optional(),
  hardest: hardest.nullable().optional(),
  rows: z.array(summaryRowShape).max(100_000),
});

// A stage's file must always be readable, and what is read be a file: these fail to compile when the two part ways.
type Accepts<Written, Read> = Written extends Read ? true : never;
export const EVALUATION_SHAPE_AGREES: [
  Accepts<EvaluationFile, z.infer<typeof evaluationShape>>,
  Accepts<z.infer<typeof evaluationShape>, EvaluationFile>,
] = [true, true];
