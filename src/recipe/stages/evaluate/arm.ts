/**
 * Draws and counts one arm of an evaluation. Responses pass through a chunk at a time: what stays in memory is their
 * lengths and outcomes.
 */
import type { EvaluateConfig } from "../../../config/stages/evaluate.ts";
import type { Problem, Rollout } from "../../../types.ts";
import type {
  EvaluationArm,
  EvaluationBenchmark,
  EvaluationProblem,
} from "../../evaluation/evaluation-file.ts";
import { budgetPoints, defaultLengthEdges, lengthRows } from "../../evaluation/lengths.ts";
import { diversityOf, recordResponses } from "../../evaluation/responses.ts";
import type { StageContext } from "../../stage.ts";
import { countProblem } from "../benchmark-scores.ts";
import { streamModel } from "../evaluation.ts";
import { type Draw, settingsOf } from "./draws.ts";

export interface DrawArmOptions {
  context: StageContext;
  config: EvaluateConfig;
  /** A model reference the stage declared, or a folder of its own. */
  model: string;
  draws: readonly Draw[];
  /** Names the random stream: arms drawn for one purpose have the same seeds. */
  purpose: string;
  /** Names the chunk files within the stage. */
  name: string;
  progress: { before: number; total: number };
  /** Sees every problem with its graded responses once, in no promised order. */
  onGroup?: (problem: Problem, group: readonly Rollout[]) => void;
}

/**
 * Samples and grades a model on every draw.
 *
 * @returns one entry per benchmark, in order of first appearance
 * @throws {InterruptedError} when the stage is asked to stop; what was sampled is kept
 */
export async function drawArm(options: DrawArmOptions): Promise<EvaluationBenchmark[]> {
  const { context, config, model, draws, purpose, name, progress, onGroup } = options;
  const benchmarks = new Map<string, EvaluationBenchmark>();
  let { before } = progress;
  for (const [d, { problems, sampling, samplesPerProblem }] of draws.entries()) {
    const chunks = streamModel({
      context,
      model,
      problems,
      sampling,
      samplesPerProblem,
      prompt: config.prompt,
      grader: config.grader,
      purpose,
      name: d === 0 ? name : `${name}-${d}`,
      progress: { before, total: progress.total },
    });
    for await (const chunk of chunks)
      for (const [i, problem] of chunk.problems.entries()) {
        const group = chunk.groups[i] as Rollout[];
        const entry = benchmarks.get(problem.source) ?? {
          benchmark: problem.source,
          samplesPerProblem,
          ...(sampling === config.sampling ? {} : { sampling }),
          problems: [],
        };
        entry.problems.push({
          ...countProblem(problem, group),
          ...diversityOf(group),
          responses: recordResponses(group),
        });
        benchmarks.set(problem.source, entry);
        onGroup?.(problem, group);
      }
    before += problems.length;
  }
  return [...benchmarks.values()];
}

/** Length buckets and budgets of problems drawn with one token limit. */
function lengthsOf(
  problems: readonly EvaluationProblem[],
  config: EvaluateConfig,
  maxNewTokens: number,
): Required<Pick<EvaluationBenchmark, "lengths" | "budgets">> {
  const edges = config.lengthEdges ?? defaultLengthEdges(maxNewTokens);
  const ascending = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);
  return {
    lengths: lengthRows(problems, ascending(edges)),
    budgets: budgetPoints(problems, maxNewTokens, ascending(config.budgetShares)),
  };
}

/** The benchmarks with their lengths, and those of all together where they share a token limit. */
export function withLengths(
  benchmarks: readonly EvaluationBenchmark[],
  config: EvaluateConfig,
): Pick<EvaluationArm, "benchmarks" | "lengths" | "budgets"> {
  const limitOf = ({ benchmark }: EvaluationBenchmark): number =>
    settingsOf(config, benchmark).sampling.maxNewTokens;
  const limits = [...new Set(benchmarks.map(limitOf))];
  const pooled = benchmarks.flatMap(({ problems }) => problems);
  return {
    benchmarks: benchmarks.map((benchmark) => ({
      ...benchmark,
      ...lengthsOf(benchmark.problems, config, limitOf(benchmark)),
    })),
    ...(limits.length === 1 ? lengthsOf(pooled, config, limits[0] as number) : {}),
  };
}
