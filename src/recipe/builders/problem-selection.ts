/**
 * Which problems of a collection are kept, judged one after another so that a collection may be larger than memory:
 * repeated questions, contradicting answers, length, what the grader cannot verify, contamination, what is too easy.
 * Each problem left out has one reason, counted, with examples, and a record that says which one and why.
 * Source: recipe A1.5, A1.6, A2; C3 row 10.
 */
import type { Contamination, ContaminationIndex } from "../../data/contamination.ts";
import { createRepeatFinder } from "../../data/problems.ts";
import { gradeResponse } from "../../math/index.ts";
import { type SuitabilityOptions, UNSUITABLE_MEANING, unsuitableReason } from "../../math/suitability.ts";
import type { PromptMeasure } from "../../text/prompt-length.ts";
import type { Problem } from "../../types.ts";
import { createDropCounter, type DropCounter } from "../drops.ts";

/** Reasons in the order of judgement, with a sentence each. */
export const PROBLEM_DROP_REASONS = {
  invalid_row: "the row has no question, no answer, or not in a form that can be read",
  repeated_question: "the question came before, in this or an earlier source",
  contradicting_answer: "rows with this question disagree about the answer",
  too_long: "the question has too many characters",
  too_many_tokens: "the prompt has too many tokens for the model",
  not_verifiable: "the grader does not accept the problem's own answer",
  ...UNSUITABLE_MEANING,
  contaminated: "the question is a benchmark's, in full, in part or with words changed",
  too_easy: "the accuracy log shows it to be solved",
  beyond_limit: "the limit on the number of problems was reached",
} as const;

export type ProblemDropReason = keyof typeof PROBLEM_DROP_REASONS;

export interface ProblemRules {
  /** Keep the first problem of each question. */
  dedupe?: boolean;
  /** Place among the problems judged, from 0: questions whose rows contradict each other. */
  contradicted?: ReadonlySet<number>;
  maxCharacters?: number;
  /** Limit in tokens of the model's own prompt. */
  tokens?: { measure: PromptMeasure; limit: number };
  requireVerifiable?: boolean;
  /** Reasons against automatic evaluation that count. */
  unsuitable?: Required<SuitabilityOptions>;
  contamination?: ContaminationIndex;
  tooEasy?: (problem: Problem) => boolean;
}

/** One problem left out, as files of dropped problems have it. */
export interface DroppedProblem {
  reason: ProblemDropReason;
  detail: string;
  id: string;
  source: string;
  prompt: string;
  answer: Problem["answer"];
  /** The problem that came first. */
  kept?: string;
  /** The benchmark's question and what both have in common. */
  benchmark?: {
    id: string;
    source: string;
    prompt: string;
    shared: string;
    words: number;
    /** Of a near copy the share of the benchmark question's words; null where a long run is shared. */
    nearShare: number | null;
  };
}

export interface ProblemSelector {
  /** True when the problem is kept. */
  judge(problem: Problem): boolean;
  /** Leaves out a problem that passed every rule, for a reason of the caller. */
  drop(problem: Problem, reason: ProblemDropReason, detail: string): void;
  /** Counts a row that is no problem. */
  dropRow(error: Error): void;
  keep(): void;
  readonly counter: DropCounter;
}

/** True when the grader accepts the problem's own answer, the least a checkable problem must pass. */
export function isVerifiable({ answer }: Problem): boolean {
  const first = Array.isArray(answer) ? answer[0] : answer;
  return gradeResponse(answer, `\\boxed{${first}}`).correct === true;
}

function answerOf({ answer }: Pick<Problem, "answer">): string {
  return [answer].flat().join(" or ");
}

/** True when neither answer passes for the other: 1/2 and 0.5 agree. */
export function contradicts(first: Problem, second: Problem): boolean {
  const accepts = (gold: Problem, other: Problem): boolean =>
    [other.answer]
      .flat()
      .some((one) => gradeResponse(gold.answer, `\\boxed{${String(one)}}`).correct === true);
  return !accepts(first, second) && !accepts(second, first);
}

/**
 * Questions whose rows disagree about the answer, found in a pass of its own over all problems.
 * @returns places of the first problem of each such question, from 0
 */
