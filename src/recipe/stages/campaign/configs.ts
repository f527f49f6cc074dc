/**
 * A campaign while it runs, and the configurations of its parts: what a round's temperature sweep and its training are
 * given, made from the campaign's own keys and from what was decided before.
 */
import type { CampaignConfig } from "../../../config/stages/campaign.ts";
import type { RlConfig } from "../../../config/stages/rl.ts";
import type { TemperatureSweepConfig } from "../../../config/stages/temperature-sweep.ts";
import type { StageContext } from "../../stage.ts";
import type { ChildRunner } from "./child.ts";
import type { DecisionLog } from "./decisions.ts";
import { partReference } from "./parts.ts";

/** One campaign while it runs; what changes from round to round is at the end. */
export interface Campaign {
  config: CampaignConfig;
  context: StageContext;
  children: ChildRunner;
  decisions: DecisionLog;
  /** Steps done in the rounds so far. */
  steps: number;
  model: string;
  problems: string;
  /** How many there are. */
  problemCount: number;
  temperature: number;
  maxNewTokens: number;
  /** Responses of the last round were cut while its accuracy fell. */
  cut: boolean;
}

/** The declaration of a round, counted from 1. */
export const roundOf = ({ config }: Campaign, round: number): CampaignConfig["rounds"][number] =>
  config.rounds[round - 1] as CampaignConfig["rounds"][number];

/** Configuration of a round's sweep: its own temperatures in the first round, a climb to the same diversity later. */
export function sweepConfig(campaign: Campaign, round: number): TemperatureSweepConfig {
  const { config, model } = campaign;
  const { grid, rule, entropyDrop, fineStep, coarseStep, maxTemperatures, ...search } =
    config.search as NonNullable<CampaignConfig["search"]>;
  const { temperature } = roundOf(campaign, round);
  const common = { ...search, model, keepRollouts: "none" as const };
  if (typeof temperature === "number") return { ...common, temperatures: [temperature] };
  if (temperature === "keep") return { ...common, temperatures: [campaign.temperature] };
  if (round === 1) return { ...common, grid };
  return {
    ...common,
    match: {
      to: partReference(1, "sweep"),
      from: partReference(round - 1, "sweep"),
      rule,
      entropyDrop,
      fineStep,
      coarseStep,
      maxTemperatures,
    },
  };
}

/** Configuration of a round's training. */
export function trainConfig(campaign: Campaign, round: number): RlConfig {
  const { config, model, problems, temperature, maxNewTokens } = campaign;
  const { train } = config;
  const { steps, stop, validationTemperature } = roundOf(campaign, round);
  const before = round === 1 ? null : partReference(round - 1, "train");
  const sampling = { ...train.sampling, temperature, maxNewTokens };
  const { validation } = train;
  return {
    ...train,
    model,
    problems,
    sampling,
    steps: steps ?? train.steps,
    stop: stop ?? train.stop,
    consensus: before === null ? train.consensus : { ...train.consensus, seeds: [before] },
    rescue: before === null || !train.rescue.enabled ? train.rescue : { ...train.rescue, from: before },
    ...(validation === undefined
      ? {}
      : {
          validation: {
            ...validation,
            // The step before a later round is the last one of the round before, which was validated.
            atStart: validation.atStart && before === null,
            sampling:
              validationTemperature === undefined
                ? validation.sampling
                : { ...(validation.sampling ?? sampling), temperature: validationTemperature },
          },
        }),
  };
}
