/**
 * The temperature of a round: searched by a sweep, chosen by a sweep made before, given by the recipe, or kept. A round
 * that a later one is compared with is measured in any case. Source: recipe A4.2, A4.3.
 */
import { resolve } from "node:path";
import type { Json } from "../../../types.ts";
import type { StageContext } from "../../stage.ts";
import { readSweep } from "../../temperature/read-sweep.ts";
import type { SearchRecord, TemperatureDecision } from "../../temperature/sweep-file.ts";
import { isFileReference } from "../inputs.ts";
import { resolveOutput } from "../output-files.ts";
import { temperatureSweepStage } from "../temperature-sweep.ts";
import { type Campaign, roundOf, sweepConfig } from "./configs.ts";
import { evidenceOf } from "./decisions.ts";

/** The sweep a round takes its temperature from, as the recipe names it; the runner has put the number in its place. */
function namedSweep(context: StageContext, round: number): string | null {
  const { rounds } = context.keyParts.config as { rounds: { temperatureFrom?: Json }[] };
  const named = rounds[round - 1]?.temperatureFrom;
  return typeof named === "string" ? named : null;
}

/** A temperature that is not searched, and why. */
function declared(campaign: Campaign, round: number): { reason: string; evidence: Record<string, number> } {
  const { context } = campaign;
  const named = namedSweep(context, round);
  if (named === null) {
    const kept = roundOf(campaign, round).temperature === "keep" && round > 1;
    return { reason: kept ? "as in the round before" : "given by the recipe", evidence: {} };
  }
  const path = isFileReference(named)
    ? resolve(named)
    : resolveOutput(context, context.output(named).files?.["sweep"] as string);
  const { decision, points } = readSweep(path);
  const chosen = points.find(({ temperature }) => temperature === decision.temperature);
  return {
    reason: `chosen by ${named}`,
    evidence:
      chosen === undefined ? {} : { accuracy: chosen.accuracy.value, diversity: chosen.diversity.value },
  };
}

/** Why a search chose what it chose, in a few words. */
export function searchReason(
  { target, reached }: Pick<TemperatureDecision, "target" | "reached">,
  search: Pick<SearchRecord, "ended"> | null,
): string {
  if (target === null) return "end of the robust zone: most diversity at comparable accuracy";
  if (reached)
    return target.rule === "nearest"
      ? "diversity nearest to that of the initial policy in round 1"
      : "lowest temperature as diverse as the initial policy in round 1";
  return search?.ended === "limit"
    ? "highest temperature tried, still less diverse than the initial policy in round 1: raise search.max_temperatures"
    : "as near to the diversity of round 1 as the collapse zone allows";
}

/** Decides the temperature of a round and says why. */
export async function chooseTemperature(campaign: Campaign, round: number): Promise<void> {
  const { config, context, children, decisions } = campaign;
  const { temperature } = roundOf(campaign, round);
  const searched = temperature === "search";
  if (typeof temperature === "number") campaign.temperature = temperature;
  const given = searched ? null : declared(campaign, round);
  if (given !== null && !config.rounds.slice(round).some((later) => later.temperature === "search")) {
    decisions.add({ round, decision: "temperature", choice: campaign.temperature, ...given });
    return;
  }
  const output = await children.run({
    kind: temperatureSweepStage,
    round,
    part: "sweep",
    config: sweepConfig(campaign, round),
  });
  const { decision, search } = readSweep(resolveOutput(context, output.files?.["sweep"] as string));
  if (searched) campaign.temperature = decision.temperature;
  const found = searchReason(decision, search);
  decisions.add({
    round,
    decision: "temperature",
    choice: campaign.temperature,
    reason: given?.reason ?? [found, ...decision.warnings].join("; "),
    evidence: {
      ...given?.evidence,
      ...evidenceOf(output.numbers),
      ...(search?.entropyBefore == null ? {} : { entropy_before: search.entropyBefore }),
      ...(search?.entropyAfter == null ? {} : { entropy_after: search.entropyAfter }),
    },
  });
}
