/**
 * `polaris grade <rollouts>`: a verdict for every response of a file, a store or a stage. Streams: what stays in memory is
 * the golds and, where no output file takes them, the lines of the table.
 */
import type { ParquetSchema } from "../../data/parquet-schema.ts";
import { createProblemIndex } from "../../data/rollout-problem.ts";
import { openRowFile } from "../../data/row-file.ts";
import { readRows } from "../../data/rows.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { gradeResponse } from "../../math/grade.ts";
import { GRADER_VERSION } from "../../math/version.ts";
import type { Answer } from "../../types.ts";
import { openResponseFiles } from "../response-files.ts";
import { formatTable, printable } from "../style.ts";
import { type GradeColumns, parseGoldRow, parseResponseRow, type ResponseRow } from "./grade-rows.ts";

export interface GradeResponsesOptions {
  gold?: string;
  problems?: string;
  out?: string;
  mode: "strict" | "compat";
  extract: "last_boxed" | "think_close";
  boxes: "last" | "all";
  prose?: boolean;
  responseColumn?: string;
  goldColumn?: string;
  idColumn?: string;
  json?: boolean;
}

/** One graded response. */
interface GradedRow {
  id: string;
  sample: number;
  correct: boolean | null;
  answer: string | null;
  reason: string;
  grader_version: string;
}

const SCHEMA: ParquetSchema = {
  id: "string",
  sample: "int64",
  correct: "boolean",
  answer: "string",
  reason: "string",
  grader_version: "string",
};

export function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

export const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

/** The gold answer of the i-th row, null when there is none. */
type FindGold = (row: ResponseRow, i: number) => Answer | null;

/** Golds of a file by id, or by position when an id of the responses is unknown and the counts agree. */
async function readGolds(path: string, rows: () => AsyncIterable<ResponseRow>): Promise<FindGold> {
  const golds: { id: string; gold: Answer }[] = [];
  for await (const { value, where } of readRows(path)) {
    const { id, gold } = parseGoldRow(value, where, String(golds.length));
    if (gold === null) throw new DataError(`${where}: expected a column with the gold answer`);
    golds.push({ id, gold });
  }
  const byId = new Map(golds.map(({ id, gold }) => [id, gold]));
  let count = 0;
  let known = byId.size === golds.length;
  for await (const row of rows()) {
    count++;
    known &&= byId.has(row.id);
  }
  if (known) return (row) => byId.get(row.id) ?? null;
  if (golds.length === count) return (_, i) => (golds[i] as { gold: Answer }).gold;
  throw new DataError(
    `${path}: expected the golds of ${count} rows by id or in the same order, got ${golds.length}`,
    { hint: "name the id column of the responses with --id-column" },
  );
}

/** The answers of rows that hold them, and of the problems that are known for those that do not. */
function ownGolds(problems: Parameters<typeof createProblemIndex>[0]): FindGold {
  const index = problems === undefined ? null : createProblemIndex(problems);
  return ({ gold, problem }) => {
    if (gold !== null || index === null) return gold;
    // Only the problem counts here; what else a row holds decides nothing.
    const found = index.resolve(
      { dialect: "", problem, responses: [], stage: null, step: null, policyVersion: null },
      "",
    );
    return found?.answer ?? null;
  };
}

/** What was graded. */
interface Counts {
  rows: number;
  responses: number;
  correct: number;
  failed: number;
  reasons: Map<string, number>;
}

function graded(
  row: ResponseRow,
  gold: Answer,
  { mode, extract, boxes, prose }: GradeResponsesOptions,
): GradedRow[] {
  return row.responses.map(({ sample, text, finishReason }) => {
    const verdict = gradeResponse(gold, text, { finishReason, mode, extract, boxes, prose });
    const { correct, answer, reason, graderVersion } = verdict;
    return { id: row.id, sample, correct, answer, reason, grader_version: graderVersion };
  });
}

function count(counts: Counts, { correct, reason }: GradedRow): void {
  counts.responses++;
  if (correct === true) counts.correct++;
  if (correct === null) counts.failed++;
  counts.reasons.set(reason, (counts.reasons.get(reason) ?? 0) + 1);
}

/** @throws {DataError} when rows cannot be read, have no responses, or no gold answer is known */
export async function gradeResponses(path: string, options: GradeResponsesOptions): Promise<void> {
  if (options.gold !== undefined && options.problems !== undefined)
    throw new ConfigError("expected one of --gold and --problems");
  const columns: GradeColumns = {
    response: options.responseColumn,
    gold: options.goldColumn,
    id: options.idColumn,
  };
  const input = await openResponseFiles([path], options.problems);
  const rows = async function* (): AsyncGenerator<ResponseRow> {
    let i = 0;
    for (const file of input.files)
      for await (const { value, where } of input.rows(file))
        yield parseResponseRow(value, where, String(i++), columns);
  };
  const goldOf = options.gold === undefined ? ownGolds(input.problems) : await readGolds(options.gold, rows);
  const counts: Counts = { rows: 0, responses: 0, correct: 0, failed: 0, reasons: new Map() };
  const file = options.out === undefined ? null : openRowFile(options.out, SCHEMA);
  const table: string[][] = [];
  try {
    for await (const row of rows()) {
      const gold = goldOf(row, counts.rows++);
      if (gold === null)
        throw new DataError(`${path}: row ${counts.rows} has no gold answer`, {
          hint: "name its column with --gold-column, the problems with --problems, or a file of golds with --gold",
        });
      for (const one of graded(row, gold, options)) {
        count(counts, one);
        if (file !== null) file.write({ ...one });
        // Without an output file the verdicts are the output.
        else if (options.json) print([JSON.stringify(one)]);
        else
          table.push([
            one.id,
            String(one.sample),
            String(one.correct),
            one.reason,
            printable(one.answer ?? "").slice(0, 60),
          ]);
      }
    }
    if (counts.rows === 0) throw new DataError(`${path}: expected rows, got an empty file`);
    if (counts.responses === 0)
      throw new DataError(`${path}: expected a column with responses`, {
        hint: "name it with --response-column, or check the golds alone with `polaris grade golds`",
      });
    file?.close();
  } finally {
    file?.discard();
  }
  printSummary(counts, table, options);
}

function printSummary(counts: Counts, table: readonly string[][], options: GradeResponsesOptions): void {
  const { rows, responses, correct, failed } = counts;
  const { mode, json, out } = options;
  const reasons = [...counts.reasons].sort((a, b) => b[1] - a[1]);
  const accuracy = correct / responses;
  if (json) {
    const summary = { rows, responses, correct, failed, accuracy, reasons: Object.fromEntries(reasons) };
    if (out !== undefined) print([JSON.stringify({ ...summary, mode, graderVersion: GRADER_VERSION })]);
    return;
  }
  if (out === undefined) print(formatTable(table, ["id", "sample", "correct", "reason", "answer"]));
  print([
    `${correct} of ${responses} responses correct (${percent(accuracy)}), ${rows} rows, mode ${mode}, grader ${GRADER_VERSION}`,
    ...reasons.map(([reason, times]) => `  ${reason} ${times}`),
  ]);
}
