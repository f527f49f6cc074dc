/**
 * How responses ended, counted apart: an error of the grader is no wrong answer, and one cut at the limit is no missing
 * box. Calibration and temperature sweeps count with it.
 */
import type { Rollout } from "../../types.ts";

/** Numbers of responses; the kinds exclude each other except where said. */
export interface ResponseOutcomes {
  responses: number;
  correct: number;
  /** Cut at the token limit, whether a box was there or not. */
  truncated: number;
  /** Ended by themselves without an answer the grader finds; the empty ones are among them. */
  unboxed: number;
  /** Nothing but white space. */
  empty: number;
  /** The grader failed: neither right nor wrong. */
  graderErrors: number;
}

export function createOutcomes(): ResponseOutcomes {
  return { responses: 0, correct: 0, truncated: 0, unboxed: 0, empty: 0, graderErrors: 0 };
}

/** Counts one graded response. */
export function addOutcome(
  outcomes: ResponseOutcomes,
  { verdict, finishReason, text }: Pick<Rollout, "verdict" | "finishReason" | "text">,
): void {
  outcomes.responses++;
  if (verdict?.correct === true) outcomes.correct++;
  if (verdict?.correct === null) outcomes.graderErrors++;
  if (finishReason === "length") outcomes.truncated++;
  else if (verdict?.correct === false && verdict.answer === null) outcomes.unboxed++;
  if (text.trim() === "") outcomes.empty++;
}

/** What is wrong with many of them, in words; empty when nothing stands out. */
export function describeOutcomes(outcomes: ResponseOutcomes): string[] {
  const { responses, truncated, unboxed, empty, graderErrors } = outcomes;
  const share = (count: number): string => `${((100 * count) / Math.max(1, responses)).toFixed(1)}%`;
  return [
    ...(truncated === 0 ? [] : [`${share(truncated)} cut at the token limit`]),
    ...(unboxed === 0 ? [] : [`${share(unboxed)} ended without a boxed answer`]),
    ...(empty === 0 ? [] : [`${share(empty)} empty`]),
    ...(graderErrors === 0 ? [] : [`the grader failed on ${graderErrors}`]),
  ];
}
