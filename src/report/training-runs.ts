/**
 * The RL stages of a run as experiments: their metrics by step, where they start from, and the summary of each that
 * the training table and summary.json show.
 */
import { type Regime, regimeOf } from "./benchmark-groups.ts";
import type { RunRecords, StepMetrics } from "./read-run.ts";
import { namedStages, parentStage } from "./recipe-view.ts";

/** One RL stage. */
export interface TrainingRun {
  stage: string;
  arm: string;
  /** Stages of kind `difference_filter` its problems come from. */
  filters: string[];
  regime: Regime;
  /** RL steps of the stages whose weights this one continues. */
  offset: number;
  steps: StepMetrics[];
}

/** Means over the first and last steps of a run and totals over all of them. */
export interface TrainingSummary {
  stage: string;
  arm: string;
  steps: number;
  /** Steps at each end that the means are over. */
  window: number;
  first: Record<string, number>;
  last: Record<string, number>;
  totals: Record<string, number>;
}

const MEANS = [
  "accuracy",
  "entropy",
  "response_length/mean",
  "format/compliance",
  "response_length/clip_ratio",
];
const TOTALS = ["tokens/sampled", "tokens/trained", "batch/substituted", "batch/rescued", "batch/skipped"];
/** Steps averaged at each end, at most a fifth of the run. */
const END_WINDOW = 10;

/** Lines of real steps: a validation before the first step stands in a line of its own. */
export function trainedSteps(steps: readonly StepMetrics[]): StepMetrics[] {
  return steps.filter(({ values }) => "accuracy" in values);
}

/** Stages whose metrics have an `accuracy`, which only RL stages write, in recipe order. */
export function createTrainingRuns(records: RunRecords, armOf: (stage: string) => string): TrainingRun[] {
  const byStage = new Map<string, StepMetrics[]>();
  const rl = new Set(trainedSteps(records.metrics).map(({ stage }) => stage));
  for (const step of records.metrics) {
    if (!rl.has(step.stage)) continue;
    const steps = byStage.get(step.stage);
    if (steps === undefined) byStage.set(step.stage, [step]);
    else steps.push(step);
  }
  const { recipe } = records;
  const order = new Map(recipe.stages.map((stage, i) => [stage.id, i]));
  const ids = [...byStage.keys()].sort((a, b) => (order.get(a) ?? 1e6) - (order.get(b) ?? 1e6));
  for (const steps of byStage.values()) steps.sort((a, b) => a.step - b.step);

  /** RL steps before a stage: the lengths of the RL stages its weights come from. */
  function offsetOf(stageId: string): number {
    const seen = new Set([stageId]);
    let offset = 0;
    let stage = recipe.stages.find(({ id }) => id === stageId);
    while (stage !== undefined) {
      stage = parentStage(recipe, stage);
      if (stage === undefined || seen.has(stage.id)) break;
      seen.add(stage.id);
      const steps = byStage.get(stage.id);
      const trained = trainedSteps(steps ?? []);
      const first = trained[0]?.step ?? 0;
      const last = trained[trained.length - 1]?.step;
      // Steps may count from 0 or from 1; either way the next run's first step comes right after the last one here.
      if (last !== undefined) offset += last + (first === 0 ? 1 : 0);
    }
    return offset;
  }

  return ids.map((id) => {
    const stage = recipe.stages.find((candidate) => candidate.id === id);
    const filters =
      stage === undefined
        ? []
        : namedStages(recipe, stage).filter(({ kind }) => kind === "difference_filter");
    return {
      stage: id,
      arm: armOf(id),
      filters: filters.map((filter) => filter.id),
      regime: regimeOf(id),
      offset: offsetOf(id),
      steps: byStage.get(id) as StepMetrics[],
    };
  });
}

/** The finite values of one key by step, shifted by the run's offset. */
export function seriesOf(run: TrainingRun, key: string, shift = true): { step: number; value: number }[] {
  return run.steps.flatMap(({ step, values }) => {
    const value = values[key];
    return value !== undefined && Number.isFinite(value)
      ? [{ step: step + (shift ? run.offset : 0), value }]
      : [];
  });
}

/** Summary of one run; keys that no step has are absent. */
export function summarizeTraining(run: TrainingRun): TrainingSummary {
  const trained = trainedSteps(run.steps);
  const count = trained.length;
  const window = Math.max(1, Math.min(END_WINDOW, Math.floor(count / 5)));
  const mean = (steps: StepMetrics[], key: string): number | undefined => {
    const values = steps.flatMap(({ values }) =>
      Number.isFinite(values[key]) ? [values[key] as number] : [],
    );
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const pick = (steps: StepMetrics[]): Record<string, number> => {
    const result: Record<string, number> = {};
    for (const key of MEANS) {
      const value = mean(steps, key);
      if (value !== undefined) result[key] = value;
    }
    return result;
  };
  const totals: Record<string, number> = {};
  for (const key of TOTALS) {
    const values = trained.flatMap(({ values }) =>
      Number.isFinite(values[key]) ? [values[key] as number] : [],
    );
    if (values.length > 0) totals[key] = values.reduce((sum, value) => sum + value, 0);
  }
  return {
    stage: run.stage,
    arm: run.arm,
    steps: count,
    window,
    first: pick(trained.slice(0, window)),
    last: pick(trained.slice(-window)),
    totals,
  };
}
