/**
 * The V1 grader, bug for bug, for reproducing V1 numbers. Never the default: it calls a third of equal answers
 * unequal and (1+√5)/2 equal to 1+√5/2.
 * Source: recipe.md A11; golden_grading.json was written by the original.
 */
import type { Answer } from "../../types.ts";
import { closingBrace } from "../braces.ts";
import { mathdNormalize } from "./mathd.ts";
import { sympyEqual } from "./sympy.ts";

export { mathdNormalize } from "./mathd.ts";
export { sympyEqual, sympyNormalize } from "./sympy.ts";

/** Content of the last `\boxed{...}` by brace counting; null when it never closes or is spelled otherwise. */
export function compatExtract(text: string): string | null {
  const boxed = text.lastIndexOf("\\boxed");
  if (boxed < 0 || !text.startsWith("\\boxed{", boxed)) return null;
  const open = boxed + "\\boxed".length;
  const close = closingBrace(text, open, false);
  return close < 0 ? null : text.slice(open + 1, close);
}

export function mathdEqual(gold: string, answer: string): boolean {
  return mathdNormalize(gold) === mathdNormalize(answer);
}

/** The test that finds them equal, `compat:mathd` or `compat:sympy`, or null. A boxed gold is unboxed first. */
export function compatEqual(gold: string, answer: string): string | null {
  const truth = gold.includes("\\boxed") ? compatExtract(gold) : gold;
  if (truth === null) return null;
  if (mathdEqual(truth, answer)) return "compat:mathd";
  return sympyEqual(truth, answer) ? "compat:sympy" : null;
}

/**
 * The V1 reward: the answer after the first `</think>` (before a second one), against any of the truths.
 *
 * @param response decoded sequence, special tokens kept
 */
export function compatReward(response: string, gold: Answer | null): boolean {
  const parts = response.split("</think>");
  const answer = parts.length < 2 ? null : compatExtract(parts[1] as string);
  if (answer === null || gold === null) return false;
  const golds = Array.isArray(gold) ? gold : [gold];
  return golds.some((one) => compatEqual(String(one), answer) !== null);
}
