/**
 * The result file of an evaluation, `evaluations/<id>.json`: everything that shaped the draws, the counts and lengths of
 * every response, and the numbers computed from them. Files of the first layout lack the fields marked "layout 2".
 */
import type { SamplingParameters, SummaryRow } from "../../types.ts";

/** A value with its 95% interval; `low = high = value` when there is none. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** The responses to one problem, one entry per sample, without their texts. */
export interface ProblemResponses {
  /** Lengths in tokens; shape [samples]. */
  tokens: number[];
  /**
   * One letter per sample: c correct, w wrong, n no boxed answer, e the grader failed; a capital when the response was
   * cut at the token limit.
   */
  outcomes: string;
  /** Answers as votes: samples of equal answers share a number, from 0; -1 = no answer. Shape [samples]. */
  answers: number[];
}

/** Counts of one problem over its `samplesPerProblem` responses. */
export interface EvaluationProblem {
  id: string;
  correct: number;
  /** Cut at the token limit. */
  truncated: number;
  /** Ended by themselves without a boxed answer. */
  noBoxed: number;
  graderErrors: number;
  meanTokens: number;
  /** Difficulty label when the benchmark has one, for example the number of steps. */
  steps?: number;
  /** distinct-4 of its responses, words as tokens; absent in older files and for tens of megabytes of text. */
  distinct4?: number;
  /** Layout 2. */
  responses?: ProblemResponses;
}

/** Responses of one benchmark and arm by length. */
export interface LengthBucketRow {
  /** Tokens, from <= length < to; null = no upper end. */
  fromTokens: number;
  toTokens: number | null;
  responses: number;
  correct: number;
  truncated: number;
  /** Null for an empty bucket. */
  accuracy: Estimate | null;
}

/** What a shorter limit would have scored: a response longer than the budget counts as truncated and wrong. */
export interface BudgetPoint {
  budgetTokens: number;
  accuracy: Estimate;
  /** Share of the responses that do not fit. */
  truncated: number;
}

/** One benchmark of one arm. */
export interface EvaluationBenchmark {
  benchmark: string;
  samplesPerProblem: number;
  /** Where it differs from the evaluation's. */
  sampling?: SamplingParameters;
  problems: EvaluationProblem[];
  /** Layout 2. */
  lengths?: LengthBucketRow[];
  budgets?: BudgetPoint[];
}

/** YaRN laid on a model for an evaluation. */
export interface AppliedRopeScaling {
  factor: number;
  originalLength: number;
  attentionScale: number;
  betaFast: number;
  betaSlow: number;
  maxPositionEmbeddings: number;
}

export interface EvaluationArm {
  arm: string;
  /** Reference in the recipe. */
  model: string;
  /** SHA-256 of the checkpoint folder; null when a server holds the weights. Layout 2. */
  modelSha256?: string | null;
  /** Layout 2; null = the model's own positions. */
  ropeScaling?: AppliedRopeScaling | null;
  benchmarks: EvaluationBenchmark[];
  /** Mean accuracy over the benchmarks, each with equal weight; absent for a single one and in older files. */
  mean?: Estimate;
  /** All benchmarks together, each problem with the same weight; layout 2, absent where their token limits differ. */
  lengths?: LengthBucketRow[];
  budgets?: BudgetPoint[];
}

/** An arm against the reference on the same problems: arm minus reference, shares of 1. */
export interface ArmComparison extends Estimate {
  arm: string;
  reference: string;
  /** A benchmark, or `mean`: all of them, each with equal weight. */
  benchmark: string;
  problems: number;
  /** Problems on which the arm is better, worse, equal. */
  wins: number;
  losses: number;
  ties: number;
  /** Two-sided p of no difference, by random sign flips over problems. */
  p: number;
}

/** The problems the reference does worst on, with fresh samples of every arm. */
export interface HardestStudy {
  reference: string;
  scope: "pooled" | "per_benchmark";
  samplesPerProblem: number;
  /** Hardest first; `selectedOn` is the reference's accuracy in the samples it was chosen by. */
  problems: { benchmark: string; id: string; selectedOn: number }[];
  /** Means of the reference: in the samples that chose the problems, and in the fresh ones. */
  regression: { selectedOn: number; fresh: number };
  arms: {
    arm: string;
    /** Accuracy of each problem in the fresh samples; shape [problems]. */
    accuracies: number[];
    mean: Estimate;
    /** Null for the reference itself. */
    comparison: ArmComparison | null;
  }[];
}

/** `evaluation` of an evaluate stage. */
export interface EvaluationFile {
  /** 2 since every response is kept with its length and outcome; absent before. */
  layout?: 2;
  stage: string;
  seed: number;
  sampling: SamplingParameters;
  graderVersion: string;
  /** Layout 2: how responses were judged. */
  grader?: { mode: string; answerFrom: string };
  /** Layout 2: what was added to the question and where. */
  prompt?: { instruction: string; position: string; system?: string };
  /**
   * Layout 2: what was asked; the hash covers ids, questions and answers, not the file's bytes. `limit` stands where only
   * the first so many problems of each benchmark were asked: a trial, no score of the benchmark.
   */
  problems?: { reference: string; sha256: string; count: number; limit?: number };
  arms: EvaluationArm[];
  /** Layout 2: the arm every other one is compared with; null for a single arm. */
  reference?: string | null;
  comparisons?: ArmComparison[];
  hardest?: HardestStudy | null;
  rows: SummaryRow[];
}
