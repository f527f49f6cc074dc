/**
 * What the report accepts from a run folder: a zod shape for each result file. Files come from other machines and
 * other versions, so every list and text is capped; unknown keys are ignored, wrong ones make the file unreadable.
 * The types themselves are those of `recipe/result-files.ts`; the assertions at the end keep both in step. Evaluations have
 * their shape in `recipe/evaluation/`, because commands read them too.
 */
import { z } from "zod";
import type { passRateShape } from "../recipe/calibration/pass-rate-shape.ts";
import { summaryRowShape } from "../recipe/evaluation/evaluation-shape.ts";
import type {
  AlphaFile,
  CancellationFile,
  DecisionsFile,
  DifferenceFile,
  DropsFile,
  GainersFile,
  PassRateFile,
  SamplesFile,
  SimilarityFile,
} from "../recipe/result-files.ts";
import type { differenceShape, similarityShape } from "./comparison-shapes.ts";

/** Longest name (stage, arm, benchmark, problem id) shown: longer ones are an attack or a mistake. */
const name = z.string().max(300);
const count = z.number().int().min(0);
/** Most problems of one file: 2 M rows are far above any training set and still fit in memory. */
const MAX_PROBLEMS = 2_000_000;

const sampling = z.object({
  temperature: z.number(),
  topK: z.number(),
  topP: z.number(),
  minP: z.number(),
  maxNewTokens: z.number(),
});

export const gainersShape = z.object({
  stage: name,
  batches: count,
  results: z
    .array(z.object({ problem: name, form: z.string().max(1024), gain: count, support: count }))
    .max(100),
});

export const decisionsShape = z.object({
  stage: name,
  decisions: z
    .array(
      z.object({
        round: count.min(1),
        decision: z.enum(["temperature", "length", "end_of_training", "drop_easy", "difference_filter"]),
        choice: z.union([name, z.number()]),
        reason: z.string().max(4096),
        evidence: z.record(name, z.number()),
      }),
    )
    .max(10_000),
  rounds: z
    .array(
      z.object({
        round: count.min(1),
        stepsBefore: count,
        steps: count.nullable(),
        temperature: z.number(),
        maxNewTokens: count,
        problems: count,
        stopped: z.enum(["steps", "plateau", "length_too_short"]).nullable(),
        files: z.record(name, z.string().max(4096)),
      }),
    )
    .max(1000)
    .default([]),
});

export const dropsShape = z.object({
  stage: name,
  unit: name,
  total: count,
  kept: count,
  reasons: z
    .array(
      z.object({
        reason: name,
        meaning: z.string().max(1000),
        count,
        examples: z
          .array(z.object({ id: name, detail: z.string().max(2000), text: z.string().max(2000) }))
          .max(100),
      }),
    )
    .max(100),
});

export const alphaShape = z.object({
  stage: name,
  chosen: z.number(),
  points: z.array(z.object({ alpha: z.number(), rows: z.array(summaryRowShape).max(10_000) })).max(1001),
});

const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() });
const offsets = z.array(z.object({ offset: z.number().int(), problems: count, kept: estimate })).max(1000);
const match = z.object({ count, signal: z.number(), kept: estimate.nullable() });
const region = z.object({ tokens: estimate, signal: estimate, update: estimate });
const cancellationSummary = z.object({
  problems: count,
  pairs: count,
  kept: estimate,
  offsets,
  matches: z.object({ identical: match, reworded: match, different: match }),
  regions: z.object({ before: region, at: region, after: region }),
  group: z.object({ problems: count, kept: estimate, measured: estimate, predicted: estimate }).nullable(),
});

export const cancellationShape = z.object({
  stage: name,
  model: z.string().max(4096),
  rollouts: z.string().max(4096),
  temperature: z.number(),
  parameters: count,
  measure: name,
  eligible: count,
  lowFrom: z.number(),
  highTo: z.number(),
  low: cancellationSummary.nullable(),
  high: cancellationSummary.nullable(),
  control: z.object({ problems: count, kept: estimate, offsets }).nullable(),
  problems: z
    .array(
      z.object({
        id: name,
        bucket: z.enum(["low", "high"]),
        overlap: z.number(),
        pairs: count,
        net: z.number().nullable(),
        measured: z.number().nullable(),
        predicted: z.number().nullable(),
      }),
    )
    .max(MAX_PROBLEMS),
});

/** Token lists are not read: the report shows text. */
export const samplesShape = z.object({
  samples: z
    .array(
      z.object({
        arm: name,
        benchmark: name,
        prompt: z.string(),
        answer: z.string(),
        rollout: z.object({
          problemId: name,
          sample: z.number(),
          text: z.string(),
          finishReason: z.enum(["stop", "length", "cancelled"]),
          sampling,
          seed: z.number(),
          tokens: z.array(z.number()).optional(),
          verdict: z
            .object({
              correct: z.boolean().nullable(),
              answer: z.string().nullable(),
              reason: name,
              graderVersion: name,
            })
            .optional(),
        }),
      }),
    )
    .max(10_000),
});

export type SamplesShape = z.infer<typeof samplesShape>;

// A stage's file must always be readable: these lines fail to compile when a type and its shape part ways.
type Accepts<Written, Read> = Written extends Read ? true : never;
export const SHAPES_AGREE: [
  Accepts<PassRateFile, z.infer<typeof passRateShape>>,
  Accepts<SimilarityFile, z.infer<typeof similarityShape>>,
  Accepts<DifferenceFile, z.infer<typeof differenceShape>>,
  Accepts<DropsFile, z.infer<typeof dropsShape>>,
  Accepts<DecisionsFile, z.infer<typeof decisionsShape>>,
  Accepts<GainersFile, z.infer<typeof gainersShape>>,
  Accepts<AlphaFile, z.infer<typeof alphaShape>>,
  Accepts<CancellationFile, z.infer<typeof cancellationShape>>,
  Accepts<SamplesFile, SamplesShape>,
] = [true, true, true, true, true, true, true, true, true];
