/**
 * Difficulty calibration: n responses per problem by the very model that will be trained, pass rates, their histogram
 * and shape, and the problems worth training on. Source: recipe A1, B5.
 */
import { type CalibrateConfig, calibrateSchema } from "../../config/stages/calibrate.ts";
import { writeProblems } from "../../data/problems.ts";
import { writeRollouts } from "../../data/rollouts.ts";
import { DataError } from "../../errors.ts";
import { difficultyShape, filterByDifficulty, passRateHistogram } from "../../rl/index.ts";
import { clusteredInterval } from "../../stats/index.ts";
import type { Problem, Rollout } from "../../types.ts";
import type { PassRateFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { evaluateModel } from "./evaluation.ts";
import { isCorrect } from "./grading.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace, writeJsonOutput } from "./output-files.ts";

/** Rollouts the configuration keeps. */
function keptRollouts(groups: readonly Rollout[][], keep: CalibrateConfig["keepRollouts"]): Rollout[] | null {
  if (keep === "none") return null;
  const all = groups.flat();
  return keep === "correct" ? all.filter(isCorrect) : all;
}

/** Pass rates of all problems, and the ones to train on with their rate in `meta.pass_rate`. */
export function summarisePassRates(
  problems: readonly Problem[],
  groups: readonly (readonly Rollout[])[],
  config: Pick<CalibrateConfig, "samplesPerProblem" | "filter">,
): { counts: number[]; passRates: PassRateFile["problems"]; kept: Problem[] } {
  const samples = config.samplesPerProblem;
  const counted = problems.map((problem, i) => ({
    id: problem.id,
    problem,
    correct: (groups[i] as Rollout[]).filter(isCorrect).length,
    samples,
  }));
  const { kept } = filterByDifficulty(counted, {
    dropPerfect: config.filter.dropSolved,
    maxPassRate: config.filter.maxPassRate,
    // The smallest rate above 0: a problem solved once stays.
    minPassRate: config.filter.dropUnsolved ? 1 / samples : 0,
  });
  return {
    counts: passRateHistogram(counted, samples),
    passRates: counted.map(({ id, problem, correct }) => ({
      id,
      source: problem.source,
      passRate: correct / samples,
    })),
    kept: kept.map(({ problem, correct }) => ({
      ...problem,
      meta: { ...problem.meta, pass_rate: correct / samples },
    })),
  };
}

async function run(config: CalibrateConfig, context: StageContext): Promise<StageOutput> {
  const problems = await readProblemsInput(context, config.problems, config.limit);
  const { groups } = await evaluateModel({
    ...config,
    context,
    problems,
    purpose: "calibrate",
    name: "calibrate",
  });
  const { counts, passRates, kept } = summarisePassRates(problems, groups, config);
  const shape = difficultyShape(counts);
  if (kept.length === 0)
    throw new DataError(`stage ${context.id}: the filter keeps none of ${problems.length} problems`, {
      hint: "loosen filter, or calibrate on other problems",
      details: { counts },
    });
  const passRateFile: PassRateFile = {
    stage: context.id,
    model: config.model,
    samplesPerProblem: config.samplesPerProblem,
    counts,
    shape,
    problems: passRates,
  };
  const problemsPlace = outputPlace(context, "problems.jsonl");
  writeProblems(problemsPlace.absolute, kept);
  const output: StageOutput = {
    problems: problemsPlace.relative,
    files: { pass_rates: writeJsonOutput(outputPlace(context, "pass-rates.json"), passRateFile) },
    numbers: {
      problems: problems.length,
      kept: kept.length,
      shape,
      pass_rate: clusteredInterval(passRates.map(({ passRate }) => passRate)).value,
    },
  };
  const rollouts = keptRollouts(groups, config.keepRollouts);
  if (rollouts !== null) {
    const place = outputPlace(context, "rollouts.jsonl.gz");
    writeRollouts(place.absolute, rollouts);
    output.rollouts = place.relative;
  }
  discardChunks(context);
  return output;
}

export const calibrateStage: StageKind<CalibrateConfig> = {
  kind: "calibrate",
  version: 1,
  schema: calibrateSchema,
  inputs: (config) => [config.model, config.problems],
  run,
};
