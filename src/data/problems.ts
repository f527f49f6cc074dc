/**
 * Files of problems: reading any column dialect, writing, and removing repeated questions.
 * Parquet rows come from `parquet-read.ts` and pass through the same `parseProblemRow`.
 * Source: recipe A1.6; formats in `problem-row.ts`.
 */
import { basename } from "node:path";
import { DataError } from "../errors.ts";
import type { Problem } from "../types.ts";
import { readJsonl, writeJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet-read.ts";
import {
  normalizePrompt,
  type ProblemColumns,
  type ProblemDialect,
  parseProblemRow,
  problemRow,
} from "./problem-row.ts";

/** The largest collection of the recipe has 106 thousand rows; a Problem takes about 1 kB. */
const MAX_PROBLEMS = 5_000_000;

export interface ReadProblemsOptions {
  /** Source of rows that name none. Default: the file's name without extensions. */
  source?: string;
  columns?: ProblemColumns;
}

/** A file's name without folder and extensions. */
function stem(path: string): string {
  return basename(path).replace(/(\.(jsonl|json|parquet|gz))+$/, "");
}

/**
 * Makes ids unique. Rows of one question without an id of their own share a hash: the second becomes `<hash>-2`.
 * @throws {DataError} when two different questions have one id
 */
export function uniqueIds(problems: readonly Problem[], where: string): Problem[] {
  const seen = new Map<string, { prompt: string; count: number }>();
  return problems.map((problem) => {
    const first = seen.get(problem.id);
    if (first === undefined) {
      seen.set(problem.id, { prompt: normalizePrompt(problem.prompt), count: 1 });
      return problem;
    }
    if (first.prompt !== normalizePrompt(problem.prompt))
      throw new DataError(`${where}: id "${problem.id}" belongs to two different questions`, {
        hint: "name the column with unique ids, or remove the id column to have ids made from the questions",
      });
    do first.count++;
    while (seen.has(`${problem.id}-${first.count}`));
    const id = `${problem.id}-${first.count}`;
    seen.set(id, { prompt: first.prompt, count: 1 });
    return { ...problem, id };
  });
}

/**
 * Reads a file of problems, JSONL (gzip by name) or Parquet; each row in any dialect.
 * @returns in file order, ids unique
 * @throws {DataError} naming file and line of the first row that is no problem, or an id of two questions
 */
export async function readProblems(path: string, options: ReadProblemsOptions = {}): Promise<Problem[]> {
  const source = options.source ?? stem(path);
  const problems: Problem[] = [];
  const rows = path.endsWith(".parquet") ? readParquet(path) : readJsonl(path);
  for await (const { value, where } of rows) {
    if (problems.length >= MAX_PROBLEMS)
      throw new DataError(`${path}: expected at most ${MAX_PROBLEMS} problems`);
    problems.push(parseProblemRow(value, { where, source, columns: options.columns }));
  }
  if (problems.length === 0) throw new DataError(`${path}: expected problems, got an empty file`);
  return uniqueIds(problems, path);
}

/**
 * Writes problems as JSONL, gzip by name, complete or absent.
 *
 * @param dialect default "own", which keeps every field
 * @throws {StoreError} when the file cannot be written
 */
export function writeProblems(
  path: string,
  problems: readonly Problem[],
  dialect: ProblemDialect = "own",
): void {
  writeJsonl(
    path,
    problems.map((problem, index) => problemRow(problem, dialect, index)),
  );
}

/** What `dedupeProblems` left out. */
export interface Duplicate {
  kept: Problem;
  dropped: Problem;
  /** False when the two disagree about the answer: at least one row of the data is wrong. */
  sameAnswer: boolean;
}

/**
 * Keeps the first problem of each question. Questions are equal when their normalised texts are: instructions off,
 * Unicode composed, spaces collapsed; letter case counts, because it does in mathematics.
 */
export function dedupeProblems(problems: readonly Problem[]): {
  problems: Problem[];
  duplicates: Duplicate[];
} {
  const first = new Map<string, Problem>();
  const duplicates: Duplicate[] = [];
  for (const problem of problems) {
    const key = normalizePrompt(problem.prompt);
    const kept = first.get(key);
    if (kept === undefined) first.set(key, problem);
    else
      duplicates.push({
        kept,
        dropped: problem,
        sameAnswer: JSON.stringify(kept.answer) === JSON.stringify(problem.answer),
      });
  }
  return { problems: [...first.values()], duplicates };
}
