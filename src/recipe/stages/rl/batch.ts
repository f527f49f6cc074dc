/**
 * One batch of reinforcement learning in the order of the recipe: sample, grade, log accuracy, score with the sets as
 * they were, rescue, gate and substitution, advantages, update, votes. Each concern is a function of its own beside.
 * Source: recipe A13, B15.
 */
import type { RlConfig } from "../../../config/stages/rl.ts";
import { type CoreSettings, healthMetrics } from "../../../consensus/index.ts";
import type { Policy } from "../../../engine/seams.ts";
import { randomStream } from "../../../random.ts";
import type { Problem, Rollout } from "../../../types.ts";
import type { StageContext } from "../../stage.ts";
import type { DataOrder } from "../data-order.ts";
import { gradeGroups } from "../grading.ts";
import type { StepRollouts } from "../kept-rollouts.ts";
import { sampleGroups } from "../sampling.ts";
import { computeAdvantages } from "./advantages.ts";
import { type Group, groupAccuracy } from "./group.ts";
import { advantageMetrics, batchMetrics, updateMetrics } from "./metrics.ts";
import { rescueGroups } from "./rescue.ts";
import { type ScoredBatch, scoreBatch } from "./score.ts";
import { isInformative, selectGroups } from "./select.ts";
import type { RlState } from "./state.ts";
import { updatePolicy } from "./update.ts";

/** What stays the same over the batches of a stage. */
export interface RlRun {
  config: RlConfig;
  context: StageContext;
  policy: Policy;
  /** What the KL is measured against; null without a KL term. */
  reference: Pick<Policy, "logprobs"> | null;
  problems: readonly Problem[];
  promptOf: (problem: Problem) => string;
  order: DataOrder;
  settings: CoreSettings;
  state: RlState;
  /** Where the rollouts of the steps go. */
  kept: StepRollouts;
}

export interface BatchResult {
  /** True when the gate skipped the batch: the weights are as before. */
  skipped: boolean;
  /** As sampled, graded and rewarded. */
  rollouts: Rollout[];
  metrics: Record<string, number>;
  /** Seconds of each part. */
  timings: Record<string, number>;
}

/** Seconds since the last call, for the timings alone. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

/** One batch of problems as drawn for a step: `filter` draws several. */
interface Draw {
  /** Number of the batch in the stage. */
  batch: number;
  rollouts: Rollout[];
  scored: ScoredBatch;
  /** After rescue. */
  groups: Group[];
  rescued: number;
  sampleSeconds: number;
}

/** Samples, grades, logs and scores the next batch of problems, and moves the data position. */
async function drawBatch(run: RlRun): Promise<Draw> {
  const { config, context, policy, state, settings, order } = run;
  const { batch } = state;
  const lap = stopwatch();
  const problems = order.batch(batch).map((index) => run.problems[index] as Problem);
  const rollouts = await sampleGroups({
    policy,
    problems,
    promptOf: run.promptOf,
    sampling: config.sampling,
    samplesPerProblem: config.samplesPerProblem,
    seed: context.seed,
    stream: ["rollout", batch],
    stage: context.id,
    step: state.step + 1,
    policyVersion: `${context.id}/${state.step}`,
    onTokens: (count) => context.progress.tokens(count),
  });
  const sampleSeconds = lap();
  gradeGroups(problems, rollouts, config.grader);
  const { placebo } = config.reward;
  const scored = scoreBatch({
    problems,
    rollouts,
    sets: state.sets,
    settings,
    batch,
    grader: config.grader,
    placebo:
      placebo === "none"
        ? undefined
        : { scope: placebo, random: randomStream(context.seed, "placebo", batch) },
  });
  const accuracies = scored.groups.map(groupAccuracy);
  const logged = problems.flatMap(({ id }, i) =>
    accuracies[i] === null ? [] : [{ id, score: accuracies[i] as number }],
  );
  state.logAccuracy({ index: logged.map(({ id }) => id), score: logged.map(({ score }) => score) });
  const rescue = config.rescue.enabled
    ? rescueGroups(scored.groups, {
        sink: state.sink,
        random: randomStream(context.seed, "rescue", batch),
        epoch: order.epochOf(batch),
        maxLengthTokens: config.sampling.maxNewTokens,
      })
    : { groups: scored.groups, rescued: 0 };
  state.batch++;
  return { batch, rollouts: rollouts.flat(), scored, ...rescue, sampleSeconds };
}

