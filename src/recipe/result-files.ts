/**
 * The JSON files stages leave for later stages and for the report, one type each. Stages name them in
 * `StageOutput.files` under the key given here, or in the field of the same name.
 */
import type { CancellationSummary, OffsetSummary } from "../consensus/cancellation-summary.ts";
import type { DivergenceSummary } from "../consensus/divergence-study.ts";
import type { Rollout, SummaryRow } from "../types.ts";
import type { ResponseOutcomes } from "./calibration/response-outcomes.ts";
import type { Estimate } from "./evaluation/evaluation-file.ts";

export type { EvaluationBenchmark, EvaluationFile } from "./evaluation/evaluation-file.ts";
export type { Estimate };

/** `files.pass_rates` of a calibrate stage. */
export interface PassRateFile {
  stage: string;
  model: string;
  samplesPerProblem: number;
  /** Problems solved k times of n, k = 0..n. */
  counts: number[];
  /** `mirrored-j`, `j`, `u` or `flat`. */
  shape: string;
  /** How all responses ended; absent in files of earlier versions. */
  outcomes?: ResponseOutcomes;
  problems: { id: string; source: string; passRate: number }[];
}

/** `files.shift` of a calibrate stage with `compare_with`: the same problems before and after. */
export interface ShiftFile {
  stage: string;
  before: ShiftSide;
  after: ShiftSide;
  /** Problems both have; the counts of both sides are over these. */
  problems: number;
  /** Problems only one of them has, which are left out. */
  onlyBefore: number;
  onlyAfter: number;
  /** transitions[i][j]: problems solved i times before and j times after. */
  transitions: number[][];
  /** Mean pass rate after - before, paired by problem. */
  change: Estimate & { wins: number; losses: number; ties: number };
}

/** One side of a shift. */
export interface ShiftSide {
  stage: string;
  model: string;
  samplesPerProblem: number;
  counts: number[];
  /** `mirrored-j`, `j`, `u` or `flat`. */
  shape: string;
  mean: number;
}

/** Mean pairwise Jaccard of step keys by pair class, macro average over problems. */
export interface SimilarityClasses {
  correctCorrect: Estimate & { pairs: number; problems: number };
  correctIncorrect: Estimate & { pairs: number; problems: number };
  incorrectIncorrect: Estimate & { pairs: number; problems: number };
}

/** `files.similarity` of a similarity or difference_filter stage. What is optional is absent in older runs. */
export interface SimilarityFile {
  stage: string;
  model: string;
  withFinalAnswer: SimilarityClasses;
  withoutFinalAnswer: SimilarityClasses;
  /** Means over all pairs instead of over problems. */
  micro?: { withFinalAnswer: SimilarityClasses; withoutFinalAnswer: SimilarityClasses };
  /** What was compared; `ungraded` are left out, `withoutSteps` have no step beside the final answer. */
  responses?: { problems: number; correct: number; wrong: number; ungraded: number; withoutSteps: number };
  /** A language model's scores, 1 to 10, of pairs without the final answer. */
  judge?: {
    model: string;
    pairsPerClass: number;
    /** Pairs drawn, those without a score, and of these the ones without a reply. */
    pairs: number;
    unscored: number;
    failed: number;
    classes: SimilarityClasses;
  };
}

/** `files.difference` of a difference_filter stage. */
export interface DifferenceFile {
  stage: string;
  model: string;
  /** `low`, `high`, `curriculum`, `mixed`, `random`. */
  mode: string;
  measure: string;
  threshold: number;
  counts: { low: number; high: number; undetermined: number; solved: number; kept: number; dropped: number };
  problems: {
    id: string;
    overlap: number | null;
    bucket: "low" | "high" | "undetermined" | "solved";
    kept: boolean;
    /** Why it was dropped, null when kept; with the counts of responses, absent in older runs. */
    reason?: string | null;
    correct?: number;
    wrong?: number;
  }[];
  /** Where wrong responses leave the right ones; absent in older runs, as are the examples. */
  divergence?: DivergenceSummary;
  examples?: DifferenceExample[];
}

/** A response with its steps marked by place in `text`, of which `before` and `after` characters were cut off. */
export interface MarkedText {
  text: string;
  before: number;
  after: number;
  /**
   * `shared`: the other response has it; `elsewhere`: another right response has it; `unseen`: no right response has it;
   * `own`: a right response's, which the wrong one lacks.
   */
  marks: { start: number; end: number; kind: "shared" | "elsewhere" | "unseen" | "own" }[];
}

/** A wrong response beside its nearest right one. */
export interface DifferenceExample {
  id: string;
  bucket: "low" | "high";
  prompt: string;
  answer: string;
  overlap: number;
  /** Different steps of the wrong response, and how many stand before the first one the nearest lacks. */
  steps: number;
  position: number;
  /** The same for the first one that no right response has; null when there is none. */
  unseenPosition: number | null;
  wrong: { sample: number; answer: string | null } & MarkedText;
  /** Where in `wrong.text` the two part; null when they never do. */
  divergesAt: number | null;
  nearest: { sample: number } & MarkedText;
}

