/** How each benchmark of an evaluation is drawn: the evaluation's own settings with its overrides laid on them. */

import { didYouMean } from "../../../config/nearest.ts";
import type { SamplingConfig } from "../../../config/stages/common.ts";
import type { EvaluateConfig } from "../../../config/stages/evaluate.ts";
import { ConfigError } from "../../../errors.ts";
import type { Problem } from "../../../types.ts";
import { paperBenchmark } from "../../evaluation/paper-results.ts";

export interface DrawSettings {
  sampling: SamplingConfig;
  samplesPerProblem: number;
}

/** Problems that are drawn in one way. */
export interface Draw extends DrawSettings {
  problems: Problem[];
}

type DrawConfig = Pick<EvaluateConfig, "sampling" | "samplesPerProblem" | "overrides">;

/** Values that were given. */
function given<Values extends object>(values: Values): Partial<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<Values>;
}

/** True when a name means a benchmark: its own, or another of those the paper's benchmark goes by. */
function means(name: string, benchmark: string): boolean {
  const known = paperBenchmark(name);
  return name === benchmark || (known !== null && known === paperBenchmark(benchmark));
}

/** Settings of one benchmark; a later override wins. */
export function settingsOf(config: DrawConfig, benchmark: string): DrawSettings {
  const settings: DrawSettings = { sampling: config.sampling, samplesPerProblem: config.samplesPerProblem };
  for (const override of config.overrides) {
    if (!override.benchmarks.some((name) => means(name, benchmark))) continue;
    const changes = given(override.sampling);
    if (Object.keys(changes).length > 0) settings.sampling = { ...settings.sampling, ...changes };
    settings.samplesPerProblem = override.samplesPerProblem ?? settings.samplesPerProblem;
  }
  return settings;
}

/**
 * Problems grouped by how they are drawn, in order of first appearance.
 * @throws {ConfigError} when an override names a benchmark that is not there
 */
export function planDraws(config: DrawConfig, problems: readonly Problem[], stage: string): Draw[] {
  const benchmarks = [...new Set(problems.map(({ source }) => source))];
  for (const name of config.overrides.flatMap((override) => override.benchmarks))
    if (!benchmarks.some((benchmark) => means(name, benchmark)))
      throw new ConfigError(
        `stage ${stage}: overrides: expected one of the benchmarks ${benchmarks.slice(0, 20).join(", ")}, got ${name.slice(0, 100)}${didYouMean(name, benchmarks)}`,
      );
  const draws = new Map<string, Draw>();
  for (const problem of problems) {
    const settings = settingsOf(config, problem.source);
    const key = JSON.stringify(settings);
    const draw = draws.get(key);
    if (draw === undefined) draws.set(key, { ...settings, problems: [problem] });
    else draw.problems.push(problem);
  }
  return [...draws.values()];
}
