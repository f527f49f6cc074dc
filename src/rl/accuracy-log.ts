/**
 * The accuracy log of a stage: one JSON line per step, `{"index":[...],"score":[...]}`, in the released format.
 * Scores are group means of outcomes as sampled: before rescue and substitution, never process reward. Skipped
 * batches are logged too. Text in, text out; files are the caller's.
 * Source: recipe A2, A13.
 */
import { DataError } from "../errors.ts";

/** Row number in the released data, or a problem id. */
export type ProblemIndex = number | string;

/** One step: `score[i]` in [0, 1] is the share of correct rollouts of problem `index[i]`. */
export interface AccuracyLogEntry {
  index: ProblemIndex[];
  score: number[];
}

/** Most problems of one line: far above any batch size, it keeps a corrupt file from filling memory. */
const MAX_PROBLEMS_PER_LINE = 1 << 20;

/**
 * One log line, with its newline.
 *
 * @throws {RangeError} when lengths differ or a score is outside [0, 1]
 */
export function formatAccuracyLine(entry: AccuracyLogEntry): string {
  const problem = entryProblem(entry);
  if (problem !== null) throw new RangeError(`accuracy log: ${problem}`);
  return `${JSON.stringify({ index: entry.index, score: entry.score })}\n`;
}

/**
 * Reads a log. An unfinished last line, as a killed process leaves it, is ignored.
 *
 * @throws {DataError} with the line number when another line is not a log entry
 */
export function parseAccuracyLog(text: string): AccuracyLogEntry[] {
  const entries: AccuracyLogEntry[] = [];
  const lines = text.split("\n");
  for (const [i, line] of lines.entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      if (i === lines.length - 1) break;
      throw new DataError(`accuracy log line ${i + 1}: expected JSON`, { cause, details: { line: i + 1 } });
    }
    const problem = entryProblem(value);
    if (problem !== null)
      throw new DataError(`accuracy log line ${i + 1}: ${problem}`, { details: { line: i + 1 } });
    entries.push(value as AccuracyLogEntry);
  }
  return entries;
}

/** Every visit's score of each problem, oldest first. */
export function scoresByProblem(entries: readonly AccuracyLogEntry[]): Map<ProblemIndex, number[]> {
  const scores = new Map<ProblemIndex, number[]>();
  for (const entry of entries) {
    for (const [i, index] of entry.index.entries()) {
      const visits = scores.get(index);
      if (visits === undefined) scores.set(index, [entry.score[i] as number]);
      else visits.push(entry.score[i] as number);
    }
  }
  return scores;
}

/** What is wrong with a log entry, or null. */
function entryProblem(value: unknown): string | null {
  const { index, score } = (value ?? {}) as Partial<AccuracyLogEntry>;
  if (!Array.isArray(index) || !Array.isArray(score)) return "expected the lists index and score";
  if (index.length !== score.length) return `expected ${index.length} scores, got ${score.length}`;
  if (index.length > MAX_PROBLEMS_PER_LINE)
    return `expected at most ${MAX_PROBLEMS_PER_LINE} problems, got ${index.length}`;
  for (const item of index)
    if (typeof item !== "string" && !Number.isInteger(item))
      return `expected row numbers or ids, got ${item}`;
  for (const item of score)
    if (typeof item !== "number" || !(item >= 0 && item <= 1)) return `expected scores in 0..1, got ${item}`;
  return null;
}
