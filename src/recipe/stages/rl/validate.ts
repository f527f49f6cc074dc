/** Validation during training: avg@k per benchmark with the same seeds every time. Source: recipe A6. */
import type { RlConfig } from "../../../config/stages/rl.ts";
import type { Problem } from "../../../types.ts";
import { countBenchmarks } from "../benchmark-scores.ts";
import { gradeGroups } from "../grading.ts";
import { sampleGroups } from "../sampling.ts";
import type { RlRun } from "./batch.ts";

/**
 * Accuracy of the weights after `step`, under the metric keys `val/<benchmark>/avg@k`.
 *
 * @param problems validation problems; never training ones
 */
export async function validate(
  run: RlRun,
  rules: NonNullable<RlConfig["validation"]>,
  problems: readonly Problem[],
  step: number,
): Promise<Record<string, number>> {
  const { config, context, policy, promptOf } = run;
  const groups = await sampleGroups({
    policy,
    problems,
    promptOf,
    sampling: rules.sampling ?? config.sampling,
    samplesPerProblem: rules.samplesPerProblem,
    seed: context.seed,
    stream: ["validation"],
    stage: context.id,
    step,
    policyVersion: `${context.id}/${step}`,
    onTokens: (count) => context.progress.tokens(count),
  });
  gradeGroups(problems, groups, config.grader);
  return Object.fromEntries(
    countBenchmarks(problems, groups, rules.samplesPerProblem).map(
      ({ benchmark, samplesPerProblem: k, problems: counts }) => [
        `val/${benchmark}/avg@${k}`,
        counts.reduce((sum, count) => sum + count.correct, 0) / (counts.length * k),
      ],
    ),
  );
}
