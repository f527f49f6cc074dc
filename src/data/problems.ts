/**
 * Files of problems: reading any file format and column dialect, unique ids, and removing repeated questions. Reading
 * streams; `readProblems` holds a whole set.
 * Source: recipe A1.6; column dialects in `problem-row.ts`, file formats in `rows.ts`.
 */
import { basename } from "node:path";
import { DataError } from "../errors.ts";
import type { Problem } from "../types.ts";
import { createDigestTable } from "./digest-table.ts";
import { writeJsonl } from "./jsonl.ts";
import { type ProblemDialect, problemRow } from "./problem-dialects.ts";
import { type ProblemColumns, parseProblemRow } from "./problem-row.ts";
import { promptDigest } from "./prompt-digest.ts";
import { readRows } from "./rows.ts";

/** The largest collection of the recipe has 106 thousand rows; a Problem takes about 1 kB. */
const MAX_PROBLEMS = 5_000_000;

export interface ReadProblemsOptions {
  /** Source of rows that name none. Default: the file's name without extensions. */
  source?: string;
  columns?: ProblemColumns;
  /** Called with a row that is no problem, which is then left out; without it the first such row is an error. */
  onInvalid?: (error: DataError) => void;
}

/** A file's name without folder and extensions. */
function stem(path: string): string {
  return basename(path).replace(/(\.(jsonl|ndjson|json|parquet|csv|tsv|gz))+$/i, "");
}

/**
 * Makes ids unique, one problem after another. Rows of one question without an id of their own share a hash: the second
 * becomes `<hash>-2`.
 *
 * @param where file or stage, for errors
 * @param onClash what becomes of an id that belongs to two different questions: an error, or `<source>/<id>`, for
 * sources that each number their rows from 1
 * @returns the problem, with another id where its own was taken
 */
export function createIdAssigner(
  where: string,
  onClash: "error" | "name_source" = "error",
): (problem: Problem) => Problem {
  const digests = new Map<string, string>();
  const repeats = new Map<string, number>();
  const assign = (problem: Problem, rename: boolean): Problem => {
    // 64 bits tell two questions with one id apart.
    const digest = promptDigest(problem.prompt).slice(0, 16);
    const first = digests.get(problem.id);
    if (first === undefined) {
      digests.set(problem.id, digest);
      return problem;
    }
    if (first !== digest && rename)
      return assign({ ...problem, id: `${problem.source}/${problem.id}`.slice(0, 200) }, false);
    if (first !== digest)
      throw new DataError(`${where}: id "${problem.id}" belongs to two different questions`, {
        hint: "name the column with unique ids, or remove the id column to have ids made from the questions",
      });
    let count = repeats.get(problem.id) ?? 1;
    do count++;
    while (digests.has(`${problem.id}-${count}`));
    repeats.set(problem.id, count);
    const id = `${problem.id}-${count}`;
    digests.set(id, digest);
    return { ...problem, id };
  };
  return (problem) => assign(problem, onClash === "name_source");
}

/**
 * Makes ids unique.
 * @throws {DataError} when two different questions have one id
 */
export function uniqueIds(problems: readonly Problem[], where: string): Problem[] {
  return problems.map(createIdAssigner(where));
}

/**
 * Reads a file problem by problem, JSON lines, a JSON array (both gzip by name) or Parquet; each row in any dialect.
 * Ids are those of the rows and may repeat.
 * @throws {DataError} naming file and place of the first row that is no problem, unless `onInvalid` takes it
 */
export async function* streamProblems(
  path: string,
  options: ReadProblemsOptions = {},
): AsyncGenerator<Problem> {
  const source = options.source ?? stem(path);
  let count = 0;
  for await (const { value, where } of readRows(path)) {
    let problem: Problem;
    try {
      problem = parseProblemRow(value, { where, source, columns: options.columns });
    } catch (cause) {
      if (options.onInvalid === undefined || !(cause instanceof DataError)) throw cause;
      options.onInvalid(cause);
      continue;
    }
    if (++count > MAX_PROBLEMS) throw new DataError(`${path}: expected at most ${MAX_PROBLEMS} problems`);
    yield problem;
  }
}

/**
 * Reads a file of problems as `streamProblems` does.
 * @returns in file order, ids unique
 * @throws {DataError} naming file and place of the first row that is no problem, or an id of two questions
 */
export async function readProblems(path: string, options: ReadProblemsOptions = {}): Promise<Problem[]> {
  const problems: Problem[] = [];
  const assign = createIdAssigner(path);
  for await (const problem of streamProblems(path, options)) problems.push(assign(problem));
  if (problems.length === 0) throw new DataError(`${path}: expected problems, got an empty file`);
  return problems;
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

/** A question that came a second time. */
export interface RepeatedQuestion {
  /** Id of the problem that came first. */
  keptId: string;
  /** Place of the first among all problems looked at, from 0. */
  keptIndex: number;
  /** False when the two disagree about the answer: at least one row of the data is wrong. */
  sameAnswer: boolean;
}

/** The answer as compared between two rows: data sets store 7 here and "7" there. */
function answerText(problem: Problem): string {
  const { answer } = problem;
  return JSON.stringify((Array.isArray(answer) ? answer : [answer]).map((one) => String(one).trim()));
}

/**
 * Finds questions that were there before, one problem after another, in some 100 bytes a question.
 * Questions are equal when their normalised texts are: instructions off, Unicode composed, spaces collapsed; letter
 * case counts, because it does in mathematics.
 *
 * @returns null for a question that is new
 */
export function createRepeatFinder(): (problem: Problem) => RepeatedQuestion | null {
  const table = createDigestTable();
  const kept: { id: string; answer: string; index: number }[] = [];
  let index = -1;
  return (problem) => {
    index++;
    const answer = answerText(problem);
    const first = kept[table.add(promptDigest(problem.prompt), kept.length)];
    if (first !== undefined)
      return { keptId: first.id, keptIndex: first.index, sameAnswer: first.answer === answer };
    kept.push({ id: problem.id, answer, index });
    return null;
  };
}

/** What `dedupeProblems` left out. */
export interface Duplicate {
  kept: Problem;
  dropped: Problem;
  /** False when the two disagree about the answer: at least one row of the data is wrong. */
  sameAnswer: boolean;
}

/** Keeps the first problem of each question, equal as `createRepeatFinder` says. */
export function dedupeProblems(problems: readonly Problem[]): {
  problems: Problem[];
  duplicates: Duplicate[];
} {
  const find = createRepeatFinder();
  const unique: Problem[] = [];
  const duplicates: Duplicate[] = [];
  for (const problem of problems) {
    const repeated = find(problem);
    if (repeated === null) unique.push(problem);
    else
      duplicates.push({
        kept: problems[repeated.keptIndex]!,
        dropped: problem,
        sameAnswer: repeated.sameAnswer,
      });
  }
  return { problems: unique, duplicates };
}
