/**
 * Labelled pairs (gold, prediction, expected): how a grader is measured. A prediction may be a bare answer or a whole
 * response; the answer is looked for more widely than for a reward (prose, several boxes), and by which policy is
 * part of the reason. Not a reward function.
 */
import type { Answer } from "../types.ts";
import { isOpaque } from "./ast.ts";
import { FUNCTIONS, SYMBOLS, WORDS } from "./commands.ts";
import { extractAnswer } from "./extract.ts";
import { parse } from "./parser.ts";
import { proseAnswer } from "./prose.ts";
import { unwrap } from "./rules/candidate.ts";
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
  if (boxed.answer === null && text.includes("$") && countWords(text) === 0 && !text.includes("\n")) {
    // Stray dollar signs between formulas say nothing.
    const plain = text.replaceAll("\\$", " ").replaceAll("$", " ").trim();
    if (isBareAnswer(plain)) return [{ answer: plain, how: "bare" }];
  }
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

/** One labelled pair of a test set. */
export interface LabelledPair {
  id: string;
  source: string;
  kind: string;
  gold: Answer;
  prediction: string;
  expected: boolean;
  /** The label is a convention, not mathematics. */
  policy: boolean;
}

/** Counts of one group of pairs. */
export interface PairCounts {
  name: string;
  rows: number;
  correct: number;
  /** In [0, 1]. */
  accuracy: number;
  /** Unequal answers called equal. */
  falsePositives: number;
  /** Equal answers called unequal. */
  falseNegatives: number;
}

export interface WrongPair extends LabelledPair {
  reason: string;
}

export interface PairSummary {
  all: PairCounts;
  withoutPolicy: PairCounts;
  /** Sources that are not generated from benchmarks (everything but `bench/...`). */
  thirdParty: PairCounts;
  byKind: PairCounts[];
  bySource: PairCounts[];
  wrong: WrongPair[];
}

function emptyCounts(name: string): PairCounts {
  return { name, rows: 0, correct: 0, accuracy: 0, falsePositives: 0, falseNegatives: 0 };
}

/** Judges pairs one by one and counts; `summary()` may be called at any time. */
export function createPairCounter(): { add(pair: LabelledPair): PairVerdict; summary(): PairSummary } {
  const all = emptyCounts("all");
  const withoutPolicy = emptyCounts("without policy");
  const thirdParty = emptyCounts("third-party");
  const kinds = new Map<string, PairCounts>();
  const sources = new Map<string, PairCounts>();
  const wrong: WrongPair[] = [];
  const group = (groups: Map<string, PairCounts>, name: string): PairCounts => {
    const counts = groups.get(name) ?? emptyCounts(name);
    groups.set(name, counts);
    return counts;
  };
  const finished = (counts: PairCounts): PairCounts => ({
    ...counts,
    accuracy: counts.rows === 0 ? 0 : counts.correct / counts.rows,
  });
  return {
    add(pair) {
      const verdict = judgePair(pair.gold, pair.prediction);
      const counted = [all, group(kinds, pair.kind), group(sources, pair.source)];
      if (!pair.policy) counted.push(withoutPolicy);
      if (!pair.source.startsWith("bench/")) counted.push(thirdParty);
      for (const counts of counted) {
        counts.rows++;
        if (verdict.equal === pair.expected) counts.correct++;
        else if (verdict.equal) counts.falsePositives++;
        else counts.falseNegatives++;
      }
      if (verdict.equal !== pair.expected) wrong.push({ ...pair, reason: verdict.reason });
      return verdict;
    },
    summary: () => ({
      all: finished(all),
      withoutPolicy: finished(withoutPolicy),
      thirdParty: finished(thirdParty),
      byKind: [...kinds.values()].map(finished).sort((a, b) => a.name.localeCompare(b.name)),
      bySource: [...sources.values()].map(finished).sort((a, b) => a.name.localeCompare(b.name)),
      wrong,
    }),
  };
}
