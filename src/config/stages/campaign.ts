/**
 * Section of a campaign stage: rounds of reinforcement learning with what lies between them — temperature, easy problems,
 * the difference filter, the next response limit. Source: recipe A13 (V1 loop), B15 (V2).
 */
import { z } from "zod";
import { MAX_PROBLEMS, MAX_STEPS, modelSchema, problemsSchema, referenceSchema } from "./common.ts";
import { differenceFilterSchema } from "./difference-filter.ts";
import { dropEasyRules } from "./drop-easy.ts";
import { rlSchema } from "./rl.ts";
import { stopSchema } from "./rl-stop.ts";
import { temperatureSweepSchema } from "./temperature-sweep.ts";

/** Rounds of one campaign; the longest published one has three. */
const MAX_ROUNDS = 32;

const roundKeys = z.strictObject({
  temperature: z
    .union([z.literal("search"), z.literal("keep"), z.number().gt(0).max(10)])
    .default("keep")
    .describe(
      "`search`: the first round takes the end of the robust zone, later ones climb until diversity is back; `keep`: as before; or a number.",
    ),
  temperatureFrom: referenceSchema
    .optional()
    .describe(
      "In place of `temperature`: the temperature_sweep stage that chose it, or the path of a sweep.json.",
    ),
  maxNewTokens: z
    .int()
    .min(1)
    .max(1_048_576)
    .optional()
    .describe(
      "Response limit of the round; as before when left out, `train.sampling.max_new_tokens` at first.",
    ),
  steps: z.int().min(1).max(MAX_STEPS).optional().describe("Steps at most; `train.steps` when left out."),
  validationTemperature: z
    .number()
    .min(0)
    .max(10)
    .optional()
    .describe("Temperature of `train.validation` in this round."),
  stop: stopSchema.removeDefault().optional().describe("When the round ends; `train.stop` when left out."),
  dropEasy: z
    .boolean()
    .default(true)
    .describe("After the round, leave out problems that have become too easy. The last round drops none."),
  differenceFilter: z
    .boolean()
    .default(false)
    .describe("After the round, run `difference_filter` on what is left. The last round filters nothing."),
});

const roundSchema = roundKeys.refine(
  // A resolved recipe states the default beside the reference.
  ({ temperature, temperatureFrom }) => temperatureFrom === undefined || temperature === "keep",
  { error: "expected temperature or temperature_from, got both" },
);

const { limit, samplesPerProblem, sampling, prompt, grader, ngram, unit, zones, grid } =
  temperatureSweepSchema.shape;
const match = temperatureSweepSchema.shape.match.unwrap().shape;

const searchSchema = z.strictObject({
  problems: problemsSchema.describe("Problems every search samples, never training ones."),
  limit,
  samplesPerProblem,
  sampling: sampling.describe(
    "As in training, without a temperature. One limit for all rounds: diversity falls with length.",
  ),
  prompt,
  grader,
  ngram,
  unit,
  zones,
  grid: grid.describe("Temperatures of the first search."),
  rule: match.rule,
  entropyDrop: match.entropyDrop,
  fineStep: match.fineStep,
  coarseStep: match.coarseStep,
  maxTemperatures: match.maxTemperatures,
});

export const campaignSchema = z.strictObject({
  model: modelSchema,
  problems: problemsSchema,
  train: rlSchema
    .omit({ model: true, problems: true })
    .describe("Keys of an rl stage, for every round; a round changes what it names."),
  rounds: z.array(roundSchema).min(1).max(MAX_ROUNDS).describe("Rounds in order."),
  search: searchSchema.optional().describe("How temperatures are searched; needed where a round says so."),
  dropEasy: z.strictObject(dropEasyRules).prefault({}).describe("What counts as too easy after a round."),
  differenceFilter: differenceFilterSchema
    .omit({ problems: true, model: true, rollouts: true, consensus: true, sampling: true })
    .prefault({})
    .describe("Keys of a difference_filter stage; responses are drawn as the round trained."),
  minProblems: z
    .int()
    .min(1)
    .max(MAX_PROBLEMS)
    .default(1)
    .describe("A rule that would leave fewer problems is not applied, and the decision says so."),
});

export type CampaignConfig = z.infer<typeof campaignSchema>;
