/** Section of a temperature_sweep stage: which temperatures to try, how zones are cut, what diversity to match. Source: recipe A4. */
import { z } from "zod";
import {
  drawSchema,
  graderSchema,
  MAX_PROBLEMS,
  MAX_SAMPLES,
  modelSchema,
  problemsSchema,
  promptSchema,
  referenceSchema,
  rolloutFormatSchema,
} from "./common.ts";

/** Temperatures of one sweep: each costs a whole evaluation. */
const MAX_TEMPERATURES = 100;

/** Greedy responses are all alike, so diversity says nothing at 0. */
const triedSchema = z.number().gt(0).max(10);
const stepSchema = z.number().min(0.01).max(10);

const gridSchema = z
  .strictObject({
    start: triedSchema.describe("Lowest temperature."),
    end: triedSchema.describe("Highest temperature, tried too."),
    step: stepSchema.default(0.05).describe("Distance between two; temperatures have two decimals."),
  })
  .refine(({ start, end }) => end >= start, { error: "end: expected at least start" })
  .refine(({ start, end, step }) => (end - start) / step <= MAX_TEMPERATURES - 1, {
    error: `expected at most ${MAX_TEMPERATURES} temperatures`,
  });

const zonesSchema = z
  .strictObject({
    robustTolerance: z
      .number()
      .min(0)
      .max(1)
      .default(0.008)
      .describe("The robust zone keeps accuracy within this of the peak; 0.008 is 0.8 points."),
    explorationShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.8)
      .describe("The exploration zone keeps at least this share of the peak accuracy; collapse is beyond."),
  })
  .prefault({});

const matchSchema = z
  .strictObject({
    to: referenceSchema
      .optional()
      .describe(
        "What to be as diverse as: a temperature_sweep stage or its sweep.json (its policy at its chosen temperature), or a stage or file of responses drawn alike.",
      ),
    diversity: z.number().min(0).max(1).optional().describe("The diversity itself, in place of `to`."),
    from: referenceSchema
      .optional()
      .describe(
        "Sweep that chose the temperature of the stage that ended: the search begins there and never goes below. Default: `to`, where that is a sweep.",
      ),
    rule: z
      .enum(["smallest", "nearest"])
      .default("smallest")
      .describe("The lowest temperature that reaches the target, as published, or the one nearest to it."),
    entropyOf: referenceSchema
      .optional()
      .describe(
        "Stage of kind rl whose first and last steps say how far entropy fell. Default: this model against that of `from`, at its temperature on the same problems.",
      ),
    entropyDrop: z
      .number()
      .min(0)
      .max(1)
      .default(0.15)
      .describe("Relative fall of entropy from which the coarse step is taken."),
    fineStep: stepSchema.default(0.05).describe("Step of the search after a slight fall of entropy."),
    coarseStep: stepSchema.default(0.1).describe("Step of the search after a large one."),
    maxTemperatures: z
      .int()
      .min(2)
      .max(MAX_TEMPERATURES)
      .default(10)
      .describe("Temperatures the search tries before it gives up."),
  })
  .refine(({ to, diversity }) => (to === undefined) !== (diversity === undefined), {
    error: "expected either to or diversity",
  });

export const temperatureSweepSchema = z
  .strictObject({
    model: modelSchema,
    problems: problemsSchema,
    limit: z.int().min(1).max(MAX_PROBLEMS).optional().describe("Use only the first n problems."),
    samplesPerProblem: z
      .int()
      .min(2)
      .max(MAX_SAMPLES)
      .default(16)
      .describe(
        "Responses per problem and temperature. POLARIS searches with 16 and draws its figures with 32.",
      ),
    sampling: drawSchema.describe("As in training, without a temperature: no top-k and no top-p."),
    temperatures: z
      .array(triedSchema)
      .min(1)
      .max(MAX_TEMPERATURES)
      .optional()
      .describe("Temperatures to try, in any order; or give `grid`."),
    grid: gridSchema
      .optional()
      .describe("Evenly spaced temperatures. With `match` neither is needed: the search makes its own."),
    prompt: promptSchema,
    grader: graderSchema,
    ngram: z.int().min(1).max(16).default(4).describe("n of distinct-n, the diversity of responses."),
    unit: z
      .enum(["words", "tokens"])
      .default("words")
      .describe(
        "What the n of distinct-n counts: words between whitespace, as published, or the model's tokens, for text that has no spaces.",
      ),
    zones: zonesSchema,
    match: matchSchema
      .optional()
      .describe(
        "Choose by diversity, for the stages after the first; without it the robust zone's end is chosen.",
      ),
    keepRollouts: z
      .enum(["all", "none"])
      .default("none")
      .describe("Keep the responses, a file per temperature; the curves are always kept."),
    rolloutFormat: rolloutFormatSchema,
  })
  .refine(({ temperatures, grid }) => temperatures === undefined || grid === undefined, {
    error: "expected temperatures or grid, got both",
  })
  .refine(({ temperatures, grid, match }) => temperatures ?? grid ?? match, {
    error: "expected temperatures, grid or match, got none",
  })
  .refine(
    ({ temperatures, grid, match }) =>
      temperatures !== undefined ||
      grid !== undefined ||
      match?.diversity === undefined ||
      match.from !== undefined,
    { error: "match.diversity: expected match.from, temperatures or grid beside it, to know where to begin" },
  )
  .refine(({ temperatures }) => new Set(temperatures).size === (temperatures?.length ?? 0), {
    error: "temperatures: expected each once",
  });

export type TemperatureSweepConfig = z.infer<typeof temperatureSweepSchema>;
