/**
 * One temperature of a sweep, counted problem by problem: what stays in memory is two numbers for each. The stage that
 * samples and the command that reads stored responses count here. Source: recipe A3, A4.
 */
import { clusteredInterval } from "../../stats/index.ts";
import type { Rollout } from "../../types.ts";
import { addOutcome, createOutcomes } from "../calibration/response-outcomes.ts";
import { diversityOf } from "./diversity.ts";
import type { SweepConditions, SweepPoint } from "./sweep-file.ts";

/**
 * Share of the tokens that must be scored for an entropy. Servers leave some responses without log-probabilities (llama.cpp:
 * those with a character of several tokens), which are more surprising than others: a few do not move the mean much.
 */
const MIN_SCORED_SHARE = 0.95;

export interface PointCounterOptions extends Pick<SweepConditions, "samplesPerProblem" | "ngram" | "unit"> {
  temperature: number;
  /** The log-probabilities are those of the distribution drawn from: their mean is an entropy. */
  exactLogprobs: boolean;
}

export interface PointCounter {
  /** Adds the graded responses to the next problem, shape [samplesPerProblem]. */
  add(group: readonly Rollout[]): void;
  /** The point of all problems added. @throws {RangeError} when there is none */
  point(): SweepPoint;
}

export function createPointCounter(options: PointCounterOptions): PointCounter {
  const { temperature, samplesPerProblem, exactLogprobs } = options;
  const correct: number[] = [];
  const distinct: number[] = [];
  const sums = { tokens: 0, surprise: 0, scored: 0 };
  const outcomes = createOutcomes();
  return {
    add(group) {
      correct.push(group.filter(({ verdict }) => verdict?.correct === true).length);
      distinct.push(diversityOf(group, options));
      for (const rollout of group) {
        sums.tokens += rollout.lengthTokens ?? rollout.tokens.length;
        sums.scored += rollout.logprobs.length;
        for (const logprob of rollout.logprobs) sums.surprise -= logprob;
        addOutcome(outcomes, rollout);
      }
    },
    point() {
      const { responses } = outcomes;
      const complete = exactLogprobs && sums.scored > 0 && sums.scored >= MIN_SCORED_SHARE * sums.tokens;
      return {
        temperature,
        accuracy: clusteredInterval(correct.map((solved) => solved / samplesPerProblem)),
        diversity: clusteredInterval(distinct),
        entropy: complete ? sums.surprise / sums.scored : null,
        lengthTokens: sums.tokens / responses,
        truncated: outcomes.truncated / responses,
        unboxed: outcomes.unboxed / responses,
        graderErrors: outcomes.graderErrors / responses,
        correct,
        distinct,
      };
    },
  };
}
