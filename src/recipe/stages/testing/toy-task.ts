/**
 * A task the tabular policy can learn: prompt `a:`, answer one digit, response `\underline{a=3}\boxed{3}`. Ten
 * problems; the digit of the step depends on the letter and the boxed digit on the step, three tokens back at most.
 */

import type { Problem, Rollout } from "../../../types.ts";
import { EOS_ID, encodePractice, LETTERS } from "../../practice/alphabet.ts";
import { promptTokensOf } from "../../practice/documents.ts";

/** The ten problems; answers are fixed digits. */
export function toyProblems(source = "toy"): Problem[] {
  return [...LETTERS].map((letter, i) => ({
    id: `toy-${letter}`,
    prompt: `${letter}:`,
    answer: String((7 * i + 3) % 10),
    source,
    meta: { steps: 1 },
  }));
}

/** A finished response with the given digit, written by nobody's policy. */
export function toyRollout(problem: Problem, digit: string, sample = 0): Rollout {
  const text = `\\underline{${problem.prompt[0]}=${digit}}\\boxed{${digit}}`;
  return {
    problemId: problem.id,
    stage: "toy-teacher",
    step: 0,
    sample,
    policyVersion: "toy",
    sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 12 },
    seed: 0,
    text,
    promptTokens: promptTokensOf(problem.prompt),
    tokens: [...encodePractice(text), EOS_ID],
    logprobs: [],
    finishReason: "stop",
  };
}
