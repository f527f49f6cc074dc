/**
 * What an rl stage remembers of its own course: a few numbers per step, the state of the plateau rule, and the verdicts
 * on both. Kept with the resumable state, so that a resumed stage ends at the same step, with the same summary.
 * Source: recipe A5.
 */
import type { RlConfig } from "../../../config/stages/rl.ts";
import {
  advancePlateau,
  EMPTY_PLATEAU,
  type LengthAlarm,
  lengthAlarm,
  type Plateau,
  type PlateauState,
} from "../../../rl/index.ts";
import type { TrainingFile } from "../../result-files.ts";

/** Steps averaged at both ends in the summary. */
const SUMMARY_WINDOW = 10;

/** One step: what the rules and the summary need, no more. */
export interface StepRecord {
  step: number;
  accuracy: number;
  reward: number;
  entropy: number;
  length: number;
  clipRatio: number;
  /** Response limit of the step, in tokens. */
  maxNewTokens: number;
}

/** Why a stage ended. */
export type StopReason = "steps" | "plateau" | "length_too_short";

/** Everything remembered; plain data. */
export interface CourseState {
  steps: StepRecord[];
  plateau: PlateauState;
}

export class Course {
  #steps: StepRecord[] = [];
  #plateau: PlateauState = EMPTY_PLATEAU;
  #verdict: Plateau = { reached: false, best: null, stepsSinceBest: 0 };

  add(step: number, metrics: Readonly<Record<string, number>>, maxNewTokens: number): void {
    this.#steps.push({
      step,
      accuracy: metrics["accuracy"] as number,
      reward: metrics["reward/mean"] as number,
      entropy: metrics["entropy"] as number,
      length: metrics["response_length/mean"] as number,
      clipRatio: metrics["response_length/clip_ratio"] as number,
      maxNewTokens,
    });
  }

  /**
   * Gives the plateau rule its point of this step, if the step has one.
   *
   * @param validation mean accuracy over the benchmarks; null when the step was not validated
   * @returns true when the stage is to end
   */
  judge(stop: RlConfig["stop"], validation: number | null): boolean {
    if (stop.kind !== "plateau") return false;
    const record = this.#steps.at(-1);
    if (record === undefined) return false;
    const value = stop.metric === "validation" ? validation : record[stop.metric];
    if (value === null) return false;
    const { state, plateau } = advancePlateau(this.#plateau, { step: record.step, value }, stop);
    this.#plateau = state;
    this.#verdict = plateau;
    return plateau.reached && record.step >= stop.minSteps;
  }

  /** Entropy of every step so far. */
  entropies(): { step: number; entropy: number }[] {
    return this.#steps.map(({ step, entropy }) => ({ step, entropy }));
  }

  /** The alarm on the steps since the response limit last changed: before it, they tell of another limit. */
  lengthAlarm(rules: RlConfig["lengthAlarm"]): LengthAlarm {
    const limit = this.#steps.at(-1)?.maxNewTokens;
    const changed = this.#steps.findLastIndex(({ maxNewTokens }) => maxNewTokens !== limit);
    return lengthAlarm(this.#steps.slice(changed + 1), rules);
  }

  /** The result file: both ends of the stage, why it ended, and what the rules saw. */
  summary(stage: string, stopped: StopReason, rules: RlConfig["lengthAlarm"]): TrainingFile {
    const mean = (part: readonly StepRecord[], key: keyof StepRecord): number =>
      part.reduce((sum, record) => sum + record[key], 0) / Math.max(1, part.length);
    const ends = (part: readonly StepRecord[]): TrainingFile["start"] => ({
      accuracy: mean(part, "accuracy"),
      reward: mean(part, "reward"),
      entropy: mean(part, "entropy"),
      length: mean(part, "length"),
      clipRatio: mean(part, "clipRatio"),
    });
    const window = Math.max(1, Math.min(SUMMARY_WINDOW, Math.floor(this.#steps.length / 2)));
    return {
      stage,
      steps: this.#steps.length,
      stopped,
      window,
      start: ends(this.#steps.slice(0, window)),
      end: ends(this.#steps.slice(-window)),
      plateau: { best: this.#verdict.best, stepsSinceBest: this.#verdict.stepsSinceBest },
      lengthAlarm: this.lengthAlarm(rules),
    };
  }

  snapshot(): CourseState {
    return { steps: this.#steps, plateau: this.#plateau };
  }

  /** Replaces the state. @throws {RangeError} when it is malformed */
  restore({ steps, plateau }: CourseState): void {
    if (!Array.isArray(steps) || !Array.isArray(plateau?.recent))
      throw new RangeError("course.json: expected steps and plateau");
    this.#steps = steps;
    this.#plateau = plateau;
  }
}
