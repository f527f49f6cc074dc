/**
 * The responses to a problem as an evaluation keeps them: lengths, outcomes and votes without the texts, small enough to
 * stay in the result file, complete enough to compute every metric again.
 */
import { canonicalKey } from "../../math/key.ts";
import { type AnswerVote, distinctN } from "../../stats/index.ts";
import type { Rollout } from "../../types.ts";
import type { EvaluationProblem, ProblemResponses } from "./evaluation-file.ts";

/** Response tokens, by name or by the server's count. */
export function responseTokens(rollout: Pick<Rollout, "tokens" | "lengthTokens">): number {
  return rollout.lengthTokens ?? rollout.tokens.length;
}

/** Characters of a problem's responses looked through for distinct-4: a Set holds 16 million grams, each of two and more. */
const MAX_DISTINCT_CHARACTERS = 32 * 1024 * 1024;

/** distinct-4 of a problem's responses; nothing where there are too many characters to look through. */
export function diversityOf(rollouts: readonly Pick<Rollout, "text">[]): { distinct4?: number } {
  const characters = rollouts.reduce((sum, { text }) => sum + text.length, 0);
  return characters > MAX_DISTINCT_CHARACTERS
    ? {}
    : { distinct4: distinctN(rollouts.map(({ text }) => text)) };
}

function outcomeLetter({ verdict, finishReason }: Rollout): string {
  const letter =
    verdict === undefined || verdict.correct === null
      ? "e"
      : verdict.correct
        ? "c"
        : verdict.answer === null
          ? "n"
          : "w";
  return finishReason === "stop" ? letter : letter.toUpperCase();
}

/** The record of graded responses; answers are one vote when their canonical keys are equal. */
export function recordResponses(rollouts: readonly Rollout[]): ProblemResponses {
  const classes = new Map<string, number>();
  return {
    tokens: rollouts.map(responseTokens),
    outcomes: rollouts.map(outcomeLetter).join(""),
    answers: rollouts.map(({ verdict }) => {
      if (verdict === undefined || verdict.answer === null) return -1;
      const key = canonicalKey(verdict.answer);
      const known = classes.get(key) ?? classes.size;
      classes.set(key, known);
      return known;
    }),
  };
}

/** True for a response that is correct, cut or not. */
export function isCorrectOutcome(letter: string): boolean {
  return letter === "c" || letter === "C";
}

/** True for a response that was cut at the token limit. */
export function isCutOutcome(letter: string): boolean {
  return letter < "a";
}

/** Votes of a problem's responses, for majority voting. */
export function votesOf({ answers, outcomes }: ProblemResponses): AnswerVote[] {
  return answers.map((answer, i) => ({
    answer: answer < 0 ? null : String(answer),
    correct: isCorrectOutcome(outcomes.charAt(i)),
  }));
}

/** Problems with their responses; null when the file of an earlier layout lacks some. */
export function problemsWithResponses(
  problems: readonly EvaluationProblem[],
): (EvaluationProblem & { responses: ProblemResponses })[] | null {
  const complete = problems.filter(
    (problem): problem is EvaluationProblem & { responses: ProblemResponses } =>
      problem.responses !== undefined,
  );
  return complete.length === problems.length ? complete : null;
}
