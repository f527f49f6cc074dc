/**
 * Rollouts to supervised examples: which responses may be learnt from, and their tokens in the student's vocabulary.
 * Source: recipe B3 (correct and compliant responses, loss on response tokens), B11 (truncated and empty ones dropped).
 */
import type { GraderConfig } from "../../config/stages/common.ts";
import type { ExampleFilterConfig } from "../../config/stages/supervised.ts";
import { groupByProblem } from "../../data/rollouts.ts";
import { extractSteps } from "../../math/index.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Problem, Rollout } from "../../types.ts";
import { gradeRollout } from "./grading.ts";
import type { Example } from "./supervised.ts";

export interface ExampleOptions {
  problems: readonly Problem[];
  rollouts: readonly Rollout[];
  filter: ExampleFilterConfig;
  grader: GraderConfig;
  /** Longest prompt and response together, in tokens. */
  maxTokens: number;
  /** The student's prompt text and vocabulary. */
  promptOf: (problem: Problem) => string;
  tokenizer: Tokenizer;
  /**
   * True when the rollouts were sampled with this vocabulary and these prompts: their token ids are taken as they are,
   * since encoding the text again may cut it differently.
   */
  sameTokens: boolean;
}

/** What was left out and why. */
export interface ExampleCounts {
  kept: number;
  unknownProblem: number;
  unfinished: number;
  incorrect: number;
  withoutFormat: number;
  tooLong: number;
}

/** Examples in the order of the problems, then of their responses. */
export function createExamples(options: ExampleOptions): { examples: Example[]; counts: ExampleCounts } {
  const { problems, rollouts, filter, grader, maxTokens, promptOf, tokenizer, sameTokens } = options;
  const counts: ExampleCounts = {
    kept: 0,
    unknownProblem: 0,
    unfinished: 0,
    incorrect: 0,
    withoutFormat: 0,
    tooLong: 0,
  };
  const examples: Example[] = [];
  const groups = groupByProblem(rollouts);
  let known = 0;
  for (const problem of problems) {
    const group = groups.get(problem.id) ?? [];
    known += group.length;
    const promptTokens = group.length === 0 || sameTokens ? [] : tokenizer.encode(promptOf(problem));
    for (const rollout of group) {
      const empty = rollout.text.trim() === "";
      if (filter.requireFinished && (empty || rollout.finishReason !== "stop")) counts.unfinished++;
      else if (filter.requireCorrect && gradeRollout(problem, rollout, grader).correct !== true)
        counts.incorrect++;
      else if (filter.minSpans > 0 && extractSteps(rollout.text).found < filter.minSpans)
        counts.withoutFormat++;
      else {
        const example = sameTokens
          ? { promptTokens: rollout.promptTokens, responseTokens: rollout.tokens }
          : { promptTokens, responseTokens: responseTokens(rollout, tokenizer) };
        const length = example.promptTokens.length + example.responseTokens.length;
        if (length > maxTokens) counts.tooLong++;
        else if (example.responseTokens.length === 0) counts.unfinished++;
        else examples.push(example);
      }
    }
  }
  counts.unknownProblem = rollouts.length - known;
  counts.kept = examples.length;
  return { examples, counts };
}

/** Text in the student's vocabulary; a finished response ends with its end token. */
function responseTokens(rollout: Rollout, tokenizer: Tokenizer): number[] {
  const tokens = tokenizer.encode(rollout.text);
  return rollout.finishReason === "stop" ? [...tokens, tokenizer.eosTokenId] : tokens;
}
