/**
 * Evaluations arranged for tables: benchmarks of one regime under one grader and one way of sampling, arms as rows.
 * Short-chain and sparse-success benchmarks are never averaged together: what helps in one need not in the other.
 */
import type { Estimate, EvaluationBenchmark, EvaluationFile } from "../recipe/result-files.ts";
import { meanOfDifferences } from "../stats/index.ts";
import type { SamplingParameters, SummaryRow } from "../types.ts";
import { isLargeArm, sortArms } from "./arms.ts";
import { differenceMean, meanOfBenchmarks, problemMean } from "./problem-statistics.ts";

/** `short`: success is common; `sparse`: long chains, where it is rare. */
export type Regime = "short" | "sparse";

/** One arm on one benchmark. */
export interface Cell {
  arm: string;
  benchmark: string;
  /** Mean of correct responses, 0..1, with its interval over problems. */
  accuracy: Estimate;
  /** Problems and samples per problem behind the value. */
  problems: number;
  samples: number;
  /** Shares of all responses, 0..1. */
  truncated: number;
  noBoxed: number;
  graderErrors: number;
  /** Mean response length in tokens. */
  meanTokens: number;
  perProblem: EvaluationBenchmark["problems"];
  /** Where the benchmark was drawn in another way than its evaluation. */
  sampling?: SamplingParameters;
}

/** Arms and benchmarks that may stand in one table. */
export interface BenchmarkGroup {
  regime: Regime;
  /** Evaluate stages the cells come from. */
  stages: string[];
  seed: number;
  sampling: SamplingParameters;
  graderVersion: string;
  benchmarks: string[];
  arms: string[];
  cells: Cell[];
}

/** Long chains are named so (`chain-long`, `chain-beyond`, `sparse`); everything else counts as short. */
export function regimeOf(name: string): Regime {
  return /(^|[-_ ])(long|beyond|sparse)($|[-_ ])/i.test(name) ? "sparse" : "short";
}

export function regimeTitle(regime: Regime): string {
  return regime === "sparse" ? "Long chains, sparse success" : "Short chains";
}

/** The cell of an arm and a benchmark, or undefined when it was not evaluated. */
export function findCell(group: BenchmarkGroup, arm: string, benchmark: string): Cell | undefined {
  return group.cells.find((cell) => cell.arm === arm && cell.benchmark === benchmark);
}

function createCell(arm: string, benchmark: EvaluationBenchmark, rows: readonly SummaryRow[]): Cell {
  const { problems, samplesPerProblem } = benchmark;
  const responses = Math.max(1, problems.length * samplesPerProblem);
  const total = (key: "truncated" | "noBoxed" | "graderErrors"): number =>
    problems.reduce((sum, problem) => sum + problem[key], 0) / responses;
  const row = rows.find(
    (candidate) =>
      candidate.arm === arm &&
      candidate.benchmark === benchmark.benchmark &&
      candidate.metric === `avg@${samplesPerProblem}`,
  );
  return {
    arm,
    benchmark: benchmark.benchmark,
    accuracy:
      row === undefined
        ? problemMean(problems.map((problem) => problem.correct / samplesPerProblem))
        : { value: row.value, low: row.low, high: row.high },
    problems: problems.length,
    samples: samplesPerProblem,
    truncated: total("truncated"),
    noBoxed: total("noBoxed"),
    graderErrors: total("graderErrors"),
    meanTokens: problems.reduce((sum, problem) => sum + problem.meanTokens, 0) / Math.max(1, problems.length),
    perProblem: problems,
    ...(benchmark.sampling === undefined ? {} : { sampling: benchmark.sampling }),
  };
}

function sameConditions(group: BenchmarkGroup, evaluation: EvaluationFile): boolean {
  return (
    group.graderVersion === evaluation.graderVersion &&
    group.seed === evaluation.seed &&
    JSON.stringify(group.sampling) === JSON.stringify(evaluation.sampling)
  );
}

/**
 * Groups cells by regime; evaluations that share seed, sampling and grader share a group, unless both hold the same
 * arm on the same benchmark, which are then two experiments and stand in two tables.
 */
