/**
 * One temperature of a sweep: draws and grades. Responses pass through a chunk at a time; what is counted is in
 * `sweep-point.ts`. All temperatures share the seeds, so their curves differ by temperature alone. Source: recipe A3, A4.
 */
import type { TemperatureSweepConfig } from "../../../config/stages/temperature-sweep.ts";
import type { Problem } from "../../../types.ts";
import type { StageContext } from "../../stage.ts";
import type { SweepPoint } from "../../temperature/sweep-file.ts";
import { createPointCounter } from "../../temperature/sweep-point.ts";
import { streamModel } from "../evaluation.ts";
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
        for (const rollout of group) kept?.write(rollout);
      }
    kept?.close();
  } finally {
    kept?.discard();
  }
  return counter.point();
}
