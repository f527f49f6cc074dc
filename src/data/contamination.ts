/**
 * Finds problems that share a run of words with a benchmark's question: training on them would make the benchmark's
 * score worthless. A run is 13 words; a question that is shorter counts as a whole, and one of a few words only when
 * the other question is exactly that. Runs that several benchmark questions share ("where m and n are relatively prime
 * positive integers") are phrases and not questions, and count only where a question has no other. Without such a run a
 * question still counts when most of its short runs are there: then some words were changed (`near-copy.ts`).
 * Source: 13-word overlap as in GPT-3 (arXiv:2005.14165, appendix C); the rest is this project's own.
 */
import type { Problem } from "../types.ts";
import { createNearCopyIndex } from "./near-copy.ts";
import { scanWords, type WordScan, wordAt, wordsText } from "./word-scan.ts";

/** Base of the rolling hash: odd, with bits everywhere. */
const BASE = 0x9e3779b1;
/** Words compared for one question before the longest run so far is taken: texts of one repeated word. */
const MAX_COMPARED_WORDS = 1_000_000;
/** Bits of the first filter, 512 KiB: nearly every run of a clean text ends there. */
const FILTER_BITS = 22;

export interface ContaminationOptions {
  /** Words of a run, 3 or more. Default 13. */
  words?: number;
  /** Questions with fewer words match only as a whole. Default 6. */
  minWords?: number;
  /** A run in this many benchmark questions or more is a phrase; 0 = no run is. Default 3. */
  phraseQuestions?: number;
  /** Share of a benchmark question's words, in short runs, that makes a problem its near copy; 0 = none does. Default 0.6. */
  nearShare?: number;
}

/** What a problem shares with a benchmark. */
export interface Contamination {
  benchmark: Problem;
  /** Words of the longest shared run; of a near copy, of all short ones. */
  words: number;
  /** That run or those runs, words in lower case. */
  shared: string;
  /** Of a near copy the share of the benchmark question's words; null where a long run is shared. */
  nearShare: number | null;
}

export interface ContaminationIndex {
  /** Benchmark questions, those with the same words once. */
  readonly questions: number;
  /** Runs looked for. */
  readonly runs: number;
  /** Runs left out as phrases. */
  readonly phrases: number;
  /** The longest run a question shares with a benchmark, or null. */
  find(prompt: string): Contamination | null;
}

interface Question {
  problem: Problem;
  scan: WordScan;
}

/** A place in a benchmark question where a run starts. */
interface Place {
  question: number;
  start: number;
}

function power(exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = Math.imul(result, BASE);
  return result;
}

/** Calls `visit` with the start and the hash of every run of `length` words. */
function eachRun(
  { hashes, count }: WordScan,
  length: number,
  visit: (start: number, hash: number) => void,
): void {
  if (count < length) return;
  const drop = power(length - 1);
  let hash = 0;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, BASE) + hashes[i]!) | 0;
  visit(0, hash >>> 0);
  for (let i = length; i < count; i++) {
    hash = (Math.imul((hash - Math.imul(hashes[i - length]!, drop)) | 0, BASE) + hashes[i]!) | 0;
    visit(i - length + 1, hash >>> 0);
  }
}

function sameWord(a: WordScan, i: number, b: WordScan, j: number): boolean {
  return a.hashes[i] === b.hashes[j] && wordAt(a, i) === wordAt(b, j);
}

/** Runs of 13 words that several questions have. */
function findPhrases(questions: readonly Question[], length: number, least: number): Set<string> {
  const found = new Map<string, { last: number; count: number }>();
  for (const [q, { scan }] of questions.entries())
    for (let i = 0; i + length <= scan.count; i++) {
      const text = wordsText(scan, i, i + length);
      const entry = found.get(text);
      if (entry === undefined) found.set(text, { last: q, count: 1 });
      else if (entry.last !== q) {
        entry.last = q;
        entry.count++;
      }
    }
  const phrases = [...found].filter(([, { count }]) => least > 0 && count >= least);
  return new Set(phrases.map(([text]) => text));
}

/** Marks the words of a question that stand in a phrase. */
function phraseWords(scan: WordScan, length: number, phrases: ReadonlySet<string>): Uint8Array {
  const marked = new Uint8Array(scan.count);
  for (let i = 0; phrases.size > 0 && i + length <= scan.count; i++)
    if (phrases.has(wordsText(scan, i, i + length))) marked.fill(1, i, i + length);
  return marked;
}

/**
 * Prepares benchmark questions for being looked for.
 * @throws {RangeError} when an option is out of range
 */
