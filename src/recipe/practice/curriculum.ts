/**
 * The pretraining curriculum of the practice models, as data: what each phase shows, for how long, at what learning
 * rate. Facts first, then clean solutions from short to long; the small model then reads a noisy mixture of styles. Each
 * phase restarts the optimiser and its schedule. What was tried on the way is in docs/practice-tasks.md.
 */
import { CLEAN, FACTS_ONLY, type Mixture } from "./documents.ts";
import type { PracticeModel } from "./models.ts";

/** One block of pretraining with its own optimiser and schedule. */
export interface PretrainPhase {
  /** Unique within a curriculum: it names the document stream. */
  name: string;
  steps: number;
  documentsPerStep: number;
  /** Peak of the schedule. */
  learningRate: number;
  /** Steps over which the rate rises linearly. */
  warmupSteps: number;
  /** Rate at the end of the cosine, as a share of the peak. */
  finalShare: number;
  mixture: Mixture;
}

export interface Curriculum {
  model: PracticeModel;
  /** Seed of the fresh weights and of the documents. */
  seed: number;
  phases: readonly PretrainPhase[];
}

/** AdamW of every phase; beta2 below the usual 0.999 because a phase is only hundreds of steps long. */
export const PRETRAIN_OPTIMIZER = {
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradientNorm: 1,
} as const;

/** Full-style solutions of one to three steps while the lookup of a variable is learnt; facts keep the tables alive. */
const SHORT: Mixture = { ...CLEAN, factsShare: 0.1, steps: [1, 2, 3] };
const MEDIUM: Mixture = {
  ...SHORT,
  steps: [1, 2, 3, 4],
  styles: { full: 0.8, mid: 0.1, hasty: 0.1, direct: 0 },
};
const LONG: Mixture = { ...MEDIUM, factsShare: 0.05, steps: [1, 2, 3, 4, 4, 5, 5, 6, 6] };
/** The same, mostly long: six steps are known before the mistakes come. */
const LONGER: Mixture = { ...LONG, steps: [2, 3, 4, 4, 5, 5, 6, 6] };
/**
 * What a base model has read: every style, missing markup, and mostly sources that are wrong more often than right.
 * It can solve the problems, and rarely does: post-training has something to choose from.
 */
const BASE: Mixture = {
  ...CLEAN,
  steps: [1, 2, 3, 4, 5, 6],
  styles: { full: 0.4, mid: 0.32, hasty: 0.2, direct: 0.08 },
  markupShare: 0.6,
  boxedShare: 0.9,
  noisyShare: 0.75,
  noisyErrorRate: 0.6,
  errorRate: 0.05,
};

/** The large model practises chains, four documents of five, and ends with marked steps and few mistakes: no noisy phase. */
const LARGE_LONG: Mixture = { ...LONG, families: ["chain", "two-route", "chain", "two-route", "inverse"] };
const LARGE_LONGER: Mixture = { ...LARGE_LONG, steps: LONGER.steps };
const phase = (
  name: string,
  steps: number,
  documentsPerStep: number,
  learningRate: number,
  mixture: Mixture,
): PretrainPhase => ({
  name,
  steps,
  documentsPerStep,
  learningRate,
  warmupSteps: 50,
  finalShare: 0.05,
  mixture,
});

/** Curricula by model. */
export const CURRICULA: Record<PracticeModel, Curriculum> = {
  "practice-small": {
    model: "practice-small",
    seed: 1,
    phases: [
      phase("facts", 250, 24, 3.6e-3, FACTS_ONLY),
      phase("short", 400, 32, 3e-3, SHORT),
      phase("medium", 500, 32, 3e-3, MEDIUM),
      phase("long", 700, 32, 3e-3, LONG),
      phase("longer", 600, 32, 2.5e-3, LONGER),
      phase("base", 200, 32, 1.8e-3, BASE),
    ],
  },
  "practice-large": {
    model: "practice-large",
    seed: 1,
    phases: [
      phase("facts", 250, 24, 3e-3, FACTS_ONLY),
      phase("short", 400, 32, 2.5e-3, SHORT),
      phase("medium", 500, 32, 2.5e-3, MEDIUM),
      phase("long", 700, 32, 2.5e-3, LARGE_LONG),
      phase("longer", 700, 32, 2.2e-3, LARGE_LONGER),
    ],
  },
};

/** Learning rate of a step, 0-based: linear warm-up times a cosine from the peak to `finalShare` of it. */
export function phaseLearningRate(phase: PretrainPhase, step: number): number {
  const warmup = Math.min(1, (step + 1) / phase.warmupSteps);
  const cosine = 0.5 * (1 + Math.cos((Math.PI * step) / phase.steps));
  return phase.learningRate * warmup * (phase.finalShare + (1 - phase.finalShare) * cosine);
}
