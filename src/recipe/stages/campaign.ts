/**
 * The V1 loop as one stage: train until flat, search the temperature anew, drop what has become easy, filter by
 * difference, raise the length, train on. Each round is declared; what is decided on the way is written down with its
 * numbers. The parts are the stages of their own names, run by campaign/child.ts. Source: recipe A13, B15.
 */
import { type CampaignConfig, campaignSchema } from "../../config/stages/campaign.ts";
import { readJsonFile } from "../../data/json-file.ts";
import { ConfigError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import type { CampaignRound, TrainingFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { createChildRunner } from "./campaign/child.ts";
import { type Campaign, roundOf, trainConfig } from "./campaign/configs.ts";
import { createDecisionLog } from "./campaign/decisions.ts";
import { finish, refusesRoundModel, shownFiles } from "./campaign/finish.ts";
import { partReference } from "./campaign/parts.ts";
import { chooseProblems } from "./campaign/problems.ts";
import { chooseTemperature } from "./campaign/temperature.ts";
import { differenceFilterStage } from "./difference-filter.ts";
import { dropEasyStage } from "./drop-easy.ts";
import { readProblemsInput } from "./inputs.ts";
import { resolveOutput } from "./output-files.ts";
import { rlStage } from "./rl.ts";
import { temperatureSweepStage } from "./temperature-sweep.ts";

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** Why a training ended, in a few words. */
function endReason({ steps, stopped, plateau, lengthAlarm }: TrainingFile, maxNewTokens: number): string {
  if (stopped === "plateau") return `no new best for ${plateau.stepsSinceBest} steps, ${steps} steps in all`;
  if (stopped === "length_too_short")
    return `responses are cut at ${maxNewTokens} tokens and accuracy fell from ${percent(lengthAlarm.accuracy.best)} to ${percent(lengthAlarm.accuracy.end)}`;
  const short = lengthAlarm.tooShort ? ", though responses are cut and accuracy falls" : "";
  return `all ${steps} steps done${short}`;
}

/** Trains a round; what it left stands in `campaign` for the next. */
async function train(campaign: Campaign, round: number): Promise<void> {
  const { config, context, children, decisions, temperature, maxNewTokens } = campaign;
  const total = config.rounds.reduce((sum, { steps }) => sum + (steps ?? config.train.steps), 0);
  const record: CampaignRound = {
    round,
    stepsBefore: campaign.steps,
    steps: null,
    temperature,
    maxNewTokens,
    problems: campaign.problemCount,
    stopped: null,
    files: shownFiles(campaign, round),
  };
  decisions.beginRound(record);
  const output = await children.run({
    kind: rlStage,
    round,
    part: "train",
    config: trainConfig(campaign, round),
    // The first round draws as an rl stage of the same seed does; later ones must not repeat its draws.
    seed: round === 1 ? context.seed : randomStream(context.seed, "campaign", round).uint32(),
    steps: {
      before: campaign.steps,
      total,
      values: {
        "campaign/round": round,
        "campaign/temperature": temperature,
        "campaign/max_new_tokens": maxNewTokens,
      },
    },
  });
  const path = resolveOutput(context, output.files?.["training"] as string);
  const training = readJsonFile(path) as TrainingFile;
  const { steps, stopped, start, end, plateau, lengthAlarm } = training;
  campaign.steps += steps;
  campaign.model = partReference(round, "train");
  campaign.cut = lengthAlarm.tooShort;
  Object.assign(record, { steps, stopped });
  decisions.add({
    round,
    decision: "end_of_training",
    choice: stopped,
    reason: endReason(training, maxNewTokens),
    evidence: {
      steps,
      ...(plateau.best === null ? {} : { best_step: plateau.best.step, best_value: plateau.best.value }),
      steps_since_best: plateau.stepsSinceBest,
      accuracy_start: start.accuracy,
      accuracy_end: end.accuracy,
      entropy_start: start.entropy,
      entropy_end: end.entropy,
      length_end: end.length,
      clip_ratio_start: start.clipRatio,
      clip_ratio_end: end.clipRatio,
      length_too_short: lengthAlarm.tooShort ? 1 : 0,
    },
  });
}

/** Decides the response limit of a round. */
function decideLength(campaign: Campaign, round: number): void {
  const { decisions, cut } = campaign;
  const before = campaign.maxNewTokens;
  const { maxNewTokens } = roundOf(campaign, round);
  campaign.maxNewTokens = maxNewTokens ?? before;
  const reason = maxNewTokens === undefined && round > 1 ? "as in the round before" : "given by the recipe";
  const longer = campaign.maxNewTokens > before;
  decisions.add({
    round,
    decision: "length",
    choice: campaign.maxNewTokens,
    reason:
      !cut || longer
        ? reason
        : `${reason}, though responses of the round before were cut while accuracy fell: give this round a larger max_new_tokens`,
    evidence: round === 1 ? {} : { before, length_too_short: cut ? 1 : 0 },
  });
}

async function run(config: CampaignConfig, context: StageContext): Promise<StageOutput> {
  if (config.search === undefined && config.rounds.some(({ temperature }) => temperature === "search"))
    throw new ConfigError(`stage ${context.id}: a round searches its temperature, and search says not how`, {
      hint: "give search.problems, search.sampling.max_new_tokens and search.grid",
    });
  if (config.rounds[0]?.temperature === "search" && config.search?.grid === undefined)
    throw new ConfigError(`stage ${context.id}: the first search needs search.grid`);
  const children = createChildRunner(context);
  const campaign: Campaign = {
    config,
    context,
    children,
    decisions: createDecisionLog(context, children.replaying),
    steps: 0,
    model: config.model,
    problems: config.problems,
    problemCount: (await readProblemsInput(context, config.problems)).length,
    temperature: config.train.sampling.temperature,
    maxNewTokens: config.train.sampling.maxNewTokens,
    cut: false,
  };
  for (let round = 1; round <= config.rounds.length; round++) {
    decideLength(campaign, round);
    await chooseTemperature(campaign, round);
    await train(campaign, round);
    if (round < config.rounds.length) await chooseProblems(campaign, round);
  }
  // Before their metrics go: a part that is still there counts on its steps.
  children.removeUnused();
  // Where everything had run before, nothing has said yet that the metrics on disk are to stay.
  context.metrics.rewind(campaign.steps);
  return finish(campaign);
}

export const campaignStage: StageKind<CampaignConfig> = {
  kind: "campaign",
  // A campaign computes what its parts compute. Versions only rise, so their sum changes with each of them.
  version: [rlStage, temperatureSweepStage, dropEasyStage, differenceFilterStage].reduce(
    (sum, { version }) => sum + version,
    2,
  ),
  schema: campaignSchema,
  trains: true,
  keepsParts: true,
  refusesModel: refusesRoundModel,
  inputs: ({ model, problems, train, search }) => [
    ...rlStage.inputs({ ...train, model, problems }),
    ...(search === undefined ? [] : [search.problems]),
  ],
  run,
};
