/**
 * Labelled pairs (gold, prediction, expected): how a grader is measured. A prediction may be a bare answer or a whole
 * response; the answer is looked for more widely than for a reward (prose, several boxes), and by which policy is
 * part of the reason. Not a reward function.
 */
import type { Answer } from "../types.ts";
import { FUNCTIONS, SYMBOLS, WORDS } from "./commands.ts";
import { extractAnswer } from "./extract.ts";
import { isOpaque, parse } from "./parser.ts";
import { proseAnswer } from "./prose.ts";
import { unwrap } from "./rules.ts";
import { verify } from "./verify.ts";

export interface PairVerdict {
  equal: boolean;
  /** How the answer was found and which rule decided, for example `boxed:key`, `prose:unit_dropped`. */
  reason: string;
  /** The answer that was compared last. */
  answer: string | null;
}

/** Words, not counting names of functions and what stands in `\\text{}`. */
function countWords(text: string): number {
  const plain = text.replace(/\\(?:text|mathrm|textbf|mbox)\s*\{[^}]*\}|\\[A-Za-z]+/g, " ");
  let words = 0;
  for (const [word] of plain.matchAll(/[A-Za-z]{2,}/g))
    if (!Object.hasOwn(FUNCTIONS, word) && !Object.hasOwn(WORDS, word) && !Object.hasOwn(SYMBOLS, word))
      words++;
  return words;
}

/** A text that reads as one formula or word rather than as sentences. */
function isBareAnswer(text: string): boolean {
  const inner = unwrap(text);
  if (inner === "" || inner.length > 600 || inner.includes("$") || /\\[()[\]]/.test(inner)) return false;
  return countWords(inner) < 3 && (/^[A-Za-z]+$/.test(inner) || !isOpaque(parse(inner).root));
}

/** Answers a text may mean, most trusted first. */
function answersOf(text: string): { answer: string; how: string }[] {
  const found: { answer: string; how: string }[] = [];
  const boxed = extractAnswer(text);
  if (boxed.answer !== null) {
    const joined = extractAnswer(text, { boxes: "all" });
    if (joined.answer !== null && joined.answer !== boxed.answer)
      found.push({ answer: joined.answer, how: "boxes" });
    found.push({ answer: boxed.answer, how: "boxed" });
    return found;
  }
  if (isBareAnswer(text)) found.push({ answer: unwrap(text), how: "bare" });
  else {
    const prose = proseAnswer(text);
    if (prose !== null) found.push({ answer: prose, how: "prose" });
    else if (text.trim() !== "" && !text.includes("$")) found.push({ answer: unwrap(text), how: "bare" });
  }
  return found;
}

/** Does the prediction state the gold answer? */
export function judgePair(gold: Answer, prediction: string): PairVerdict {
  const golds = (Array.isArray(gold) ? gold : [gold]) as readonly (string | number)[];
  let last: PairVerdict = { equal: false, reason: "no_answer", answer: null };
  const predictions = answersOf(prediction);
  for (const one of golds) {
    const meant = answersOf(String(one));
    for (const given of predictions) {
      for (const wanted of meant) {
        const { equal, rule } = verify(wanted.answer, given.answer);
        last = { equal, reason: `${given.how}:${rule}`, answer: given.answer };
        if (equal) return last;
      }
    }
  }
  return last;
}