export function createContaminationIndex(
  benchmarks: Iterable<Problem>,
  options: ContaminationOptions = {},
): ContaminationIndex {
  const { words: length = 13, minWords = 6, phraseQuestions = 3, nearShare = 0.6 } = options;
  if (!(Number.isInteger(length) && length >= 3))
    throw new RangeError(`words: expected 3 or more, got ${length}`);
  if (!(nearShare >= 0 && nearShare <= 1))
    throw new RangeError(`nearShare: expected 0 to 1, got ${nearShare}`);
  const questions: Question[] = [];
  const exact = new Map<string, number>();
  for (const problem of benchmarks) {
    const scan = scanWords(problem.prompt);
    const text = wordsText(scan, 0, scan.count);
    if (scan.count === 0 || exact.has(text)) continue;
    exact.set(text, questions.length);
    questions.push({ problem, scan });
  }
  const phrases = findPhrases(questions, length, phraseQuestions);
  const near =
    nearShare === 0
      ? null
      : createNearCopyIndex(
          questions.map(({ scan }) => scan),
          questions.map(({ scan }) => phraseWords(scan, length, phrases)),
          nearShare,
        );
  /** Places by hash, for each length of run. */
  const places = new Map<number, Map<number, Place[]>>();
  const filter = new Uint32Array(2 ** (FILTER_BITS - 5));
  let runs = 0;
  for (const [question, { scan }] of questions.entries()) {
    if (scan.count < minWords) continue;
    const own = Math.min(length, scan.count);
    const all: { start: number; hash: number }[] = [];
    eachRun(scan, own, (start, hash) => all.push({ start, hash }));
    const telling = all.filter(({ start }) => !phrases.has(wordsText(scan, start, start + own)));
    const table = places.get(own) ?? new Map<number, Place[]>();
    places.set(own, table);
    // A question made of phrases only still has to be found.
    for (const { start, hash } of telling.length > 0 ? telling : all) {
      const list = table.get(hash);
      if (list === undefined) table.set(hash, [{ question, start }]);
      else list.push({ question, start });
      filter[hash >>> (32 - FILTER_BITS + 5)]! |= 1 << ((hash >>> (32 - FILTER_BITS)) & 31);
      runs++;
    }
  }

  /** The shared run around two places that agree in `size` words, or null when they do not. */
  const extend = (
    scan: WordScan,
    at: number,
    place: Place,
    size: number,
  ): { from: number; to: number } | null => {
    const other = questions[place.question]!.scan;
    for (let i = 0; i < size; i++) if (!sameWord(scan, at + i, other, place.start + i)) return null;
    let before = 0;
    while (
      at - before > 0 &&
      place.start - before > 0 &&
      sameWord(scan, at - before - 1, other, place.start - before - 1)
    )
      before++;
    let to = size;
    while (
      at + to < scan.count &&
      place.start + to < other.count &&
      sameWord(scan, at + to, other, place.start + to)
    )
      to++;
    return { from: at - before, to: at + to };
  };

  return {
    questions: questions.length,
    runs,
    phrases: phrases.size,
    find(prompt) {
      const scan = scanWords(prompt);
      if (scan.count < minWords) {
        const whole = wordsText(scan, 0, scan.count);
        const question = exact.get(whole);
        if (question === undefined) return null;
        return { benchmark: questions[question]!.problem, words: scan.count, shared: whole, nearShare: null };
      }
      let best: { question: number; from: number; to: number } | null = null;
      let compared = 0;
      for (const [size, table] of places) {
        eachRun(scan, size, (start, hash) => {
          if ((filter[hash >>> (32 - FILTER_BITS + 5)]! & (1 << ((hash >>> (32 - FILTER_BITS)) & 31))) === 0)
            return;
          for (const place of table.get(hash) ?? []) {
            if (compared > MAX_COMPARED_WORDS) return;
            const run = extend(scan, start, place, size);
            if (run === null) continue;
            compared += run.to - run.from;
            if (best === null || run.to - run.from > best.to - best.from)
              best = { question: place.question, ...run };
          }
        });
      }
      // TypeScript does not see the assignment within the callback.
      const hit = best as { question: number; from: number; to: number } | null;
      if (hit === null) {
        const copy = near?.find(scan) ?? null;
        if (copy === null) return null;
        const { question, words, share, shared } = copy;
        return { benchmark: questions[question]!.problem, words, shared, nearShare: share };
      }
      return {
        benchmark: questions[hit.question]!.problem,
        words: hit.to - hit.from,
        shared: wordsText(scan, hit.from, hit.to),
        nearShare: null,
      };
    },
  };
}
