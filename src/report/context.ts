/**
 * What every section is given: the records, the derived groups, and the names and colours that must agree everywhere.
 */
import { armsOfStages, createPalette } from "./arms.ts";
import { type BenchmarkGroup, groupBenchmarks } from "./benchmark-groups.ts";
import type { ChartKit } from "./charts/render.ts";
import type { RunRecords } from "./read-run.ts";
import { createTrainingRuns, type TrainingRun } from "./training-runs.ts";

export interface ReportContext {
  records: RunRecords;
  kit: ChartKit;
  groups: BenchmarkGroup[];
  training: TrainingRun[];
  /** Colour of an arm, as a CSS variable. */
  colourOf(arm: string): string;
  /** Arm a training stage stands for. */
  armOf(stageId: string): string;
}

export function createContext(records: RunRecords, kit: ChartKit): ReportContext {
  const armOf = armsOfStages(records.recipe, records.evaluations);
  const groups = groupBenchmarks(records.evaluations);
  const training = createTrainingRuns(records, armOf);
  const arms = [...groups.flatMap((group) => group.arms), ...training.map((run) => run.arm)];
  return { records, kit, groups, training, armOf, colourOf: createPalette(arms) };
}
