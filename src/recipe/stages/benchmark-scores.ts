/**
 * Per-problem counts and summary rows of graded rollouts: what evaluate, merge and validation publish. Truncated
 * responses and grader failures are counted apart from wrong ones. Source: recipe A10.
 */
import { clusteredInterval, type Estimate, meanInterval, meanOfShares } from "../../stats/index.ts";
import type { Problem, Rollout, SummaryRow } from "../../types.ts";
import { responseTokens } from "../evaluation/responses.ts";
import type { EvaluationBenchmark } from "../result-files.ts";
import { isCorrect } from "./grading.ts";

type ProblemCounts = EvaluationBenchmark["problems"][number];

/** Counts of one problem's graded rollouts. */
export function countProblem(problem: Problem, rollouts: readonly Rollout[]): ProblemCounts {
  const share = (test: (rollout: Rollout) => boolean): number => rollouts.filter(test).length;
  const tokens = rollouts.reduce((sum, rollout) => sum + responseTokens(rollout), 0);
  const steps = problem.meta["steps"];
  return {
    id: problem.id,
    correct: share(isCorrect),
    truncated: share((rollout) => rollout.finishReason === "length"),
    noBoxed: share((rollout) => rollout.finishReason === "stop" && rollout.verdict?.answer === null),
    graderErrors: share((rollout) => rollout.verdict?.correct === null),
    meanTokens: rollouts.length === 0 ? 0 : tokens / rollouts.length,
    ...(typeof steps === "number" ? { steps } : {}),
  };
}

/**
 * One entry per benchmark, in order of first appearance; `problem.source` names the benchmark.
 *
 * @param groups graded rollouts, shape [problems][samples]
 */
export function countBenchmarks(
  problems: readonly Problem[],
  groups: readonly (readonly Rollout[])[],
  samplesPerProblem: number,
): EvaluationBenchmark[] {
  const benchmarks = new Map<string, EvaluationBenchmark>();
  for (const [i, problem] of problems.entries()) {
    const entry = benchmarks.get(problem.source) ?? {
      benchmark: problem.source,
      samplesPerProblem,
      problems: [],
    };
    entry.problems.push(countProblem(problem, groups[i] as Rollout[]));
    benchmarks.set(problem.source, entry);
  }
  return [...benchmarks.values()];
}

/**
 * Summary rows of one benchmark: avg@k with its interval clustered by problem, best@k, shares truncated, without a
 * boxed answer and not gradable, and the mean length in tokens.
 */
export function benchmarkRows(benchmark: EvaluationBenchmark, arm: string, seed: number): SummaryRow[] {
  const { problems, samplesPerProblem: k } = benchmark;
  const shares = (key: "correct" | "truncated" | "noBoxed" | "graderErrors"): Estimate =>
    clusteredInterval(problems.map((problem) => problem[key] / k));
  const row = (metric: string, estimate: Estimate): SummaryRow => ({
    arm,
    benchmark: benchmark.benchmark,
    metric,
    ...estimate,
    problems: problems.length,
    samples: k,
    seed,
  });
  const rows = [
    row(`avg@${k}`, shares("correct")),
    row("truncated", shares("truncated")),
    row("format_error", shares("noBoxed")),
    row("length_tokens", meanInterval(problems.map((problem) => problem.meanTokens))),
  ];
  const share = (test: (correct: number) => boolean): Estimate =>
    clusteredInterval(problems.map(({ correct }) => Number(test(correct))));
  rows.push(
    row(
      "solve_none",
      share((correct) => correct === 0),
    ),
    row(
      "solve_all",
      share((correct) => correct === k),
    ),
  );
  if (k > 1)
    rows.push(
      row(
        `best@${k}`,
        share((correct) => correct > 0),
      ),
    );
  if (problems.some((problem) => problem.graderErrors > 0))
    rows.push(row("grader_error", shares("graderErrors")));
  return rows;
}

/** Mean accuracy over benchmarks, each counting the same; the number a sweep is judged by. */
export function meanAccuracy(benchmarks: readonly EvaluationBenchmark[]): number {
  const means = benchmarks.map(
    ({ problems, samplesPerProblem }) =>
      problems.reduce((sum, problem) => sum + problem.correct, 0) / (problems.length * samplesPerProblem),
  );
  return means.reduce((sum, mean) => sum + mean, 0) / means.length;
}

/** The same with its interval, for an arm of several benchmarks. */
export function meanOfArm(benchmarks: readonly EvaluationBenchmark[]): { mean?: Estimate } {
  if (benchmarks.length < 2) return {};
  return {
    mean: meanOfShares(
      benchmarks.map(({ problems, samplesPerProblem }) =>
        problems.map(({ correct }) => correct / samplesPerProblem),
      ),
    ),
  };
}
