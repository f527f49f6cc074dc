/**
 * Difficulty calibration: n responses per problem by the very model that will be trained, pass rates, their histogram
 * and shape, the problems worth training on with a reason for every other one, and the shift since an earlier
 * calibration. One chunk of responses is in memory at a time. Source: recipe A1, B5.
 */
import { resolve } from "node:path";
import { type CalibrateConfig, calibrateSchema } from "../../config/stages/calibrate.ts";
import { writeProblems } from "../../data/problems.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { difficultyShape, passRateHistogram } from "../../rl/index.ts";
import { clusteredInterval } from "../../stats/index.ts";
import type { Problem, Rollout } from "../../types.ts";
import { readPassRates } from "../calibration/pass-rate-shape.ts";
import {
  addOutcome,
  createOutcomes,
  describeOutcomes,
  type ResponseOutcomes,
} from "../calibration/response-outcomes.ts";
import { type ProblemCount, selectByDifficulty } from "../calibration/select.ts";
import { difficultyShiftFile } from "../calibration/shift.ts";
import { discardPrevious, previousRollouts } from "../kept-draws.ts";
import type { PassRateFile, ShiftFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { streamModel } from "./evaluation.ts";
import { gradeGroups, isCorrect } from "./grading.ts";
import { isFileReference, readProblemsInput } from "./inputs.ts";
import { type KeptRollouts, openKeptRollouts } from "./kept-rollouts.ts";
import { outputPlace, resolveOutput, writeJsonOutput } from "./output-files.ts";
import { storedResponses } from "./stored-responses.ts";

/** What the responses to every problem came to, how all ended, and how many problems were answered by stored ones. */
interface Counted {
  counts: Map<string, ProblemCount>;
  outcomes: ResponseOutcomes;
  reused: number;
}

/** Shares of problems at both ends so far: the histogram while it fills. */
function shownValues(counts: ReadonlyMap<string, ProblemCount>, samples: number): Record<string, number> {
  let [correct, solved, unsolved] = [0, 0, 0];
  for (const count of counts.values()) {
    correct += count.correct;
    if (count.correct === samples) solved++;
    if (count.correct === 0) unsolved++;
  }
  const total = Math.max(1, counts.size);
  return {
    accuracy: correct / (total * samples),
    always_solved: solved / total,
    never_solved: unsolved / total,
  };
}

/** Grades stored responses, draws what is missing, and passes every response on once. */
async function countCorrect(
  config: CalibrateConfig,
  context: StageContext,
  problems: readonly Problem[],
  keep: (rollout: Rollout) => void,
): Promise<Counted> {
  const counts = new Map<string, ProblemCount>();
  const outcomes = createOutcomes();
  const count = (problem: Problem, group: readonly Rollout[]): void => {
    counts.set(problem.id, {
      correct: group.filter(isCorrect).length,
      graderErrors: group.filter(({ verdict }) => verdict?.correct === null).length,
    });
    for (const rollout of group) {
      addOutcome(outcomes, rollout);
      keep(rollout);
    }
  };
  // Where only correct ones were kept, those there are would be of the problems that did best: all are drawn again.
  const previous = config.keepRollouts === "all" ? previousRollouts(context.checkpointFolder) : [];
  for await (const { problem, group } of storedResponses({
    ...config,
    context,
    problems,
    references: [...config.reuse, ...previous],
  })) {
    gradeGroups([problem], [group], config.grader);
    count(problem, group);
  }
  const reused = counts.size;
  const missing = problems.filter(({ id }) => !counts.has(id));
  if (reused > 0) context.progress.note(`${reused} of ${problems.length} problems from stored responses`);
  if (missing.length === 0) return { counts, outcomes, reused };
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
  for await (const { problems: part, groups } of chunks) {
    for (const [i, problem] of part.entries()) {
      const group = groups[i] as Rollout[];
      if (group.length === config.samplesPerProblem) count(problem, group);
      // What was drawn is kept; the rate of the problem is not known.
      else for (const rollout of group) keep(rollout);
    }
    context.progress.update(counts.size, problems.length, shownValues(counts, config.samplesPerProblem));
  }
  return { counts, outcomes, reused };
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
  const { counts, outcomes, reused } = counted;
  const solvedOf = (id: string): number => (counts.get(id) as ProblemCount).correct;
  const measured = problems.filter(({ id }) => counts.has(id));
  if (measured.length < problems.length)
    context.progress.note(
      `${problems.length - measured.length} problems are left out: the server could not give all their responses`,
    );
  const bins = passRateHistogram(
    measured.map(({ id }) => ({ id, correct: solvedOf(id), samples })),
    samples,
  );
  const { kept: chosen, drops } = selectByDifficulty(problems, counts, config, context.id);
  if (chosen.length === 0)
    throw new DataError(`stage ${context.id}: the filter keeps none of ${problems.length} problems`, {
      hint: "loosen filter, or calibrate on other problems",
      details: { counts: bins },
    });
  const passRates: PassRateFile = {
    stage: context.id,
    model: config.model ?? config.reuse.join(", "),
    samplesPerProblem: samples,
    counts: bins,
    shape: difficultyShape(bins),
    outcomes,
    problems: measured.map(({ id, source }) => ({ id, source, passRate: solvedOf(id) / samples })),
  };
  const remarks = describeOutcomes(outcomes);
  if (remarks.length > 0) context.progress.note(`of ${outcomes.responses} responses: ${remarks.join("; ")}`);
  // All problems would stay, as they do when they are merely hard.
  if (outcomes.correct === 0)
    context.progress.note(
      "no response to any problem is correct: look at a few before training on these (prompt, length limit, grader, answers)",
    );
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
      ...(outcomes.truncated === 0 ? {} : { truncated: outcomes.truncated / outcomes.responses }),
      ...(outcomes.graderErrors === 0 ? {} : { grader_errors: outcomes.graderErrors }),
      ...(reused === 0 ? {} : { reused }),
      ...(shift === null ? {} : { change: shift.change.value }),
    },
  };
  discardChunks(context);
  discardPrevious(context.checkpointFolder);
  return output;
}

export const calibrateStage: StageKind<CalibrateConfig> = {
  kind: "calibrate",
  version: 3,
  keysAfterDrawing: ["filter", "grader", "compareWith", "rolloutFormat", "allowFailed"],
  schema: calibrateSchema,
  inputs: ({ model, problems, reuse, compareWith }) => [
    ...(model === undefined ? [] : [model]),
    problems,
    ...reuse,
    ...(compareWith === undefined ? [] : [compareWith]),
  ],
  expects: ({ compareWith }) =>
    compareWith === undefined
      ? []
      : [
          {
            reference: compareWith,
            key: "compare_with",
            kinds: ["calibrate"],
            hint: "name an earlier calibrate stage, or the pass-rates.json it wrote",
          },
        ],
  run,
};
