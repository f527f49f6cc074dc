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

/**
 * Share of the tokens that must be scored for an entropy. Servers leave some responses without log-probabilities (llama.cpp:
 * those with a character of several tokens), which are more surprising than others: a few do not move the mean much.
 */
const MIN_SCORED_SHARE = 0.95;

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
  const counter = createPointCounter({ ...config, temperature, exactLogprobs });
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
        counter.add(group);
        for (const rollout of group) kept?.write({ ...rollout });
      }
    kept?.close();
  } finally {
    kept?.discard();
  }
  return counter.point();
}
