/**
 * The k problems an arm does worst on, and how other arms do on the very same ones.
 * Picking by a noisy score and then comparing with that score flatters every other arm (regression to the mean): pass
 * scores from fresh samples of the base for the comparison.
 * Source: recipe B12 (20 problems, pooled over the benchmarks in the figure).
 */

/** Accuracy of one problem in one arm. */
export interface ProblemAccuracy {
  benchmark: string;
  id: string;
  accuracy: number;
}

export interface HardestOptions {
  /** Problems picked; per benchmark when `scope` says so. */
  count: number;
  scope?: "pooled" | "per_benchmark";
}

/**
 * Picks the problems of lowest accuracy, hardest first; equal ones in the given order.
 *
 * @throws {RangeError} when count is not a whole number from 1
 */
export function hardestProblems<Problem extends ProblemAccuracy>(
  base: readonly Problem[],
  options: HardestOptions,
): Problem[] {
  const { count, scope = "pooled" } = options;
  if (!Number.isInteger(count) || count < 1) throw new RangeError(`count: expected 1 or more, got ${count}`);
  const hardest = (problems: readonly Problem[]): Problem[] =>
    [...problems].sort((a, b) => a.accuracy - b.accuracy).slice(0, count);
  if (scope === "pooled") return hardest(base);
  const benchmarks = new Map<string, Problem[]>();
  for (const problem of base) {
    const group = benchmarks.get(problem.benchmark);
    if (group === undefined) benchmarks.set(problem.benchmark, [problem]);
    else group.push(problem);
  }
  return [...benchmarks.values()].flatMap(hardest);
}

/**
 * Accuracies of several arms on picked problems, for grouped bars.
 *
 * @returns `values[i]` belongs to `problems[i]`; null where the arm lacks the problem
 */
export function compareOn(
  problems: readonly ProblemAccuracy[],
  arms: readonly { arm: string; problems: readonly ProblemAccuracy[] }[],
): { arm: string; values: (number | null)[]; sum: number }[] {
  const keyOf = (problem: ProblemAccuracy): string => JSON.stringify([problem.benchmark, problem.id]);
  return arms.map(({ arm, problems: own }) => {
    const accuracies = new Map(own.map((problem) => [keyOf(problem), problem.accuracy]));
    const values = problems.map((problem) => accuracies.get(keyOf(problem)) ?? null);
    return { arm, values, sum: values.reduce<number>((sum, value) => sum + (value ?? 0), 0) };
  });
}
