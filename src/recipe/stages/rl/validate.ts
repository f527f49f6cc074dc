/** Validation during training: avg@k per benchmark with the same seeds every time. Source: recipe A6. */
import type { RlConfig } from "../../../config/stages/rl.ts";
import { clusteredInterval } from "../../../stats/index.ts";
import type { Problem } from "../../../types.ts";
import { countBenchmarks, meanAccuracy } from "../benchmark-scores.ts";
import { gradeGroups } from "../grading.ts";
import { sampleGroups } from "../sampling.ts";
import type { RlRun } from "./batch.ts";

/**
 * Accuracy of the weights after `step`, under the metric keys `val/<benchmark>/avg@k`; the intervals go to the state.
 *
 * @param problems validation problems; never training ones
 */
export async function validate(
  run: RlRun,
  rules: NonNullable<RlConfig["validation"]>,
  problems: readonly Problem[],
  step: number,
): Promise<Record<string, number>> {
  const { config, context, policy, promptOf, state } = run;
  const sampling = rules.sampling ?? config.sampling;
  const k = rules.samplesPerProblem;
  const groups = await sampleGroups({
    policy,
    problems,
    promptOf,
    sampling,
    samplesPerProblem: k,
    seed: context.seed,
    stream: ["validation"],
    stage: context.id,
    step,
    policyVersion: `${context.id}/${step}`,
    onTokens: (count) => context.progress.tokens(count),
  });
  gradeGroups(problems, groups, config.grader);
  const counted = countBenchmarks(problems, groups, k);
  const benchmarks = counted.map(({ benchmark, problems: counts }) => ({
    benchmark,
    problems: counts.length,
    accuracy: clusteredInterval(counts.map(({ correct }) => correct / k)),
    truncated: counts.reduce((sum, { truncated }) => sum + truncated, 0) / (counts.length * k),
  }));
  const { temperature, topK, topP, minP, maxNewTokens } = sampling;
  state.validations.push({
    step,
    accuracy: meanAccuracy(counted),
    sampling: { temperature, topK, topP, minP, maxNewTokens },
    benchmarks,
  });
  return Object.fromEntries(
    counted.map(({ benchmark, problems: counts }) => [
      `val/${benchmark}/avg@${k}`,
      counts.reduce((sum, { correct }) => sum + correct, 0) / (counts.length * k),
    ]),
  );
}
