/** What an rl stage leaves behind: the weights asked for, consensus sets, logs, the summary of its course. */
import { problemKey } from "../../../consensus/index.ts";
import { writeFileAtomic } from "../../../data/atomic.ts";
import type { Json } from "../../../types.ts";
import type { GainersFile, ValidationFile } from "../../result-files.ts";
import type { StageOutput } from "../../stage.ts";
import { outputPlace, writeJsonOutput } from "../output-files.ts";
import { pruneResumable } from "../resumable.ts";
import type { RlRun } from "./batch.ts";
import type { StopReason } from "./course.ts";
import { writeModels } from "./kept-models.ts";

/** Results of the consensus sets that gained most at the end, for the report. */
const GAINERS_SHOWN = 20;

/** Writes which results won most votes over the last batches, with their problems. */
function writeGainers({ context, problems, state }: RlRun): string {
  const ids = new Map(problems.map(({ id, prompt }) => [problemKey(prompt), id]));
  const gainers: GainersFile = {
    stage: context.id,
    batches: state.gainers.window,
    results: state.gainers.top(GAINERS_SHOWN).map(({ problemId, key, form, gain }) => ({
      problem: ids.get(problemId) ?? problemId,
      form,
      gain,
      support: state.sets.items(problemId).find((item) => item.key === key)?.support ?? gain,
    })),
  };
  return writeJsonOutput(outputPlace(context, "gainers.json"), gainers);
}

/** What rescue remembers, by epochs before the end, so that a later stage reads ages that go on. */
function writeRescue({ context, state, order }: RlRun): string {
  const epoch = order.epochOf(Math.max(0, state.batch - 1));
  const entries = state.sink.snapshot().map((entry) => ({ ...entry, epoch: entry.epoch - epoch - 1 }));
  return writeJsonOutput(outputPlace(context, "rescue.json"), entries);
}

/** Writes every validation of the stage with its intervals. */
function writeValidation({ config, context, state }: RlRun): string {
  const file: ValidationFile = {
    stage: context.id,
    samplesPerProblem: config.validation?.samplesPerProblem ?? 0,
    best: state.best,
    points: state.validations,
  };
  return writeJsonOutput(outputPlace(context, "validation.json"), file);
}

/** Writes the outputs of a finished stage. */
export async function finish(
  run: RlRun,
  lastValidation: Record<string, number>,
  stopped: StopReason,
): Promise<StageOutput> {
  const { config, context, state } = run;
  const { checkpoint, models } = await writeModels(run);
  pruneResumable(context);
  const consensus = outputPlace(context, "consensus.jsonl");
  writeFileAtomic(consensus.absolute, state.sets.snapshot());
  const accuracy = outputPlace(context, "accuracy.jsonl");
  writeFileAtomic(accuracy.absolute, state.accuracyLog);
  const gainers = writeGainers(run);
  const summary = state.course.summary(context.id, stopped, config.lengthAlarm);
  const training = writeJsonOutput(outputPlace(context, "training.json"), summary);
  const rescue: Record<string, string> = config.rescue.enabled ? { rescue: writeRescue(run) } : {};
  const validation: Record<string, string> =
    state.validations.length === 0 ? {} : { validation: writeValidation(run) };
  const recent = state.recentAccuracy;
  const numbers: Record<string, Json> = {
    steps: state.step,
    ...(stopped === "steps" ? {} : { stopped }),
    ...(state.best === null ? {} : { best_step: state.best.step, best_accuracy: state.best.accuracy }),
    accuracy: recent.reduce((sum, value) => sum + value, 0) / Math.max(1, recent.length),
    tokens_sampled: state.tokensSampled,
    tokens_trained: state.tokensTrained,
    ...lastValidation,
  };
  const rollouts = run.kept.output();
  return {
    checkpoint,
    models,
    ...(rollouts === undefined ? {} : { rollouts }),
    consensus: consensus.relative,
    files: { accuracy: accuracy.relative, gainers, training, ...validation, ...rescue },
    numbers,
  };
}
