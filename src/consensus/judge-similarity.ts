/**
 * The judge's side of the similarity study: a language model scores how alike two lists of steps are, 1 to 10. This file
 * owns the prompt, the parser of the reply and the averaging; the judge itself is a function the caller passes.
 * Source: recipe B2 (figure 1: 6.5 correct-correct, 3.1 correct-incorrect, 2.2 incorrect-incorrect; the judge's prompt
 * is not published, this one is the project's own).
 */
import type { RandomStream } from "../random.ts";
import { bootstrapInterval } from "../stats/bootstrap.ts";
import { jaccard } from "./overlap.ts";
import { type ClassSimilarities, type ClassSimilarity, pairClass } from "./similarity.ts";

/** A trajectory as the judge reads it: its steps as text. */
export interface JudgedTrajectory {
  correct: boolean;
  steps: readonly string[];
}

/** Scores two lists of steps in [1, 10]; null when there is no score, which is counted and left out. */
export type SimilarityJudge = (first: readonly string[], second: readonly string[]) => Promise<number | null>;

/** Steps and characters of one list that are shown: a long list must not push the question out of the context. */
const MAX_JUDGED_STEPS = 64;
const MAX_JUDGED_CHARS = 400;
/** A reply is read up to here; a judge that says more has lost the thread. Characters. */
const MAX_REPLY_CHARS = 20_000;

function listed(steps: readonly string[]): string {
  if (steps.length === 0) return "(none)";
  return steps
    .slice(0, MAX_JUDGED_STEPS)
    .map((step, i) => `${i + 1}. ${step.replace(/\s+/g, " ").slice(0, MAX_JUDGED_CHARS)}`)
    .join("\n");
}

/** The question put to a judge. */
export function judgePrompt(first: readonly string[], second: readonly string[]): string {
  return [
    "Two attempts at the same mathematics problem left these intermediate results.",
    "",
    "Attempt A:",
    listed(first),
    "",
    "Attempt B:",
    listed(second),
    "",
    "How much do the two attempts go through the same intermediate results? Judge what the results say, not how they",
    "are written, and not whether they are right. 1 = nothing in common, 10 = the same results.",
    "End your reply with one line: Score: <whole number from 1 to 10>",
  ].join("\n");
}

/**
 * Reads the last `Score: n` of a reply.
 *
 * @returns null when there is none or it is outside 1..10
 */
export function parseJudgeScore(reply: string): number | null {
  const tail = reply.slice(-MAX_REPLY_CHARS);
  const scores = [...tail.matchAll(/\bscore\b[*_\s]{0,8}[:=]?[*_\s]{0,8}(-?\d{1,4}(?:\.\d{1,4})?)/gi)];
  const last = scores[scores.length - 1]?.[1];
  if (last === undefined) return null;
  const score = Number(last);
  return score >= 1 && score <= 10 ? score : null;
}

/** A judge without a model: 1 + 9 * Jaccard of the steps as written. For tests and for a study offline; says so. */
export const exactTextJudge: SimilarityJudge = async (first, second) => {
  const value = jaccard(new Set(first), new Set(second));
  return value === null ? null : 1 + 9 * value;
};

export interface JudgeStudyOptions {
  judge: SimilarityJudge;
  /** Draws the pairs and the bootstrap. */
  stream: RandomStream;
  /** Pairs of one class and problem that are judged; drawn without replacement. Calls cost money. */
  pairsPerClass?: number;
  resamples?: number;
}

export interface JudgeStudy extends ClassSimilarities {
  /** Pairs for which the judge gave no score. */
  unscored: number;
}

/** Mean judged similarity in [1, 10] per pair class, macro average over problems, calls one after another. */
export async function judgeStudy(
  problems: readonly { id: string; trajectories: readonly JudgedTrajectory[] }[],
  options: JudgeStudyOptions,
): Promise<JudgeStudy> {
  const { judge, stream, pairsPerClass = 8, resamples = 1000 } = options;
  const means: Record<keyof ClassSimilarities, { mean: number; pairs: number }[]> = {
    correctCorrect: [],
    correctIncorrect: [],
    incorrectIncorrect: [],
  };
  let unscored = 0;
  for (const { trajectories } of problems) {
    const pairs: Record<keyof ClassSimilarities, [JudgedTrajectory, JudgedTrajectory][]> = {
      correctCorrect: [],
      correctIncorrect: [],
      incorrectIncorrect: [],
    };
    for (const [j, second] of trajectories.entries())
      for (const first of trajectories.slice(0, j))
        if (first.steps.length + second.steps.length > 0)
          pairs[pairClass(first.correct, second.correct)].push([first, second]);
    for (const name of Object.keys(pairs) as (keyof ClassSimilarities)[]) {
      const scores: number[] = [];
      for (const [first, second] of stream.shuffle(pairs[name]).slice(0, pairsPerClass)) {
        const score = await judge(first.steps, second.steps);
        if (score === null) unscored++;
        else scores.push(score);
      }
      if (scores.length > 0)
        means[name].push({
          mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
          pairs: scores.length,
        });
    }
  }
  const similarity = (name: keyof ClassSimilarities): ClassSimilarity => {
    const entries = means[name];
    const average = (part: readonly { mean: number }[]): number =>
      part.reduce((sum, entry) => sum + entry.mean, 0) / part.length;
    const estimate = bootstrapInterval(entries, average, { stream, resamples });
    return {
      ...(estimate ?? { value: 0, low: 0, high: 0 }),
      pairs: entries.reduce((sum, entry) => sum + entry.pairs, 0),
      problems: entries.length,
    };
  };
  return {
    correctCorrect: similarity("correctCorrect"),
    correctIncorrect: similarity("correctIncorrect"),
    incorrectIncorrect: similarity("incorrectIncorrect"),
    unscored,
  };
}
