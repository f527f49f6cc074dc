/**
 * What readers accept as a sweep: the stage's own file, or bare curves typed off a figure. Capped, because files come
 * from other machines; unknown keys are ignored.
 */
import { z } from "zod";
import type { SweepFile } from "./sweep-file.ts";

const name = z.string().max(4096);
const share = z.number().min(0).max(1);
const count = z.number().int().min(0);
const temperature = z.number().gt(0).max(10);
/** A sweep has at most a hundred temperatures, and problems that fit in memory a hundred times. */
const MAX_POINTS = 1000;
const MAX_PROBLEMS = 1_000_000;

const estimate = z.object({ value: share, low: share, high: share });
const zone = z.enum(["low", "robust", "exploration", "collapse"]);
const position = z.number().min(0).max(10);

const target = z.object({
  diversity: share,
  rule: z.enum(["smallest", "nearest"]),
  of: name.nullable(),
  minTemperature: position,
  // Absent in files of earlier versions, as is the resolution below.
  startZone: zone.nullable().default(null),
});

const decision = z.object({
  temperature,
  diversity: share.nullable(),
  zones: z.object({
    robustTolerance: share,
    explorationShare: share,
    peak: z.object({ temperature, accuracy: share }),
    robust: z.object({ from: temperature, to: temperature }),
    explorationTo: temperature,
    points: z.array(z.object({ temperature, zone })).max(MAX_POINTS),
  }),
  target: target.nullable(),
  reached: z.boolean(),
  crossing: position.nullable(),
  resolution: z.number().min(0).max(10).nullable().default(null),
  warnings: z.array(z.string().max(1000)).max(100),
});

export const sweepShape = z.object({
  layout: z.literal(1),
  stage: z.string().max(300),
  model: name,
  seed: z.number(),
  graderVersion: z.string().max(300),
  problems: z.object({ reference: name, count, ids: z.array(z.string().max(4096)).max(MAX_PROBLEMS) }),
  conditions: z.object({
    samplesPerProblem: count.min(1),
    sampling: z.object({ topK: count, topP: share, minP: share, maxNewTokens: count.min(1) }),
    prompt: z.object({
      instruction: z.string().max(300),
      position: z.string().max(300),
      system: z.string().max(20_000).optional(),
    }),
    ngram: count.min(1),
    unit: z.enum(["words", "tokens"]),
    problemsSha256: z.string().max(128),
  }),
  points: z
    .array(
      z.object({
        temperature,
        accuracy: estimate,
        diversity: estimate,
        entropy: z.number().nullable(),
        lengthTokens: z.number(),
        truncated: share,
        unboxed: share,
        graderErrors: share,
        correct: z.array(count).max(MAX_PROBLEMS),
        distinct: z.array(share).max(MAX_PROBLEMS),
      }),
    )
    .min(1)
    .max(MAX_POINTS),
  decision,
  search: z
    .object({
      step: z.number().gt(0),
      entropyBefore: z.number().nullable(),
      entropyAfter: z.number().nullable(),
      ended: z.enum(["reached", "collapse", "limit"]),
    })
    .nullable(),
});

/**
 * Curves without anything else: `{"points": [{"temperature": 1.4, "accuracy": 0.74, "diversity": 0.55}]}`. How many
 * problems and responses they come from says what difference they can show.
 */
export const curveShape = z.object({
  points: z
    .array(z.object({ temperature, accuracy: share, diversity: share.optional() }))
    .min(1)
    .max(MAX_POINTS),
  problems: count.min(1).optional(),
  samples_per_problem: count.min(1).optional(),
});

// Fails to compile when the type and its shape part ways.
export const SWEEP_SHAPE_AGREES: SweepFile extends z.infer<typeof sweepShape> ? true : never = true;