export function groupBenchmarks(evaluations: readonly EvaluationFile[]): BenchmarkGroup[] {
  const groups: BenchmarkGroup[] = [];
  for (const evaluation of evaluations) {
    const cells = evaluation.arms.flatMap(({ arm, benchmarks }) =>
      benchmarks.map((benchmark) => createCell(arm, benchmark, evaluation.rows)),
    );
    for (const regime of ["short", "sparse"] as const) {
      const own = cells.filter((cell) => regimeOf(cell.benchmark) === regime);
      if (own.length === 0) continue;
      const group = groups.find(
        (candidate) =>
          candidate.regime === regime &&
          sameConditions(candidate, evaluation) &&
          !own.some((cell) => findCell(candidate, cell.arm, cell.benchmark)),
      );
      if (group === undefined) {
        const { stage, seed, sampling, graderVersion } = evaluation;
        groups.push({
          regime,
          stages: [stage],
          seed,
          sampling,
          graderVersion,
          benchmarks: [],
          arms: [],
          cells: own,
        });
      } else {
        group.stages.push(evaluation.stage);
        group.cells.push(...own);
      }
    }
  }
  for (const group of groups) {
    group.benchmarks = [...new Set(group.cells.map((cell) => cell.benchmark))];
    group.arms = sortArms(group.cells.map((cell) => cell.arm));
  }
  return groups.sort((a, b) => Number(a.regime === "sparse") - Number(b.regime === "sparse"));
}

/** Mean over the group's benchmarks, each with equal weight; undefined unless the arm has all of them. */
export function meanAccuracy(group: BenchmarkGroup, arm: string): Estimate | undefined {
  const cells = group.benchmarks.map((benchmark) => findCell(group, arm, benchmark));
  if (cells.some((cell) => cell === undefined)) return undefined;
  const values = (cells as Cell[]).map((cell) =>
    cell.perProblem.map((problem) => problem.correct / cell.samples),
  );
  return values.some((list) => list.length === 0) ? undefined : meanOfBenchmarks(values);
}

/** An arm compared with a reference on the same problems. */
export interface ArmDifference extends Estimate {
  arm: string;
  reference: string;
  /** A benchmark, or `mean`: equal weight per benchmark. */
  benchmark: string;
  /** Problems both arms were asked. */
  problems: number;
  samples: number;
}

/** Paired by problem; empty where the two arms share no problem. The last one is the mean, when there are several. */
export function armDifferences(group: BenchmarkGroup, arm: string, reference: string): ArmDifference[] {
  const pairs: { benchmark: string; differences: number[]; samples: number }[] = [];
  for (const benchmark of group.benchmarks) {
    const a = findCell(group, arm, benchmark);
    const b = findCell(group, reference, benchmark);
    if (a === undefined || b === undefined) continue;
    const before = new Map(b.perProblem.map((problem) => [problem.id, problem.correct / b.samples]));
    const differences = a.perProblem.flatMap((problem) => {
      const other = before.get(problem.id);
      return other === undefined ? [] : [problem.correct / a.samples - other];
    });
    if (differences.length > 0)
      pairs.push({ benchmark, differences, samples: Math.min(a.samples, b.samples) });
  }
  const result = pairs.map(({ benchmark, differences, samples }) => ({
    ...differenceMean(differences),
    arm,
    reference,
    benchmark,
    problems: differences.length,
    samples,
  }));
  if (pairs.length > 1 && pairs.length === group.benchmarks.length)
    result.push({
      ...meanOfDifferences(pairs.map(({ differences }) => differences)),
      arm,
      reference,
      benchmark: "mean",
      problems: pairs.reduce((sum, { differences }) => sum + differences.length, 0),
      samples: Math.min(...pairs.map(({ samples }) => samples)),
    });
  return result;
}

/** The comparisons the recipe is about, in the order of the ladder, for the arms this group has. */
export function comparisonsOf(group: BenchmarkGroup): [arm: string, reference: string][] {
  const merged = group.arms.filter((arm) => arm.startsWith("merged"));
  const wanted: [string, string][] = [
    ["sft", "base"],
    ["grpo", "sft"],
    ["core", "grpo"],
    ["filtered", "core"],
    ["filtered", "unfiltered"],
    ["filtered", "high"],
    ["low", "high"],
    ["distilled", "large"],
    ...merged.flatMap((arm): [string, string][] => [
      [arm, "large"],
      [arm, "distilled"],
    ]),
  ];
  return wanted.filter(([arm, reference]) => group.arms.includes(arm) && group.arms.includes(reference));
}

/** Arms of the small model's ladder with its controls, and arms of the large model. */
export function splitArms(group: BenchmarkGroup): { ladder: string[]; large: string[] } {
  return {
    ladder: group.arms.filter((arm) => !isLargeArm(arm)),
    large: group.arms.filter(isLargeArm),
  };
}
