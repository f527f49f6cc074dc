/**
 * summary.json: every number the report's tables show, in the units of the records (shares in 0..1, tokens, nats), so
 * that a claim can be checked without reading a page. Deterministic: no time, no path of a machine, no version of Node.
 */
import type {
  ArmComparison,
  BudgetPoint,
  HardestStudy,
  LengthBucketRow,
} from "../recipe/evaluation/evaluation-file.ts";
import type {
  CancellationFile,
  DecisionsFile,
  DifferenceFile,
  ShiftFile,
  SimilarityFile,
} from "../recipe/result-files.ts";
import type { SearchRecord, SweepPoint, TemperatureDecision } from "../recipe/temperature/sweep-file.ts";
import type { SummaryRow } from "../types.ts";
import {
  type ArmDifference,
  armDifferences,
  comparisonsOf,
  meanAccuracy,
  type Regime,
} from "./benchmark-groups.ts";
import type { ReportContext } from "./context.ts";
import type { SourceFile } from "./read-run.ts";
import { accuracyByBase, type BaseAccuracyBin } from "./sections/by-base-accuracy.ts";
import { type AlphaPoint, alphaPoints } from "./sections/merge.ts";
import { meanPassRate } from "./sections/pass-rates.ts";
import { accuracyBySteps, type StepAccuracy } from "./sections/steps-table.ts";
import { summarizeTraining, type TrainingSummary } from "./training-runs.ts";

/** What summary.json holds. */
export interface ReportSummary {
  run: string;
  seed: number | null;
  /** Rows of the evaluations as their stages wrote them, and the means over benchmarks (`mean:short`, `mean:sparse`). */
  rows: SummaryRow[];
  /** Paired differences, arm minus reference. */
  differences: (ArmDifference & { regime: Regime; seed: number })[];
  accuracyBySteps: (StepAccuracy & { regime: Regime; seed: number })[];
  /** Large models on the problems the large base solves 0 to k times. */
  accuracyByBase: (BaseAccuracyBin & { regime: Regime; seed: number })[];
  /** What each evaluation says beyond its rows: comparisons with its reference, lengths, budgets, hardest problems. */
  evaluations: {
    stage: string;
    reference: string | null;
    comparisons: ArmComparison[];
    arms: { arm: string; lengths: LengthBucketRow[]; budgets: BudgetPoint[] }[];
    hardest: HardestStudy | null;
  }[];
  training: TrainingSummary[];
  /** Rounds and decisions of each campaign. */
  campaigns: DecisionsFile[];
  passRates: {
    stage: string;
    model: string;
    samplesPerProblem: number;
    counts: number[];
    shape: string;
    mean: number;
  }[];
  shifts: ShiftFile[];
  /** Temperature sweeps; the numbers of single problems stand in the stages' own files. */
  sweeps: {
    stage: string;
    model: string;
    points: Omit<SweepPoint, "correct" | "distinct">[];
    decision: TemperatureDecision;
    search: SearchRecord | null;
  }[];
  similarity: SimilarityFile[];
  difference: {
    stage: string;
    mode: string;
    measure: string;
    threshold: number;
    counts: Record<string, number>;
    divergence?: DifferenceFile["divergence"];
  }[];
  cancellation: CancellationFile[];
  alpha: { stage: string; chosen: number; points: AlphaPoint[] }[];
  generatedFrom: SourceFile[];
  /** Files that could not be used, and why. */
  notes: string[];
}

/** Rows of the evaluations plus one mean per arm and regime. */
function summaryRows(context: ReportContext): SummaryRow[] {
  const rows = context.records.evaluations.flatMap((evaluation) => evaluation.rows);
  for (const group of context.groups) {
    if (group.benchmarks.length < 2) continue;
    for (const arm of group.arms) {
      const mean = meanAccuracy(group, arm);
      if (mean === undefined) continue;
      const cells = group.cells.filter((cell) => cell.arm === arm);
      const samples = Math.min(...cells.map((cell) => cell.samples));
      rows.push({
        arm,
        benchmark: `mean:${group.regime}`,
        metric: `avg@${samples}`,
        ...mean,
        problems: cells.reduce((sum, cell) => sum + cell.problems, 0),
        samples,
        seed: group.seed,
      });
    }
  }
  return rows;
}

/** Collects the summary of a report. */
export function createSummary(context: ReportContext): ReportSummary {
  const { records, groups, training } = context;
  return {
    run: records.run,
    seed: records.recipe.seed ?? null,
    rows: summaryRows(context),
    differences: groups.flatMap((group) =>
      comparisonsOf(group).flatMap(([arm, reference]) =>
        armDifferences(group, arm, reference).map((difference) => ({
          ...difference,
          regime: group.regime,
          seed: group.seed,
        })),
      ),
    ),
    accuracyBySteps: groups.flatMap((group) =>
      accuracyBySteps(group).map((entry) => ({ ...entry, regime: group.regime, seed: group.seed })),
    ),
    accuracyByBase: groups.flatMap((group) =>
      accuracyByBase(group).map((entry) => ({ ...entry, regime: group.regime, seed: group.seed })),
    ),
    evaluations: records.evaluations.map(({ stage, reference, comparisons, arms, hardest }) => ({
      stage,
      reference: reference ?? null,
      comparisons: comparisons ?? [],
      arms: arms.map(({ arm, lengths, budgets }) => ({
        arm,
        lengths: lengths ?? [],
        budgets: budgets ?? [],
      })),
      hardest: hardest ?? null,
    })),
    training: training.map(summarizeTraining),
    campaigns: records.decisions,
    passRates: records.passRates.map((file) => ({
      stage: file.stage,
      model: file.model,
      samplesPerProblem: file.samplesPerProblem,
      counts: file.counts,
      shape: file.shape,
      mean: meanPassRate(file),
    })),
    shifts: records.shifts,
    sweeps: records.sweeps.map(({ stage, model, points, decision, search }) => ({
      stage,
      model,
      points: points.map(({ correct: _, distinct: __, ...point }) => point),
      decision,
      search,
    })),
    similarity: records.similarity,
    difference: records.difference.map(({ stage, mode, measure, threshold, counts, divergence }) => ({
      stage,
      mode,
      measure,
      threshold,
      counts,
      divergence,
    })),
    cancellation: records.cancellation,
    alpha: records.alpha.map((file) => ({
      stage: file.stage,
      chosen: file.chosen,
      points: alphaPoints(file),
    })),
    generatedFrom: records.sources,
    notes: records.notes,
  };
}
