/** What a campaign leaves behind: the outputs of its last round as its own, its decisions, and files for the report. */
import { cpSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { CampaignConfig } from "../../../config/stages/campaign.ts";
import { writeFileAtomic } from "../../../data/atomic.ts";
import type { CampaignRound, DecisionsFile } from "../../result-files.ts";
import type { StageOutput } from "../../stage.ts";
import { outputPlace, resolveOutput, writeJsonOutput } from "../output-files.ts";
import { rlStage } from "../rl.ts";
import type { Campaign } from "./configs.ts";
import { PARTS, partReference } from "./parts.ts";

/** Result files of parts that the report shows. */
const SHOWN = ["sweep", "drops", "difference", "similarity"];

/** What the parts of a round left for the report, by name. */
export function shownFiles({ children }: Campaign, round: number): Record<string, string> {
  return Object.fromEntries(
    PARTS.flatMap((part) =>
      Object.entries(children.find(partReference(round, part))?.files ?? {}).filter(([name]) =>
        SHOWN.includes(name),
      ),
    ),
  );
}

/** Why a campaign will not keep weights of this name, as far as its configuration tells; null when it may. */
export function refusesRoundModel(
  { train, rounds, model, problems }: CampaignConfig,
  name: string,
): string | null {
  const round = Number(/^round-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (round >= 1) return round <= rounds.length ? null : `the campaign has ${rounds.length} rounds`;
  if (name !== "best" && name !== "last") return "a campaign keeps best, last and round-<n>";
  return rlStage.refusesModel?.({ ...train, model, problems }, name) ?? null;
}

/** Weights after each round, which stay with their parts, and the best of the last round where it is kept. */
function modelsOf({ config, children }: Campaign): Record<string, string> {
  const outputs = config.rounds.map((_, i) => children.output(partReference(i + 1, "train")));
  const best = outputs.at(-1)?.models?.["best"];
  return {
    ...Object.fromEntries(outputs.map(({ checkpoint }, i) => [`round-${i + 1}`, checkpoint as string])),
    ...(best === undefined ? {} : { best }),
  };
}

/** Copies and writes the outputs; the parts themselves stay where they are. */
export function finish(campaign: Campaign): StageOutput {
  const { config, context, children, decisions, steps, temperature } = campaign;
  const rounds = config.rounds.length;
  const last = children.output(partReference(rounds, "train"));
  const copy = (path: string, name: string): string => {
    const place = outputPlace(context, name);
    mkdirSync(dirname(place.absolute), { recursive: true });
    cpSync(resolveOutput(context, path), place.absolute, { recursive: true });
    return place.relative;
  };
  const place = outputPlace(context, "decisions.jsonl");
  writeFileAtomic(place.absolute, decisions.text());
  const file = decisions.file();
  const shown: DecisionsFile = {
    ...file,
    rounds: file.rounds.map(
      (round): CampaignRound => ({
        ...round,
        files: Object.fromEntries(
          Object.entries(round.files).map(([name, path]) => [
            name,
            copy(path, `round-${round.round}/${name}.json`),
          ]),
        ),
      }),
    ),
  };
  const accuracies = Object.entries(last.numbers ?? {}).filter(([key]) => key.startsWith("val/"));
  const checkpoint = copy(last.checkpoint as string, "model");
  return {
    checkpoint,
    models: { ...modelsOf(campaign), last: checkpoint },
    consensus: copy(last.consensus as string, "consensus.jsonl"),
    files: {
      decisions: place.relative,
      decisions_json: writeJsonOutput(outputPlace(context, "decisions.json"), shown),
      accuracy: copy(last.files?.["accuracy"] as string, "accuracy.jsonl"),
      training: copy(last.files?.["training"] as string, "training.json"),
    },
    numbers: {
      rounds,
      steps,
      temperature,
      decisions: file.decisions.length,
      accuracy: last.numbers?.["accuracy"] ?? null,
      ...Object.fromEntries(accuracies),
    },
  };
}
