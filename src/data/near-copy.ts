/**
 * Finds questions that are another one with some words changed: no long run of words survives that, but most of the
 * short ones do. What counts is the share of the benchmark question's words that stand in runs of four words which the
 * other text has too, in any order; long turns of phrase say nothing and are left out of both.
 * Source: the share of a text's tokens within matching n-grams as in Llama 2 (arXiv:2307.09288, appendix A.6), which
 * calls a sample dirty from 0.8; runs are shorter here, because questions are.
 */
import { type WordScan, wordsText } from "./word-scan.ts";

/** Words of a run. With one word in seven changed, two thirds of a text still stand in such runs. */
const RUN_WORDS = 4;
/** Shorter questions are found as a whole or not at all: one word may be all that differs. */
const LEAST_WORDS = 13;
/** A question with fewer words outside of phrases says too little to be recognised by a part of them. */
const LEAST_TELLING_WORDS = 10;

/** A question most of whose words another text has. */
export interface NearCopy {
  /** Place among the questions. */
  question: number;
  /** Words within shared runs. */
  words: number;
  /** Their share of the question's telling words. */
  share: number;
  /** The shared runs, ` … ` between them. */
  shared: string;
}

export interface NearCopyIndex {
  /** The question with the largest share at or above the limit, or null. */
  find(scan: WordScan): NearCopy | null;
}

/** Hash of the run at `start`. */
function runHash({ hashes }: WordScan, start: number): number {
  let hash = 0;
  for (let i = start; i < start + RUN_WORDS; i++)
    hash = Math.imul(hash ^ hashes[i]!, 0x9e3779b1) ^ (hash >>> 15);
  return hash | 0;
}

function runsOf(scan: WordScan): Set<number> {
  const runs = new Set<number>();
  for (let i = 0; i + RUN_WORDS <= scan.count; i++) runs.add(runHash(scan, i));
  return runs;
}

/**
 * Which words of a question, phrases left out, stand in runs of the given ones. A hash that agrees by chance adds four
 * words of hundreds.
 */
function coveredWords(question: WordScan, phraseWords: Uint8Array, runs: ReadonlySet<number>): Uint8Array {
  const covered = new Uint8Array(question.count);
  for (let i = 0; i + RUN_WORDS <= question.count; i++)
    if (runs.has(runHash(question, i))) covered.fill(1, i, i + RUN_WORDS);
  for (let i = 0; i < covered.length; i++) if (phraseWords[i] === 1) covered[i] = 0;
  return covered;
}

const sum = (marked: Uint8Array): number => marked.reduce((total, one) => total + one, 0);

/** Words that are covered, run by run. */
function coveredText(question: WordScan, covered: Uint8Array): string {
  const runs: string[] = [];
  for (let i = 0; i < covered.length; i++) {
    if (covered[i] === 0) continue;
    let end = i;
    while (end < covered.length && covered[end] === 1) end++;
    runs.push(wordsText(question, i, end));
    i = end;
  }
  return runs.join(" … ");
}

/**
 * Prepares questions for being looked for.
 *
 * @param phraseWords marks the words of each question that stand in a phrase, which do not count
 * @param share of a question's other words, above 0 and at most 1
 */
export function createNearCopyIndex(
  questions: readonly WordScan[],
  phraseWords: readonly Uint8Array[],
  share: number,
): NearCopyIndex {
  const telling = questions.map(({ count }, question) => count - sum(phraseWords[question]!));
  /** Questions by run, once for each place that is not within a phrase. */
  const postings = new Map<number, number[]>();
  for (const [question, scan] of questions.entries()) {
    if (scan.count < LEAST_WORDS || telling[question]! < LEAST_TELLING_WORDS) continue;
    for (let i = 0; i + RUN_WORDS <= scan.count; i++) {
      if (phraseWords[question]!.subarray(i, i + RUN_WORDS).every((one) => one === 1)) continue;
      const hash = runHash(scan, i);
      const list = postings.get(hash);
      if (list === undefined) postings.set(hash, [question]);
      else list.push(question);
    }
  }
  const hits = new Uint32Array(questions.length);
  return {
    find(scan) {
      const runs = runsOf(scan);
      const touched: number[] = [];
      for (const hash of runs)
        for (const question of postings.get(hash) ?? []) if (hits[question]!++ === 0) touched.push(question);
      let best: { question: number; covered: Uint8Array; words: number } | null = null;
      for (const question of touched) {
        const places = hits[question]!;
        hits[question] = 0;
        // Most pairs have a run or two in common; a place covers four words at most.
        if (places * RUN_WORDS < share * telling[question]!) continue;
        const covered = coveredWords(questions[question]!, phraseWords[question]!, runs);
        const words = sum(covered);
        if (words < share * telling[question]!) continue;
        if (best === null || words * telling[best.question]! > best.words * telling[question]!)
          best = { question, covered, words };
      }
      if (best === null) return null;
      const { question, covered, words } = best;
      const shared = coveredText(questions[question]!, covered);
      return { question, words, share: words / telling[question]!, shared };
    },
  };
}