export async function findContradictions(
  problems: Iterable<Problem> | AsyncIterable<Problem>,
): Promise<Set<number>> {
  const find = createRepeatFinder();
  const firsts = new Map<number, Problem>();
  const contradicted = new Set<number>();
  const suspects: { index: number; problem: Problem }[] = [];
  let index = 0;
  for await (const problem of problems) {
    const repeated = find(problem);
    if (repeated === null) firsts.set(index, { ...problem, prompt: "", meta: {} });
    else if (!repeated.sameAnswer) suspects.push({ index: repeated.keptIndex, problem });
    index++;
  }
  for (const { index: place, problem } of suspects)
    if (contradicts(firsts.get(place)!, problem)) contradicted.add(place);
  return contradicted;
}

function contaminationDetail({ benchmark, words, nearShare }: Contamination): string {
  const which = `${benchmark.source} ${benchmark.id}`;
  return nearShare === null
    ? `${words} words of ${which}`
    : `${Math.round(100 * nearShare)}% of ${which}, ${words} words in short runs`;
}

/**
 * Prepares the judgement.
 * @param onDrop told of every problem left out
 */
export function createProblemSelector(
  rules: ProblemRules,
  onDrop: (dropped: DroppedProblem) => void = () => {},
): ProblemSelector {
  const counter = createDropCounter("problems", PROBLEM_DROP_REASONS);
  const find = rules.dedupe === true ? createRepeatFinder() : null;
  let index = -1;
  const drop = (
    problem: Problem,
    reason: ProblemDropReason,
    detail: string,
    more: Pick<DroppedProblem, "kept" | "benchmark"> = {},
  ): false => {
    const { id, source, prompt, answer } = problem;
    const text =
      more.benchmark === undefined
        ? prompt
        : `${prompt}\n\n${more.benchmark.source}: ${more.benchmark.prompt}\n\nshared: ${more.benchmark.shared}`;
    counter.drop(reason, { id, detail, text });
    onDrop({ reason, detail, id, source, prompt, answer, ...more });
    return false;
  };
  const judge = (problem: Problem): boolean => {
    index++;
    const repeated = find?.(problem) ?? null;
    if (repeated !== null) {
      const { keptId, keptIndex, sameAnswer } = repeated;
      if (rules.contradicted?.has(keptIndex) === true)
        return drop(problem, "contradicting_answer", `answer ${answerOf(problem)}`, { kept: keptId });
      const other = sameAnswer ? "" : `, with the answer ${answerOf(problem)}`;
      return drop(problem, "repeated_question", `the question of ${keptId}${other}`, { kept: keptId });
    }
    if (rules.contradicted?.has(index) === true)
      return drop(problem, "contradicting_answer", `answer ${answerOf(problem)}`);
    const { maxCharacters = Number.POSITIVE_INFINITY, tokens, contamination } = rules;
    if (problem.prompt.length > maxCharacters)
      return drop(problem, "too_long", `${problem.prompt.length} of ${maxCharacters} characters`);
    const count = tokens === undefined ? null : tokens.measure.tokensAbove(problem.prompt, tokens.limit);
    if (count !== null) return drop(problem, "too_many_tokens", `${count} of ${tokens!.limit} tokens`);
    if (rules.requireVerifiable === true && !isVerifiable(problem))
      return drop(problem, "not_verifiable", `answer ${answerOf(problem)}`);
    const unsuitable = rules.unsuitable === undefined ? null : unsuitableReason(problem, rules.unsuitable);
    if (unsuitable !== null) return drop(problem, unsuitable, `answer ${answerOf(problem)}`);
    const hit = contamination?.find(problem.prompt) ?? null;
    if (hit !== null) {
      const { id, source, prompt } = hit.benchmark;
      return drop(problem, "contaminated", contaminationDetail(hit), {
        benchmark: { id, source, prompt, shared: hit.shared, words: hit.words, nearShare: hit.nearShare },
      });
    }
    if (rules.tooEasy?.(problem) === true) return drop(problem, "too_easy", "above drop_easy.threshold");
    return true;
  };
  return {
    judge,
    drop: (problem, reason, detail) => void drop(problem, reason, detail),
    dropRow: (error) => counter.drop("invalid_row", { id: "", detail: error.message, text: "" }),
    keep: () => counter.keep(),
    counter,
  };
}
