/** What sft and distill share after their examples are there: epochs over shuffled batches, and the model written. */
import type { OptimizerConfig, ScheduleConfig } from "../../config/stages/common.ts";
import type { Policy } from "../../engine/seams.ts";
import { DataError } from "../../errors.ts";
import type { StageContext, StageOutput } from "../stage.ts";
import { createDataOrder } from "./data-order.ts";
import type { ExampleCounts } from "./examples.ts";
import { learningRateAt } from "./learning-rate.ts";
import { outputPlace } from "./output-files.ts";
import { pruneResumable } from "./resumable.ts";
import { type Example, trainSupervised } from "./supervised.ts";

export interface FineTuneConfig {
  batchSize: number;
  epochs: number;
  maxSteps?: number;
  optimizer: OptimizerConfig;
  schedule: ScheduleConfig;
  checkpointEvery: number;
}

/** Optimiser steps of `epochs` passes in whole batches, at least one. */
export function fineTuneSteps(config: FineTuneConfig, batchesPerEpoch: number): number {
  const steps = Math.max(1, Math.round(config.epochs * batchesPerEpoch));
  return Math.min(steps, config.maxSteps ?? steps);
}

/**
 * Trains the policy on the examples and writes the model.
 * @throws {DataError} when no example is left
 */
export async function fineTune(options: {
  config: FineTuneConfig;
  context: StageContext;
  policy: Policy;
  examples: readonly Example[];
  counts: ExampleCounts;
}): Promise<StageOutput> {
  const { config, context, policy, examples, counts } = options;
  if (examples.length === 0)
    throw new DataError(`stage ${context.id}: no response is left to learn from`, {
      hint: "loosen filter or max_tokens",
      details: { ...counts },
    });
  const order = createDataOrder(examples.length, config.batchSize, context.seed, "supervised");
  const steps = fineTuneSteps(config, order.batchesPerEpoch);
  const result = await trainSupervised({
    context,
    policy,
    steps,
    batchAt: (step) => order.batch(step - 1).map((index) => examples[index] as Example),
    learningRateAt: (step) => learningRateAt(config.schedule, config.optimizer.learningRate, step, steps),
    optimizer: config.optimizer,
    checkpointEvery: config.checkpointEvery,
  });
  const model = outputPlace(context, "model");
  await policy.save(model.absolute);
  pruneResumable(context);
  return {
    checkpoint: model.relative,
    numbers: {
      steps,
      examples: examples.length,
      final_loss: result.finalLoss,
      trained_tokens: result.trainedTokens,
      left_out: counts.unfinished + counts.incorrect + counts.withoutFormat + counts.tooLong,
    },
  };
}
