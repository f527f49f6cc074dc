/**
 * Difficulty calibration: n responses per problem by the very model that will be trained, pass rates, their histogram
 * and shape, the problems worth training on with a reason for every other one, and the shift since an earlier
 * calibration. One chunk of responses is in memory at a time. Source: recipe A1, B5.
 */
import { resolve } from "node:path";
import { type CalibrateConfig, calibrateSchema } from "../../config/stages/calibrate.ts";
import { writeProblems } from "../../data/problems.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { difficultyReason, difficultyShape, passRateHistogram } from "../../rl/index.ts";
import { clusteredInterval } from "../../stats/index.ts";
import type { Json, Problem, Rollout } from "../../types.ts";
import { readPassRates } from "../calibration/pass-rate-shape.ts";
import { difficultyShiftFile } from "../calibration/shift.ts";
import { createDropCounter } from "../drops.ts";
import type { DropsFile, PassRateFile, ShiftFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { streamModel } from "./evaluation.ts";
import { gradeGroups, isCorrect } from "./grading.ts";
import { isFileReference, readProblemsInput } from "./inputs.ts";
import { type KeptRollouts, openKeptRollouts } from "./kept-rollouts.ts";
import { outputPlace, resolveOutput, writeJsonOutput } from "./output-files.ts";
import { storedResponses } from "./stored-responses.ts";

const MEANINGS = {
  solved: "solved every time: nothing is left to learn",
  too_easy: "solved more often than filter.max_pass_rate",
  too_hard: "solved less often than filter.min_pass_rate, or never where drop_unsolved is on",
};

/** Correct responses of every problem, and how many problems were answered by stored ones. */
interface Counted {
  correct: Map<string, number>;
  reused: number;
}

/** Grades stored responses, draws what is missing, and passes every response on once. */
async function countCorrect(
  config: CalibrateConfig,
  context: StageContext,
  problems: readonly Problem[],
  keep: (rollout: Rollout) => void,
): Promise<Counted> {
  const correct = new Map<string, number>();
  const count = (problem: Problem, group: readonly Rollout[]): void => {
    correct.set(problem.id, group.filter(isCorrect).length);
    group.forEach(keep);
  };
  for await (const { problem, group } of storedResponses({
    ...config,
    context,
    problems,
    references: config.reuse,
  })) {
    gradeGroups([problem], [group], config.grader);
    count(problem, group);
  }
  const reused = correct.size;
  const missing = problems.filter(({ id }) => !correct.has(id));
  if (reused > 0) context.progress.note(`${reused} of ${problems.length} problems from stored responses`);
  if (missing.length === 0) return { correct, reused };
  const { model } = config;
  if (model === undefined)
    throw new DataError(
      `stage ${context.id}: ${missing.length} of ${problems.length} problems have fewer than ${config.samplesPerProblem} stored responses, the first is ${missing[0]?.id}`,
      { hint: "give model, which draws what is missing" },
    );
  const chunks = streamModel({
    ...config,
    context,
    model,
    problems: missing,
    purpose: "calibrate",
    name: "calibrate",
    progress: { before: reused, total: problems.length },
  });
  for await (const { problems: part, groups } of chunks)
    for (const [i, problem] of part.entries()) count(problem, groups[i] as Rollout[]);
  return { correct, reused };
}

/** Problems to train on, their rate in `meta`, and why the others are not among them. */
export function selectByDifficulty(
  problems: readonly Problem[],
  correct: ReadonlyMap<string, number>,
  config: Pick<CalibrateConfig, "samplesPerProblem" | "filter">,
  stage: string,
): { kept: Problem[]; drops: DropsFile } {
  const { samplesPerProblem: samples, filter } = config;
  const counter = createDropCounter("problems", MEANINGS);
  const kept: Problem[] = [];
  for (const problem of problems) {
    const solved = correct.get(problem.id) as number;
    const reason = difficultyReason(
      { id: problem.id, correct: solved, samples },
      {
        dropPerfect: filter.dropSolved,
        maxPassRate: filter.maxPassRate,
        // The smallest rate above 0: a problem solved once stays.
        minPassRate: Math.max(filter.minPassRate, filter.dropUnsolved ? 1 / samples : 0),
      },
    );
    if (reason !== null) {
      counter.drop(reason, {
        id: problem.id,
        detail: `${solved} of ${samples} responses correct`,
        text: problem.prompt,
      });
      continue;
    }
    counter.keep();
    const rate = solved / samples;
    const earlier = problem.meta["pass_rates"];
    const rates: Record<string, Json> =
      typeof earlier === "object" && earlier !== null && !Array.isArray(earlier) ? { ...earlier } : {};
    // One rate per calibration: a set that passed several models says how hard it was for each.
    rates[stage] = rate;
    kept.push({ ...problem, meta: { ...problem.meta, pass_rate: rate, pass_rates: rates } });
  }
  return { kept, drops: counter.file(stage) };
}

/** The shift since an earlier calibration. @throws {ConfigError} when the stage named measured no pass rates */
function shiftSince(context: StageContext, reference: string, after: PassRateFile): ShiftFile {
  const path = isFileReference(reference) ? reference : context.output(reference).files?.["pass_rates"];
  if (path === undefined)
    throw new ConfigError(`stage ${context.id}: compare_with: stage ${reference} measured no pass rates`, {
      hint: "name a calibrate stage, or the pass-rates.json it wrote",
    });
  const before = readPassRates(isFileReference(reference) ? resolve(path) : resolveOutput(context, path));
  return difficultyShiftFile(before, after);
}

async function run(config: CalibrateConfig, context: StageContext): Promise<StageOutput> {
  const problems = await readProblemsInput(context, config.problems, config.limit);
  const kept: KeptRollouts | null =
    config.keepRollouts === "none" ? null : openKeptRollouts(context, "rollouts", config.rolloutFormat);
  let counted: Counted;
  try {
    counted = await countCorrect(config, context, problems, (rollout) => {
      if (config.keepRollouts === "all" || isCorrect(rollout)) kept?.write(rollout);
    });
    kept?.close();
  } finally {
    kept?.discard();
  }
  const samples = config.samplesPerProblem;
  const { correct, reused } = counted;
  const solvedOf = (id: string): number => correct.get(id) as number;
  const counts = passRateHistogram(
    problems.map(({ id }) => ({ id, correct: solvedOf(id), samples })),
    samples,
  );
  const { kept: chosen, drops } = selectByDifficulty(problems, correct, config, context.id);
  if (chosen.length === 0)
    throw new DataError(`stage ${context.id}: the filter keeps none of ${problems.length} problems`, {
      hint: "loosen filter, or calibrate on other problems",
      details: { counts },
    });
  const passRates: PassRateFile = {
    stage: context.id,
    model: config.model ?? config.reuse.join(", "),
    samplesPerProblem: samples,
    counts,
    shape: difficultyShape(counts),
    problems: problems.map(({ id, source }) => ({ id, source, passRate: solvedOf(id) / samples })),
  };
  const problemsPlace = outputPlace(context, "problems.jsonl");
  writeProblems(problemsPlace.absolute, chosen);
  const shift = config.compareWith === undefined ? null : shiftSince(context, config.compareWith, passRates);
  const output: StageOutput = {
    problems: problemsPlace.relative,
    ...(kept === null ? {} : { rollouts: kept.place.relative }),
    files: {
      pass_rates: writeJsonOutput(outputPlace(context, "pass-rates.json"), passRates),
      drops: writeJsonOutput(outputPlace(context, "drops.json"), drops),
      ...(shift === null ? {} : { shift: writeJsonOutput(outputPlace(context, "shift.json"), shift) }),
    },
    numbers: {
      problems: problems.length,
      kept: chosen.length,
      shape: passRates.shape,
      pass_rate: clusteredInterval(passRates.problems.map(({ passRate }) => passRate)).value,
      ...(reused === 0 ? {} : { reused }),
      ...(shift === null ? {} : { change: shift.change.value }),
    },
  };
  discardChunks(context);
  return output;
}

export const calibrateStage: StageKind<CalibrateConfig> = {
  kind: "calibrate",
  version: 2,
  schema: calibrateSchema,
  inputs: ({ model, problems, reuse, compareWith }) => [
    ...(model === undefined ? [] : [model]),
    problems,
    ...reuse,
    ...(compareWith === undefined ? [] : [compareWith]),
  ],
  run,
};
