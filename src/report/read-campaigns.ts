/**
 * What campaigns leave for the report: their decisions and, of each round, the result files of its parts under names a
 * reader understands. A campaign that still runs is read from its checkpoint folder.
 */
import type { ZodType } from "zod";
import type { DecisionsFile, DifferenceFile, DropsFile, SimilarityFile } from "../recipe/result-files.ts";
import type { SweepFile } from "../recipe/temperature/sweep-file.ts";
import { sweepShape } from "../recipe/temperature/sweep-shape.ts";
import { differenceShape, similarityShape } from "./comparison-shapes.ts";
import type { RunRecipe } from "./recipe-view.ts";
import { decisionsShape, dropsShape } from "./shapes.ts";

/** Everything the campaigns of a run left, in the order of the recipe and of the rounds. */
export interface CampaignRecords {
  decisions: DecisionsFile[];
  sweeps: SweepFile[];
  drops: DropsFile[];
  difference: DifferenceFile[];
  similarity: SimilarityFile[];
}

/** Name of a round as sections show it. */
export function roundName(stage: string, round: number): string {
  return `${stage}, round ${round}`;
}

/** Texts of a part's file speak of parts as the campaign's configurations do; a reader knows rounds. */
function rename(stage: string, alone: boolean, text: string): string {
  // Short enough for the end of a line, where no other campaign needs to be told apart.
  const model = alone ? "after round $1" : `${stage} after round $1`;
  return text
    .replace(new RegExp(`^${stage}/round-(\\d+)/[a-z-]+$`), (_, round) => roundName(stage, Number(round)))
    .replace(/^round-(\d+):train$/, model)
    .replace(/^round-(\d+):[a-z-]+$/, (_, round) => roundName(stage, Number(round)))
    .replace(/\bround-(\d+):[a-z-]+/g, "round $1");
}

/** A path a file of the run names: inside the run folder, or null. */
function insidePath(path: string | undefined): string | null {
  if (path === undefined || path.startsWith("/") || path.includes("\\")) return null;
  return path.split("/").includes("..") || /^[a-z]:/i.test(path) ? null : path;
}

/** @param readShape reads a file of the run folder, and notes what is wrong with it */
export function readCampaigns(
  recipe: RunRecipe,
  readShape: <T>(file: string, shape: ZodType<T>) => T | undefined,
): CampaignRecords {
  const records: CampaignRecords = { decisions: [], sweeps: [], drops: [], difference: [], similarity: [] };
  const alone = recipe.stages.filter(({ kind }) => kind === "campaign").length === 1;
  for (const { id, kind } of recipe.stages) {
    if (kind !== "campaign") continue;
    const file =
      readShape(`stages/${id}/decisions.json`, decisionsShape) ??
      readShape(`checkpoints/${id}/decisions.json`, decisionsShape);
    if (file === undefined) continue;
    records.decisions.push(file);
    const named = (text: string): string => rename(id, alone, text);
    for (const { files } of file.rounds) {
      const read = <T>(name: string, shape: ZodType<T>): T | undefined => {
        const path = insidePath(files[name]);
        return path === null ? undefined : readShape(path, shape);
      };
      const sweep = read("sweep", sweepShape);
      if (sweep !== undefined) {
        const { target } = sweep.decision;
        records.sweeps.push({
          ...sweep,
          stage: named(sweep.stage),
          model: named(sweep.model),
          decision: {
            ...sweep.decision,
            target: target === null || target.of === null ? target : { ...target, of: named(target.of) },
          },
        });
      }
      const drops = read("drops", dropsShape);
      if (drops !== undefined)
        records.drops.push({
          ...drops,
          stage: named(drops.stage),
          reasons: drops.reasons.map((reason) => ({ ...reason, meaning: named(reason.meaning) })),
        });
      const difference = read("difference", differenceShape);
      if (difference !== undefined)
        records.difference.push({
          ...difference,
          stage: named(difference.stage),
          model: named(difference.model),
        });
      const similarity = read("similarity", similarityShape);
      if (similarity !== undefined)
        records.similarity.push({
          ...similarity,
          stage: named(similarity.stage),
          model: named(similarity.model),
        });
    }
  }
  return records;
}
