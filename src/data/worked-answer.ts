/**
 * Gold answers that come with their working: GSM8K ends a solution with `#### 72`, MATH boxes the result within one.
 * Compared as a whole, such a text accepts no answer, and a run on it would learn nothing from every problem.
 * Source: the data cards of openai/gsm8k and of MATH (arXiv:2103.03874).
 */
import { extractAnswer } from "../math/extract.ts";

/** Longest solution looked at; published ones have at most a few thousand characters. */
const MAX_SOLUTION_CHARACTERS = 100_000;

const MARKED = /(?:^|\n)\s*####[ \t]*(\S[^\n]*?)\s*$/;
const ONLY_A_BOX = /^[\s$]*\\(?:boxed|fbox)\s*\{.*\}[\s$.]*$/s;

/**
 * The answer at the end of a worked solution.
 * @returns null for a text that is an answer alone, or has no marked answer
 */
export function workedAnswer(text: string): string | null {
  if (text.length > MAX_SOLUTION_CHARACTERS) return null;
  const marked = text.includes("####") ? MARKED.exec(text)?.[1] : undefined;
  if (marked !== undefined) return marked;
  if (!/\\(?:boxed|fbox)/.test(text)) return null;
  const { answer } = extractAnswer(text, { boxes: "all" });
  // A box alone is an answer: what stands in it is all there is.
  return ONLY_A_BOX.test(text) ? null : answer;
}
