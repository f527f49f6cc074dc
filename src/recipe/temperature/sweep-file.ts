/**
 * The result file of a temperature sweep, `sweep.json`: how every temperature did on the same problems, and what was
 * decided from it. It holds all that a decision needs, so that another one costs no sampling. Source: recipe A3, A4.
 */
import type { Estimate } from "../../stats/index.ts";

/** How one temperature did. */
export interface SweepPoint {
  temperature: number;
  /** Share of correct responses, mean over problems. */
  accuracy: Estimate;
  /** distinct-n, mean over problems. */
  diversity: Estimate;
  /** Mean of -log p over the sampled tokens, in nats; null where the sampler gives none or cuts the distribution. */
  entropy: number | null;
  /** Mean response length. */
  lengthTokens: number;
  /** Shares of the responses: cut at the limit, without a boxed answer, and those the grader failed on. */
  truncated: number;
  unboxed: number;
  graderErrors: number;
  /** Correct responses of each problem; shape [problems]. */
  correct: number[];
  /** distinct-n of each problem; shape [problems]. */
  distinct: number[];
}

/** What shapes distinct-n besides the temperature: only sweeps with equal conditions can be compared. */
export interface SweepConditions {
  samplesPerProblem: number;
  sampling: { topK: number; topP: number; minP: number; maxNewTokens: number };
  prompt: { instruction: string; position: string; system?: string };
  /** n of distinct-n, and what it counts. */
  ngram: number;
  unit: "words" | "tokens";
  problemsSha256: string;
}

export type ZoneName = "low" | "robust" | "exploration" | "collapse";

/** What a matched sweep aims at, and where that comes from. */
export interface SweepTarget {
  diversity: number;
  rule: "smallest" | "nearest";
  /** Reference it was read from; null for a number. */
  of: string | null;
  /** Never below: temperature of the stage that ended; 0 when unknown. */
  minTemperature: number;
  /** Zone of that temperature in the sweep that chose it; null when unknown. */
  startZone: ZoneName | null;
}

/** The chosen temperature and why. */
export interface TemperatureDecision {
  temperature: number;
  diversity: number | null;
  zones: {
    robustTolerance: number;
    explorationShare: number;
    peak: { temperature: number; accuracy: number };
    robust: { from: number; to: number };
    explorationTo: number;
    /** Zone of each point, in order of temperature. */
    points: { temperature: number; zone: ZoneName }[];
  };
  /** Null when the end of the robust zone was taken. */
  target: SweepTarget | null;
  /** Whether the target was reached; true without one. */
  reached: boolean;
  /** Where the diversity crosses the target by linear interpolation; null where it does not between two temperatures. */
  crossing: number | null;
  /**
   * Difference of accuracy from the peak that the data show, 95%, paired by problem: the widest half interval outside
   * the collapse zone. Null where the accuracies of single problems are not known.
   */
  resolution: number | null;
  warnings: string[];
}

/** How the step of a search was chosen. */
export interface SearchRecord {
  step: number;
  entropyBefore: number | null;
  entropyAfter: number | null;
  /** Why the search ended. */
  ended: "reached" | "collapse" | "limit";
}

export interface SweepFile {
  layout: 1;
  stage: string;
  model: string;
  seed: number;
  graderVersion: string;
  problems: { reference: string; count: number; ids: string[] };
  conditions: SweepConditions;
  /** Ascending temperatures. */
  points: SweepPoint[];
  decision: TemperatureDecision;
  /** Null when the temperatures were given. */
  search: SearchRecord | null;
}
