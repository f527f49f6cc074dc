/**
 * Supervised training shared by pretrain, sft and distill: one optimiser step per batch, resumable, with metrics.
 * What a batch holds is a function of the step, so a resumed run draws the same ones.
 */
import type { OptimizerConfig } from "../../config/stages/common.ts";
import type { Policy, TrainingSequence } from "../../engine/seams.ts";
import { EngineError } from "../../errors.ts";
import type { StageContext } from "../stage.ts";
import { findResumable, stopIfAsked, writeResumable } from "./resumable.ts";

/** One example: loss on the response tokens whose mask is not 0. */
export interface Example {
  promptTokens: readonly number[];
  responseTokens: readonly number[];
  /** Shape [response]; all ones when left out. */
  mask?: Float32Array;
}

export interface SupervisedOptions {
  context: StageContext;
  policy: Policy;
  steps: number;
  /** Examples of a step, 1..steps. */
  batchAt: (step: number) => readonly Example[];
  learningRateAt: (step: number) => number;
  /** Called before each step that is computed, for example to restart the optimiser. */
  beforeStep?: (step: number) => Promise<void>;
  optimizer: Omit<OptimizerConfig, "learningRate">;
  /** Write resumable state every n steps; 0 = never. */
  checkpointEvery: number;
}

export interface SupervisedResult {
  /** Mean loss of the last tenth of the steps (at least one), nats per token. */
  finalLoss: number;
  trainedTokens: number;
}

/** Updates that are not finite, one after another, before a stage gives up: the run has diverged. */
const MAX_NON_FINITE = 10;

/** Sequences of a batch: every counted token weighs the same. @throws {RangeError} when no token counts */
export function weighExamples(examples: readonly Example[]): TrainingSequence[] {
  let tokens = 0;
  for (const { mask, responseTokens } of examples)
    tokens +=
      mask === undefined ? responseTokens.length : mask.reduce((sum, m) => sum + (m !== 0 ? 1 : 0), 0);
  if (tokens === 0) throw new RangeError("supervised batch: expected a token to learn from, got none");
  return examples.map(({ promptTokens, responseTokens, mask }) => {
    const weights = new Float32Array(responseTokens.length).fill(1 / tokens);
    if (mask !== undefined) for (let t = 0; t < weights.length; t++) if (mask[t] === 0) weights[t] = 0;
    return { promptTokens, responseTokens, weights };
  });
}

/**
 * Trains from the stage's newest state, or from the weights the policy has.
 *
 * @throws {InterruptedError} after the step in hand, its state written
 * @throws {EngineError} when the loss stays not finite
 */
export async function trainSupervised(options: SupervisedOptions): Promise<SupervisedResult> {
  const { context, policy, steps, batchAt, learningRateAt, optimizer, checkpointEvery } = options;
  const found = findResumable(context);
  let losses: number[] = [];
  let trainedTokens = 0;
  if (found !== null) {
    await policy.load(found.folder, { optimizer: true });
    losses = found.facts["losses"] as number[];
    trainedTokens = found.facts["trainedTokens"] as number;
    context.progress.note(`resumed after step ${found.step} of ${steps}`);
  }
  context.metrics.rewind(found?.step ?? -1);
  const tail = Math.max(1, Math.ceil(steps / 10));
  const save = (step: number): Promise<void> =>
    writeResumable(context, policy, { step, facts: { losses, trainedTokens }, files: {} }, found?.folder);
  let nonFinite = 0;
  for (let step = (found?.step ?? 0) + 1; step <= steps; step++) {
    await options.beforeStep?.(step);
    const started = performance.now();
    const sequences = weighExamples(batchAt(step));
    const sums = await policy.forwardBackward(sequences, { kind: "cross_entropy" });
    const learningRate = learningRateAt(step);
    const update = await policy.optimStep({ ...optimizer, learningRate });
    nonFinite = update.skipped ? nonFinite + 1 : 0;
    if (nonFinite >= MAX_NON_FINITE)
      throw new EngineError(`stage ${context.id}: the gradient was not finite for ${nonFinite} steps`, {
        hint: "lower optimizer.learning_rate",
      });
    trainedTokens += sums.tokens;
    losses = [...losses, sums.loss].slice(-tail);
    const seconds = (performance.now() - started) / 1000;
    context.metrics.write(step, {
      loss: sums.loss,
      entropy: sums.entropy,
      "actor/grad_norm": update.gradientNorm,
      "actor/lr": learningRate,
      "tokens/trained": sums.tokens,
    });
    context.metrics.timing(step, { seconds, tokens_per_second: sums.computedTokens / seconds });
    context.progress.tokens(sums.computedTokens);
    context.progress.update(step, steps, { loss: sums.loss });
    const due = checkpointEvery > 0 && step % checkpointEvery === 0 && step < steps;
    if (due || (context.signal.aborted && step < steps)) await save(step);
    if (step < steps) stopIfAsked(context, step, steps);
  }
  return { finalLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length, trainedTokens };
}
