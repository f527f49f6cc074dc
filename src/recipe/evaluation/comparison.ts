/**
 * Arms against a reference, problem by problem: what an evaluation publishes, what `polaris compare` prints, and what
 * the report shows come from here.
 */
import { randomStream } from "../../random.ts";
import {
  meanOfDifferences,
  type ProblemValue,
  pairedDifference,
  pairedDifferences,
  signFlipTest,
} from "../../stats/index.ts";
import type { ArmComparison, EvaluationArm, EvaluationBenchmark } from "./evaluation-file.ts";

export interface CompareOptions {
  /** Seed of the sign flips. */
  seed: number;
  /** Sign flips; the smallest p is 1 / (flips + 1). Default 9999, fewer for tens of thousands of problems. */
  flips?: number;
}

/** Signs drawn per comparison at most: a second of work. */
const MAX_SIGNS = 50_000_000;
const DEFAULT_FLIPS = 9999;
const MIN_FLIPS = 999;

function flipsFor(problems: number): number {
  return Math.max(MIN_FLIPS, Math.min(DEFAULT_FLIPS, Math.floor(MAX_SIGNS / problems)));
}

type Arm = Pick<EvaluationArm, "arm" | "benchmarks">;

/** Name of the comparison over all benchmarks. */
export const ALL_BENCHMARKS = "mean";

/** Accuracy of each problem of a benchmark. */
function accuraciesOf({ problems, samplesPerProblem }: EvaluationBenchmark): ProblemValue[] {
  return problems.map(({ id, correct }) => ({ id, value: correct / samplesPerProblem }));
}

/**
 * Differences arm - reference, one entry per benchmark both have and, where there are several, one over all of them with
 * equal weights.
 *
 * @returns empty when they share no problem
 */
export function compareArms(arm: Arm, reference: Arm, options: CompareOptions): ArmComparison[] {
  const { seed, flips } = options;
  const names = { arm: arm.arm, reference: reference.arm };
  const entries: ArmComparison[] = [];
  const groups: number[][] = [];
  for (const benchmark of arm.benchmarks) {
    const other = reference.benchmarks.find((candidate) => candidate.benchmark === benchmark.benchmark);
    if (other === undefined) continue;
    const [first, second] = [accuraciesOf(benchmark), accuraciesOf(other)];
    const differences = pairedDifferences(first, second);
    if (differences.length === 0) continue;
    groups.push(differences);
    const stream = randomStream(seed, "sign-flip", benchmark.benchmark);
    const difference = pairedDifference(first, second);
    entries.push({
      ...names,
      benchmark: benchmark.benchmark,
      ...difference,
      // A t interval of few problems may promise more than all of them.
      low: Math.max(-1, difference.low),
      high: Math.min(1, difference.high),
      p: signFlipTest(differences, stream, flips ?? flipsFor(differences.length)),
    });
  }
  if (entries.length < 2) return entries;
  // The mean gives every benchmark the same weight, so a problem weighs 1 / (its benchmark's size).
  const weighted = groups.flatMap((differences) => differences.map((one) => one / differences.length));
  const total = (key: "problems" | "wins" | "losses" | "ties"): number =>
    entries.reduce((sum, entry) => sum + entry[key], 0);
  entries.push({
    ...names,
    benchmark: ALL_BENCHMARKS,
    ...meanOfDifferences(groups),
    problems: total("problems"),
    wins: total("wins"),
    losses: total("losses"),
    ties: total("ties"),
    p: signFlipTest(
      weighted,
      randomStream(seed, "sign-flip", ALL_BENCHMARKS, "all"),
      flips ?? flipsFor(weighted.length),
    ),
  });
  return entries;
}

/** Every other arm against the reference. @throws {RangeError} when no arm has that name */
export function compareWithReference(
  arms: readonly Arm[],
  reference: string,
  options: CompareOptions,
): ArmComparison[] {
  const base = arms.find(({ arm }) => arm === reference);
  if (base === undefined) throw new RangeError(`reference: expected the name of an arm, got ${reference}`);
  return arms.filter((arm) => arm !== base).flatMap((arm) => compareArms(arm, base, options));
}

/**
 * True when a difference is told from zero: its interval leaves zero out and the sign flips agree. The t interval alone
 * says so too easily where only a handful of problems differ.
 */
export function isDecided({ low, high, p }: Pick<ArmComparison, "low" | "high" | "p">): boolean {
  return (low > 0 || high < 0) && p < 0.05;
}
