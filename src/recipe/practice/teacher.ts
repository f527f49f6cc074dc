/**
 * The generator as a teacher: solutions of given problems for format SFT, with mistakes at a stated rate, and
 * verified correct solutions as rollouts, to seed consensus sets as a stronger source would.
 */
import { randomStream } from "../../random.ts";
import type { Problem, Rollout } from "../../types.ts";
import { EOS_ID, encodePractice } from "./alphabet.ts";
import { promptTokensOf } from "./documents.ts";
import { parsePrompt } from "./program.ts";
import { STYLES, type Style, writeSolution } from "./solution.ts";

/** How the teacher writes. */
export interface TeacherOptions {
  seed: number;
  /** Probability that a step is wrong, 0..1. */
  errorRate: number;
  /** Weights of the styles. */
  styles: Record<Style, number>;
  /** Probability of the second route of a two-route problem, 0..1. */
  shortcutShare: number;
}

/** One taught solution, always underlined and boxed. */
export interface TeacherSolution {
  problemId: string;
  prompt: string;
  response: string;
  /** Whether the answer is right; the SFT stage may filter by it. */
  correct: boolean;
  mistakes: number;
}

/** Version of the exact check, stored with every verdict it gives. */
export const TEACHER_GRADER_VERSION = "practice-exact-1";

/**
 * Writes one solution per problem. The solution of a problem depends on the seed and the problem's id, not on its
 * place in the list.
 *
 * @throws {DataError} when a prompt is not a practice prompt
 */
export function createTeacherSolutions(
  problems: readonly Problem[],
  options: TeacherOptions,
): TeacherSolution[] {
  const { seed, errorRate, styles, shortcutShare } = options;
  const weighted = STYLES.filter((style) => styles[style] > 0);
  const total = weighted.reduce((sum, style) => sum + styles[style], 0);
  if (weighted.length === 0) throw new RangeError("teacher styles: expected a positive weight, got none");
  return problems.map((problem) => {
    const random = randomStream(seed, "practice", "teacher", problem.id);
    let rest = random.uniform() * total;
    const style = weighted.find((candidate) => {
      rest -= styles[candidate];
      return rest < 0;
    });
    const { text, correct, mistakes } = writeSolution(
      parsePrompt(problem.prompt),
      { style: style ?? (weighted.at(-1) as Style), errorRate, markup: true, boxed: true, shortcutShare },
      random,
    );
    return { problemId: problem.id, prompt: problem.prompt, response: text, correct, mistakes };
  });
}

/**
 * Verified correct full-style solutions as rollouts of the stage `teacher`, several per problem where routes differ.
 * They have no log-probabilities: nobody sampled them.
 *
 * @param solutionsPerProblem 1..64
 * @throws {DataError} when a prompt is not a practice prompt
 */
export function createTeacherRollouts(
  problems: readonly Problem[],
  options: { seed: number; solutionsPerProblem: number },
): Rollout[] {
  const { seed, solutionsPerProblem } = options;
  if (!(Number.isInteger(solutionsPerProblem) && solutionsPerProblem >= 1 && solutionsPerProblem <= 64))
    throw new RangeError(
      `teacher rollouts: expected 1..64 solutions per problem, got ${solutionsPerProblem}`,
    );
  return problems.flatMap((problem) => {
    const program = parsePrompt(problem.prompt);
    return Array.from({ length: solutionsPerProblem }, (_, sample): Rollout => {
      const random = randomStream(seed, "practice", "teacher-rollout", problem.id, sample);
      const { text, answer } = writeSolution(
        program,
        { style: "full", errorRate: 0, markup: true, boxed: true, shortcutShare: 0.5 },
        random,
      );
      return {
        problemId: problem.id,
        stage: "teacher",
        step: 0,
        sample,
        policyVersion: "generator",
        sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 256 },
        seed,
        text,
        promptTokens: promptTokensOf(problem.prompt),
        tokens: [...encodePractice(text), EOS_ID],
        logprobs: [],
        finishReason: "stop",
        verdict: { correct: true, answer, reason: "equal", graderVersion: TEACHER_GRADER_VERSION },
      };
    });
  });
}