/** The batches of one step: one, or as many as `filter` needs to fill it, within its bound. */
async function drawBatches(run: RlRun): Promise<Draw[]> {
  const { strategy, maxRounds } = run.config.zeroAdvantage;
  const draws = [await drawBatch(run)];
  if (strategy !== "filter") return draws;
  const informative = (): number =>
    draws.flatMap(({ groups }) => groups).filter((group) => isInformative(group, run.settings.goodGroupBy))
      .length;
  while (informative() < run.order.batchSize && draws.length < maxRounds) draws.push(await drawBatch(run));
  return draws;
}

/** Mean of each key over records with the same keys. */
function meanMetrics(records: readonly Record<string, number>[]): Record<string, number> {
  return Object.fromEntries(
    Object.keys(records[0] ?? {}).map((key) => [
      key,
      records.reduce((sum, record) => sum + (record[key] as number), 0) / records.length,
    ]),
  );
}

/**
 * Runs the next batch for step `state.step + 1` and moves the data position; the step is counted by the caller.
 *
 * @param learningRate of the step
 */
export async function runBatch(run: RlRun, learningRate: number): Promise<BatchResult> {
  const { config, context, policy, state, settings } = run;
  const step = state.step + 1;
  const lap = stopwatch();
  const itemsBefore = state.sets.itemCount();
  const first = state.batch;
  const draws = await drawBatches(run);
  const sampleSeconds = draws.reduce((sum, draw) => sum + draw.sampleSeconds, 0);
  const metrics = {
    ...batchMetrics(
      draws.flatMap(({ scored }) => scored.groups),
      settings.reward.requiredSpans,
    ),
    ...meanMetrics(draws.map(({ scored }) => healthMetrics(scored.health))),
  };
  const selection = selectGroups(
    draws.flatMap(({ groups }) => groups),
    {
      rules: config.zeroAdvantage,
      goodGroupBy: settings.goodGroupBy,
      random: randomStream(context.seed, "select", first),
      step,
      cache: state.cache,
      target: run.order.batchSize,
    },
  );
  const gradeSeconds = lap() - sampleSeconds;
  const result: BatchResult = {
    skipped: selection.skipped,
    rollouts: draws.flatMap(({ rollouts }) => rollouts),
    metrics: {
      ...metrics,
      "batch/good_groups": selection.good,
      "batch/rescued": draws.reduce((sum, { rescued }) => sum + rescued, 0),
      "batch/substituted": selection.substituted,
      ...(config.zeroAdvantage.strategy === "filter" ? { "batch/rounds": draws.length } : {}),
    },
    timings: {
      sample_seconds: sampleSeconds,
      grade_seconds: gradeSeconds,
      sampled_tokens_per_second: (metrics["tokens/sampled"] as number) / sampleSeconds,
    },
  };
  if (!selection.skipped) {
    const groups = computeAdvantages(selection.groups, {
      ...settings.advantage,
      normalizeByStd: config.loss.normalizeByStd,
    });
    const update = await updatePolicy({ policy, reference: run.reference, groups, config, learningRate });
    context.progress.tokens(update.computedTokens);
    Object.assign(result.metrics, advantageMetrics(groups), updateMetrics(update, learningRate));
    const updateSeconds = lap();
    result.timings["update_seconds"] = updateSeconds;
    result.timings["trained_tokens_per_second"] = update.computedTokens / updateSeconds;
    state.tokensTrained += update.tokens;
  }
  if (config.consensus.updateOnline)
    for (const { batch, scored } of draws) state.gainers.add(batch, scored.record());
  result.metrics["consensus/growth"] = state.sets.itemCount() - itemsBefore;
  result.metrics["consensus/top_gain"] = state.gainers.top(1)[0]?.gain ?? 0;
  state.tokensSampled += metrics["tokens/sampled"] as number;
  return result;
}
