/**
 * One temperature of a sweep: draws, grades and counts. Responses pass through a chunk at a time; what stays in memory is
 * two numbers per problem. All temperatures share the seeds, so their curves differ by temperature alone. Source: recipe A3, A4.
 */
import type { TemperatureSweepConfig } from "../../../config/stages/temperature-sweep.ts";
import { clusteredInterval } from "../../../stats/index.ts";
import type { Problem, Rollout } from "../../../types.ts";
import { addOutcome, createOutcomes } from "../../calibration/response-outcomes.ts";
import type { StageContext } from "../../stage.ts";
import { diversityOf } from "../../temperature/diversity.ts";
import type { SweepPoint } from "../../temperature/sweep-file.ts";
import { streamModel } from "../evaluation.ts";
import { isCorrect } from "../grading.ts";
import { keptRolloutsPlace, openKeptRollouts } from "../kept-rollouts.ts";
import type { OutputPlace } from "../output-files.ts";

export interface ProbeOptions {
  context: StageContext;
  config: TemperatureSweepConfig;
  problems: readonly Problem[];
  temperature: number;
  /** The sampler's log-probabilities are those of the distribution it draws from. */
  exactLogprobs: boolean;
  progress: { before: number; total: number };
}

/** Where the responses of a temperature are kept. */
export function rolloutsPlace(
  context: StageContext,
  { rolloutFormat }: Pick<TemperatureSweepConfig, "rolloutFormat">,
  temperature: number,
): OutputPlace {
  return keptRolloutsPlace(context, `rollouts-${temperature}`, rolloutFormat);
}

/**
 * Draws `samplesPerProblem` responses to every problem.
 * @throws {InterruptedError} when the stage is asked to stop; what was sampled is kept
 */
export async function probeTemperature(options: ProbeOptions): Promise<SweepPoint> {
  const { context, config, problems, temperature, exactLogprobs, progress } = options;
  const kept =
    config.keepRollouts === "all"
      ? openKeptRollouts(context, `rollouts-${temperature}`, config.rolloutFormat)
      : null;
  const correct: number[] = [];
  const distinct: number[] = [];
  const sums = { tokens: 0, surprise: 0, scored: 0 };
  const outcomes = createOutcomes();
  const count = (rollout: Rollout): void => {
    sums.tokens += rollout.lengthTokens ?? rollout.tokens.length;
    sums.scored += rollout.logprobs.length;
    for (const logprob of rollout.logprobs) sums.surprise -= logprob;
    addOutcome(outcomes, rollout);
    kept?.write(rollout);
  };
  try {
    const chunks = streamModel({
      ...config,
      context,
      problems,
      sampling: { ...config.sampling, temperature },
      purpose: "temperature_sweep",
      name: `t-${temperature}`,
      progress,
    });
    for await (const { groups } of chunks)
      for (const group of groups) {
        correct.push(group.filter(isCorrect).length);
        distinct.push(diversityOf(group, config));
        group.forEach(count);
      }
    kept?.close();
  } finally {
    kept?.discard();
  }
  const { responses } = outcomes;
  // A response without scores would leave its tokens out of the mean.
  const complete = exactLogprobs && sums.scored === sums.tokens && sums.tokens > 0;
  return {
    temperature,
    accuracy: clusteredInterval(correct.map((solved) => solved / config.samplesPerProblem)),
    diversity: clusteredInterval(distinct),
    entropy: complete ? sums.surprise / sums.tokens : null,
    lengthTokens: sums.tokens / responses,
    truncated: outcomes.truncated / responses,
    unboxed: outcomes.unboxed / responses,
    graderErrors: outcomes.graderErrors / responses,
    correct,
    distinct,
  };
}