/** `files.cancellation` of a gradient_cancellation stage. */
export interface CancellationFile {
  stage: string;
  model: string;
  rollouts: string;
  /** At which the responses were drawn and the gradients are taken. */
  temperature: number;
  /** Parameters of the model: the length of a gradient. */
  parameters: number;
  measure: string;
  /** Problems with right and wrong responses that can be compared. */
  eligible: number;
  /** Overlap from which a problem is low-difference, and up to which it is high-difference. */
  lowFrom: number;
  highTo: number;
  /** Null when no pair of the kind has a gradient. */
  low: CancellationSummary | null;
  high: CancellationSummary | null;
  /** A right and a wrong response to different problems, each cut at its own divergence; null for a single problem. */
  control: { problems: number; kept: Estimate; offsets: OffsetSummary[] } | null;
  problems: {
    id: string;
    bucket: "low" | "high";
    overlap: number;
    pairs: number;
    /** Squared norm of the update over that of the two responses, mean over the pairs; null without a pair. */
    net: number | null;
    /** Steps cancelled in the group: measured, and by advantages alone. */
    measured: number | null;
    predicted: number | null;
  }[];
}

/** `files.gainers` of an rl stage: the results of its consensus sets that won most votes at the end. */
export interface GainersFile {
  stage: string;
  /** Batches the votes are counted over, up to the last one. */
  batches: number;
  /** Most votes first. */
  results: { problem: string; form: string; gain: number; support: number }[];
}

/** Means over the steps at one end of an rl stage; lengths in tokens, entropy in nats. */
export interface TrainingEnd {
  accuracy: number;
  reward: number;
  entropy: number;
  length: number;
  clipRatio: number;
}

/** `files.training` of an rl stage: how it began and ended, why it ended, and what its rules saw. */
export interface TrainingFile {
  stage: string;
  steps: number;
  stopped: "steps" | "plateau" | "length_too_short";
  /** Steps averaged at each end. */
  window: number;
  start: TrainingEnd;
  end: TrainingEnd;
  /** Best smoothed value of the plateau rule; null without the rule, or before it had enough points. */
  plateau: { best: { step: number; value: number } | null; stepsSinceBest: number };
  lengthAlarm: {
    tooShort: boolean;
    reason: string;
    clipRatio: { start: number; end: number };
    accuracy: { best: number; end: number };
  };
}

/** One validation of an rl stage: accuracy of the weights after `step`, by benchmark, with what it was drawn at. */
export interface ValidationPoint {
  step: number;
  /** Mean over the benchmarks, which weigh the same. */
  accuracy: number;
  sampling: { temperature: number; topK: number; topP: number; minP: number; maxNewTokens: number };
  /** avg@k with its interval clustered by problem, and the share of responses cut. */
  benchmarks: { benchmark: string; problems: number; accuracy: Estimate; truncated: number }[];
}

/** `files.validation` of an rl stage that validates. */
export interface ValidationFile {
  stage: string;
  samplesPerProblem: number;
  /** The first of the most accurate points; the highest of noisy values is on average too high. */
  best: { step: number; accuracy: number } | null;
  points: ValidationPoint[];
}

/** A line of `files.decisions` of a campaign: what was decided, why, and the numbers it was decided from. */
export interface CampaignDecision {
  /** From 1. */
  round: number;
  decision: "temperature" | "length" | "end_of_training" | "drop_easy" | "difference_filter";
  choice: string | number;
  reason: string;
  evidence: Record<string, number>;
}

/** One round of a campaign as it went. */
export interface CampaignRound {
  /** From 1. */
  round: number;
  /** Steps of the campaign before the round. */
  stepsBefore: number;
  /** Steps of the round; null while it trains. */
  steps: number | null;
  temperature: number;
  /** Response limit in tokens. */
  maxNewTokens: number;
  /** Problems trained on. */
  problems: number;
  /** Why it ended; null while it trains. */
  stopped: TrainingFile["stopped"] | null;
  /** What its parts left for the report, relative to the run folder: `sweep`, `drops`, `difference`, `similarity`. */
  files: Record<string, string>;
}

/**
 * `files.decisions_json` of a campaign: the lines of `decisions.jsonl` and the rounds, for the report. While the campaign
 * runs the file stands in its checkpoint folder.
 */
export interface DecisionsFile {
  stage: string;
  decisions: CampaignDecision[];
  rounds: CampaignRound[];
}

/** `files.alpha` of a merge stage: the sweep on the validation split and the chosen weight. */
export interface AlphaFile {
  stage: string;
  chosen: number;
  points: { alpha: number; rows: SummaryRow[] }[];
}

/** `files.samples` of an evaluate stage: a few rollouts per arm for the reader. */
export interface SamplesFile {
  samples: { arm: string; benchmark: string; prompt: string; answer: string; rollout: Rollout }[];
}

/** `files.drops` of a stage that builds data: what was left out, in the order its rules apply. */
export interface DropsFile {
  stage: string;
  /** What is counted: `responses`, `problems`. */
  unit: string;
  total: number;
  kept: number;
  reasons: {
    reason: string;
    /** One sentence for the reader. */
    meaning: string;
    count: number;
    /** The first few; `text` is shortened. */
    examples: { id: string; detail: string; text: string }[];
  }[];
}

/** `files.sources` of a problems stage: what each source gave, in order. */
export interface SourcesFile {
  stage: string;
  sources: {
    from: "practice" | "reference" | "hub";
    /** Benchmarks, path or stage, or id on the Hub. */
    name: string;
    /** Problems read, before any is left out. */
    problems: number;
    /** Of a Hub data set: what was asked for, the commit it stood for, the files read. */
    revision?: string;
    commit?: string;
    files?: string[];
  }[];
}
