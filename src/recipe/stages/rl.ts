/**
 * The reinforcement-learning stage: GRPO with outcome or CORE reward, validation, checkpoints, exact resume.
 * What happens inside a batch is rl/batch.ts; this file is the loop around it. Source: recipe A6, A7, A13, B8, B15.
 */
import { type RlConfig, rlSchema } from "../../config/stages/rl.ts";
import { DataError } from "../../errors.ts";
import type { LengthAlarm } from "../../rl/index.ts";
import type { Problem } from "../../types.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { readProblemsInput } from "./inputs.ts";
import { learningRateAt } from "./learning-rate.ts";
import { findResumable, stopIfAsked, writeResumable } from "./resumable.ts";
import { createAlarmWatch, lengthMessages } from "./rl/alarms.ts";
import { type BatchResult, type RlRun, runBatch } from "./rl/batch.ts";
import type { StopReason } from "./rl/course.ts";
import { finish } from "./rl/finish.ts";
import { keepModels, refusesModel, validationAccuracy } from "./rl/kept-models.ts";
import { openRun } from "./rl/open-run.ts";
import { seedRescue, seedSets } from "./rl/seed.ts";
import { validate } from "./rl/validate.ts";

/** Steps whose accuracy the headline number averages. */
const RECENT_STEPS = 10;
/** Batches skipped for one step that are worth a word: one or two are the gate at its work. */
const FIRST_NOTE = 5;
const LATER_NOTES = 20;

/** Says that batch after batch carries no signal, and gives up in the end. @throws {DataError} */
function checkRedraws(run: RlRun, { metrics }: BatchResult): void {
  const { config, context, state } = run;
  const { skipped } = state;
  const [none, all] = [metrics["batch/solve_none"] as number, metrics["batch/solve_all"] as number];
  const message =
    `${skipped} batches in a row had too few groups with different rewards; ` +
    `the last one had ${none} groups without a correct response and ${all} without a wrong one`;
  if (skipped >= config.zeroAdvantage.maxRedraws)
    throw new DataError(`stage ${context.id}: ${message}`, {
      hint:
        none >= all
          ? "use problems this model solves sometimes, a longer sampling.max_new_tokens, a process reward, or zero_advantage.on_gate: ignore"
          : "use harder problems (drop_easy leaves out what is solved), a higher temperature, or zero_advantage.on_gate: ignore",
      details: { step: state.step + 1, skipped, solveNone: none, solveAll: all },
    });
  if (skipped === FIRST_NOTE || skipped % LATER_NOTES === 0)
    context.progress.note(`step ${state.step + 1}: ${message}`);
}

/** The configuration of one step: `lengths` changes the response limit inside the stage. */
function configAt(config: RlConfig, step: number): RlConfig {
  const change = config.lengths.findLast(({ fromStep }) => fromStep <= step);
  if (change === undefined) return config;
  return { ...config, sampling: { ...config.sampling, maxNewTokens: change.maxNewTokens } };
}

/** Next step: batches until one passes the gate, unless a skipped one counts. Null when asked to stop meanwhile. */
async function nextStep(run: RlRun, learningRate: number): Promise<BatchResult | null> {
  const { config, context, state } = run;
  for (;;) {
    const result = await runBatch(run, learningRate);
    if (!result.skipped || config.zeroAdvantage.onGate !== "redraw") return result;
    state.skipped++;
    state.skippedTokens += result.metrics["tokens/sampled"] as number;
    checkRedraws(run, result);
    if (context.signal.aborted) return null;
  }
}

/** Writes what one step leaves behind. */
function publishStep(
  run: RlRun,
  result: BatchResult,
  validation: Record<string, number>,
  seconds: number,
): void {
  const { config, context, state } = run;
  const { metrics } = result;
  const skipped = state.skipped + (result.skipped ? 1 : 0);
  context.metrics.write(state.step, {
    ...metrics,
    ...validation,
    "batch/skipped": skipped,
    "tokens/sampled": (metrics["tokens/sampled"] as number) + state.skippedTokens,
    "training/epoch": state.batch / run.order.batchesPerEpoch,
  });
  context.metrics.timing(state.step, { seconds, ...result.timings });
  run.kept.write(state.step, result.rollouts);
  context.progress.update(state.step, config.steps, {
    reward: metrics["reward/mean"] as number,
    accuracy: metrics["accuracy"] as number,
    entropy: metrics["entropy"] as number,
    length: metrics["response_length/mean"] as number,
    ...validation,
  });
}

