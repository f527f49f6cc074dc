/**
 * Summary rows that need every response: pass@k for several k, maj@k, best@k and the shares solved never and always,
 * each with its interval over problems. avg@k and the counts are `stages/benchmark-scores.ts`.
 * Source: recipe A10; the unbiased pass@k of Chen et al. (arXiv:2107.03374).
 */
import { randomStream } from "../../random.ts";
import { clusteredInterval, type Estimate, problemMajorityAtK, problemPassAtK } from "../../stats/index.ts";
import type { SummaryRow } from "../../types.ts";
import type { EvaluationBenchmark } from "./evaluation-file.ts";
import { problemsWithResponses, votesOf } from "./responses.ts";

/** 2, 4, 8 ... up to `samples`, and `samples` itself; pass@1 is avg@k. */
export function defaultPassAt(samples: number): number[] {
  const list: number[] = [];
  for (let k = 2; k < samples; k *= 2) list.push(k);
  return samples > 1 ? [...list, samples] : [];
}

export interface MetricOptions {
  arm: string;
  seed: number;
  /** Values of k; those above the samples of a problem are left out. */
  passAt?: readonly number[];
  majorityAt?: readonly number[];
}

/** Rows of pass@k, distinct-4 and maj@k of one benchmark; the last two only where the responses are known. */
export function responseRows(benchmark: EvaluationBenchmark, options: MetricOptions): SummaryRow[] {
  const { problems, samplesPerProblem: samples } = benchmark;
  const { arm, seed, passAt = defaultPassAt(samples), majorityAt = [samples] } = options;
  const row = (metric: string, estimate: Estimate): SummaryRow => ({
    arm,
    benchmark: benchmark.benchmark,
    metric,
    ...estimate,
    problems: problems.length,
    samples,
    seed,
  });
  const usable = (list: readonly number[]): number[] =>
    [...new Set(list)].filter((k) => k > 1 && k <= samples).sort((a, b) => a - b);
  const rows = usable(passAt).map((k) =>
    row(
      `pass@${k}`,
      clusteredInterval(problems.map(({ correct }) => problemPassAtK({ correct, samples }, k))),
    ),
  );
  const diversity = problems.flatMap(({ distinct4 }) => distinct4 ?? []);
  // Text without spaces has no four words in a row, and a column of zeros would say that it is all alike.
  const written = diversity.length === problems.length && diversity.some((value) => value > 0);
  if (written) rows.push(row("distinct_4", clusteredInterval(diversity)));
  const complete = problemsWithResponses(problems);
  if (complete === null) return rows;
  for (const k of usable(majorityAt)) {
    const values = complete.map(({ id, responses }) => {
      // One stream per problem: its value does not depend on what else is in the benchmark.
      const stream = randomStream(seed, "majority", k, id);
      return Math.min(1, problemMajorityAtK(votesOf(responses), k, { stream }));
    });
    rows.push(row(`maj@${k}`, clusteredInterval(values)));
  }
  return rows;
}

/** Kinds of metric in the order of tables: correctness first, then what went wrong. */
const TABLE_ORDER = [
  /^avg@/,
  /^pass@/,
  /^maj@/,
  /^best@/,
  /^solve_none$/,
  /^solve_all$/,
  /^truncated$/,
  /^format_error$/,
];

/**
 * Metrics of a table's columns, in order. Lengths are left out, which are no shares, and best@k where pass@k of the same k
 * stands: with k samples drawn they are one number.
 */
export function tableMetrics(rows: readonly SummaryRow[]): string[] {
  const all = [...new Set(rows.map(({ metric }) => metric))];
  const rank = (metric: string): number => {
    const index = TABLE_ORDER.findIndex((kind) => kind.test(metric));
    return index < 0 ? TABLE_ORDER.length : index;
  };
  return all
    .filter((metric) => metric !== "length_tokens")
    .filter((metric) => !metric.startsWith("best@") || !all.includes(metric.replace("best@", "pass@")))
    .sort((a, b) => rank(a) - rank(b));
}
