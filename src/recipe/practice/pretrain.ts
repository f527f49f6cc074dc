/**
 * Runs a pretraining curriculum on any policy, from the weights it holds to the last phase. A step is a function of
 * the weights, the phase and the step number. The resumable form is the pretrain stage; this is the plain loop.
 */
import type { Policy, TrainingSequence } from "../../engine/seams.ts";
import { InterruptedError } from "../../errors.ts";
import { type Curriculum, PRETRAIN_OPTIMIZER, type PretrainPhase, phaseLearningRate } from "./curriculum.ts";
import { createDocumentBatch, type PracticeDocument } from "./documents.ts";

/** What one step did. */
export interface PretrainStep {
  phase: string;
  /** Step within the phase, 1-based. */
  step: number;
  /** Mean negative log-likelihood of the tokens in the loss, nats. */
  loss: number;
  gradientNorm: number;
  learningRate: number;
  /** Prompt and response tokens of the documents. */
  tokens: number;
}

/** Documents as sequences whose weights make the loss the mean over all their masked tokens. */
export function trainingSequences(documents: readonly PracticeDocument[]): TrainingSequence[] {
  const total = documents.reduce(
    (sum, { mask }) => sum + mask.reduce((count, weight) => count + weight, 0),
    0,
  );
  return documents.map(({ promptTokens, responseTokens, mask }) => ({
    promptTokens,
    responseTokens,
    weights: mask.map((weight) => weight / total),
  }));
}

/** One optimiser step of a phase; `step` is 0-based. */
export async function runPretrainStep(
  policy: Policy,
  phase: PretrainPhase,
  seed: number,
  step: number,
): Promise<PretrainStep> {
  const documents = createDocumentBatch({
    mixture: phase.mixture,
    seed,
    phase: phase.name,
    step,
    documents: phase.documentsPerStep,
  });
  const { loss } = await policy.forwardBackward(trainingSequences(documents), { kind: "cross_entropy" });
  const learningRate = phaseLearningRate(phase, step);
  const { gradientNorm } = await policy.optimStep({ learningRate, ...PRETRAIN_OPTIMIZER });
  const tokens = documents.reduce(
    (sum, { promptTokens, responseTokens }) => sum + promptTokens.length + responseTokens.length,
    0,
  );
  return { phase: phase.name, step: step + 1, loss, gradientNorm, learningRate, tokens };
}

export interface RunCurriculumOptions {
  policy: Policy;
  curriculum: Curriculum;
  /** Folder for the weights that pass between phases, when the optimiser is restarted. The caller removes it: the
   * policy may read its tokenizer there until it is closed. */
  scratch: string;
  onStep?: (step: PretrainStep) => void | Promise<void>;
  signal?: AbortSignal;
}

/** Zeroes the optimiser: weights saved without its state come back without it. */
async function restartOptimizer(policy: Policy, scratch: string): Promise<void> {
  await policy.save(scratch);
  await policy.load(scratch);
}

/**
 * Trains through all phases.
 * @throws {InterruptedError} when the signal fires, after the step in hand
 */
export async function runCurriculum(options: RunCurriculumOptions): Promise<void> {
  const { policy, curriculum, scratch, onStep, signal } = options;
  for (const [index, phase] of curriculum.phases.entries()) {
    if (index > 0) await restartOptimizer(policy, scratch);
    for (let step = 0; step < phase.steps; step++) {
      if (signal?.aborted)
        throw new InterruptedError(`pretraining stopped in phase ${phase.name}, step ${step}`);
      const done = await runPretrainStep(policy, phase, curriculum.seed, step);
      await onStep?.(done);
    }
  }
}

/** Steps of all phases together. */
export function curriculumSteps(curriculum: Curriculum): number {
  return curriculum.phases.reduce((sum, phase) => sum + phase.steps, 0);
}