/** The length alarm, looked at once per window: it averages windows, and on a long stage it reads many steps. */
function lengthAlarmAt(
  { lengthAlarm: rules }: RlConfig,
  { step, course }: RlRun["state"],
): LengthAlarm | null {
  return step % rules.window === 0 ? course.lengthAlarm(rules) : null;
}

async function run(config: RlConfig, context: StageContext): Promise<StageOutput> {
  const current = await openRun(config, context);
  try {
    return await train(current);
  } finally {
    current.kept.close();
  }
}

async function train(current: RlRun): Promise<StageOutput> {
  const { config, context, policy, state, kept } = current;
  const found = findResumable(context);
  context.metrics.rewind(found?.step ?? -1);
  kept.rewind(found?.step ?? -1);
  if (found === null) {
    await seedSets(current);
    seedRescue(current);
  } else {
    await policy.load(found.folder, { optimizer: true });
    state.restore(found);
    context.progress.note(`resumed after step ${found.step} of ${config.steps}`);
  }
  const rules = config.validation;
  const validationProblems: Problem[] =
    rules === undefined ? [] : await readProblemsInput(context, rules.problems);
  let validation: Record<string, number> = {};
  if (rules?.atStart && found === null) {
    validation = await validate(current, rules, validationProblems, 0);
    context.metrics.write(0, validation);
    await keepModels(current, validation);
  }
  const watch = createAlarmWatch(current.settings.reward.enabled, state.course.entropies());
  const save = (): Promise<void> => writeResumable(context, policy, state.toResumable(), found?.folder);
  let stopped: StopReason = "steps";
  while (state.step < config.steps) {
    const started = performance.now();
    const stepped = { ...current, config: configAt(config, state.step + 1) };
    const result = await nextStep(
      stepped,
      learningRateAt(config.schedule, config.optimizer.learningRate, state.step + 1, config.steps),
    );
    if (result === null) {
      await save();
      stopIfAsked(context, state.step, config.steps);
      continue;
    }
    state.step++;
    const { maxNewTokens } = stepped.config.sampling;
    state.course.add(state.step, result.metrics, maxNewTokens);
    const alarm = lengthAlarmAt(config, state);
    const tooShort = alarm?.tooShort === true;
    const onValidation = config.stop.kind === "plateau" && config.stop.metric === "validation";
    const flat = !onValidation && state.course.judge(config.stop, null);
    const ends = state.step === config.steps || flat || (tooShort && config.lengthAlarm.stop);
    const due = rules !== undefined && (ends || state.step % rules.every === 0);
    validation = due ? await validate(stepped, rules, validationProblems, state.step) : {};
    const settled = onValidation && state.course.judge(config.stop, validationAccuracy(validation));
    await keepModels(current, validation);
    state.recentAccuracy = [...state.recentAccuracy, result.metrics["accuracy"] as number].slice(
      -RECENT_STEPS,
    );
    publishStep(current, result, validation, (performance.now() - started) / 1000);
    for (const message of watch.step(
      state.step,
      result.metrics,
      alarm === null ? [] : lengthMessages(alarm, maxNewTokens),
    ))
      context.progress.note(`step ${state.step}: ${message}`);
    state.skipped = 0;
    state.skippedTokens = 0;
    if (ends || settled) {
      if (flat || settled) stopped = "plateau";
      else if (tooShort && config.lengthAlarm.stop) stopped = "length_too_short";
      if (stopped !== "steps")
        context.progress.note(
          `ended after step ${state.step} of at most ${config.steps}: ${stopped.replaceAll("_", " ")}`,
        );
      break;
    }
    if (context.signal.aborted || state.step % config.checkpointEvery === 0) await save();
    stopIfAsked(context, state.step, config.steps);
  }
  return finish(current, validation, stopped);
}

export const rlStage: StageKind<RlConfig> = {
  kind: "rl",
  version: 3,
  schema: rlSchema,
  trains: true,
  refusesModel,
  inputs: (config) => [
    config.model,
    config.problems,
    ...config.consensus.seeds,
    ...(config.loss.klCoefficient === 0 || config.reference === undefined ? [] : [config.reference]),
    ...(config.rescue.from === undefined ? [] : [config.rescue.from]),
    ...(config.validation === undefined ? [] : [config.validation.problems]),
  ],
  run,
};
