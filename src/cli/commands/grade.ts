/**
 * `polaris grade`: verdicts for a file of responses, the measurement of the grader on labelled pairs, and the check
 * that a data set's golds recognise themselves. JSONL or Parquet in, JSONL or Parquet out.
 */
import { Command, Option } from "commander";
import { parquetWriteBuffer } from "hyparquet-writer";
import { writeFileAtomic } from "../../data/atomic.ts";
import { readJsonl, writeJsonl } from "../../data/jsonl.ts";
import { readParquet } from "../../data/parquet-read.ts";
import { DataError } from "../../errors.ts";
import { gradeResponse } from "../../math/grade.ts";
import { createPairCounter, type PairCounts } from "../../math/pairs.ts";
import { verify } from "../../math/verify.ts";
import { GRADER_VERSION } from "../../math/version.ts";
import type { Answer } from "../../types.ts";
import { formatTable, printable } from "../style.ts";
import { parsePairRow, parseResponseRow, type ResponseRow } from "./grade-rows.ts";

interface GradeCommandOptions {
  gold?: string;
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

/** Rows of a JSONL (also gzip) or Parquet file. */
async function* rowsOf(path: string): AsyncGenerator<{ value: unknown; where: string }> {
  if (path.endsWith(".parquet")) yield* readParquet(path);
  else yield* readJsonl(path);
}

async function readRows(path: string, columns: GradeCommandOptions): Promise<ResponseRow[]> {
  const rows: ResponseRow[] = [];
  for await (const { value, where } of rowsOf(path))
    rows.push(
      parseResponseRow(value, where, String(rows.length), {
        response: columns.responseColumn,
        gold: columns.goldColumn,
        id: columns.idColumn,
      }),
    );
  if (rows.length === 0) throw new DataError(`${path}: expected rows, got an empty file`);
  return rows;
}

/** Golds by id, or by position when no id of the responses is known and the counts agree. */
async function readGolds(
  path: string,
  rows: readonly ResponseRow[],
): Promise<(row: ResponseRow, i: number) => Answer | null> {
  const golds: { id: string; gold: Answer }[] = [];
  for await (const { value, where } of rowsOf(path)) {
    const { id, gold } = parseResponseRow(value, where, String(golds.length), {});
    if (gold === null) throw new DataError(`${where}: expected a column with the gold answer`);
    golds.push({ id, gold });
  }
  const byId = new Map(golds.map(({ id, gold }) => [id, gold]));
  if (byId.size === golds.length && rows.every((row) => byId.has(row.id)))
    return (row) => byId.get(row.id) ?? null;
  if (golds.length === rows.length) return (_, i) => (golds[i] as { gold: Answer }).gold;
  throw new DataError(
    `${path}: expected the golds of ${rows.length} rows by id or in the same order, got ${golds.length}`,
    {
      hint: "name the id column of the responses with --id-column",
    },
  );
}

function writeResults(path: string, rows: readonly GradedRow[]): void {
  if (!path.endsWith(".parquet")) {
    writeJsonl(path, rows);
    return;
  }
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "id", data: rows.map((row) => row.id), type: "STRING" },
      { name: "sample", data: rows.map((row) => row.sample), type: "INT32" },
      { name: "correct", data: rows.map((row) => row.correct), type: "BOOLEAN", nullable: true },
      { name: "answer", data: rows.map((row) => row.answer), type: "STRING", nullable: true },
      { name: "reason", data: rows.map((row) => row.reason), type: "STRING" },
      { name: "grader_version", data: rows.map((row) => row.grader_version), type: "STRING" },
    ],
  });
  writeFileAtomic(path, new Uint8Array(buffer));
}

function print(lines: readonly string[]): void {
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function gradeFile(path: string, options: GradeCommandOptions): Promise<void> {
  const rows = await readRows(path, options);
  if (rows.every((row) => row.responses === null))
    throw new DataError(`${path}: expected a column with responses`, {
      hint: "name it with --response-column, or check the golds alone with `polaris grade golds`",
    });
  const goldOf = options.gold === undefined ? null : await readGolds(options.gold, rows);
  const { mode, extract, boxes, prose } = options;
  const graded: GradedRow[] = [];
  const reasons = new Map<string, number>();
  rows.forEach((row, i) => {
    const gold = goldOf === null ? row.gold : goldOf(row, i);
    if (gold === null)
      throw new DataError(`${path}: row ${i + 1} has no gold answer`, {
        hint: "name its column with --gold-column, or a file of golds with --gold",
      });
    (row.responses ?? []).forEach((response, sample) => {
      const finishReason = row.finishReasons[sample] ?? row.finishReasons[0] ?? "stop";
      const verdict = gradeResponse(gold, response, { finishReason, mode, extract, boxes, prose });
      reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
      const { correct, answer, reason, graderVersion } = verdict;
      graded.push({ id: row.id, sample, correct, answer, reason, grader_version: graderVersion });
    });
  });
  if (options.out !== undefined) writeResults(options.out, graded);
  const correct = graded.filter((row) => row.correct === true).length;
  const failed = graded.filter((row) => row.correct === null).length;
  const counts = Object.fromEntries([...reasons].sort((a, b) => b[1] - a[1]));
  if (options.json) {
    const summary = {
      rows: rows.length,
      responses: graded.length,
      correct,
      failed,
      accuracy: correct / graded.length,
    };
    // Without an output file the verdicts are the output.
    if (options.out === undefined) print(graded.map((row) => JSON.stringify(row)));
    else print([JSON.stringify({ ...summary, reasons: counts, mode, graderVersion: GRADER_VERSION })]);
    return;
  }
  if (options.out === undefined)
    print(
      formatTable(
        graded.map((row) => [
          row.id,
          String(row.sample),
          String(row.correct),
          row.reason,
          printable(row.answer ?? "").slice(0, 60),
        ]),
        ["id", "sample", "correct", "reason", "answer"],
      ),
    );
  print([
    `${correct} of ${graded.length} responses correct (${percent(correct / graded.length)}), ${rows.length} rows, mode ${mode}, grader ${GRADER_VERSION}`,
    ...Object.entries(counts).map(([reason, count]) => `  ${reason} ${count}`),
  ]);
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

function countRow(counts: PairCounts): string[] {
  return [
    counts.name,
    String(counts.rows),
    percent(counts.accuracy),
    String(counts.falsePositives),
    String(counts.falseNegatives),
  ];
}

/** Quantile of sorted values. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function gradePairs(path: string, { json }: { json?: boolean }): Promise<void> {
  const counter = createPairCounter();
  const times: number[] = [];
  for await (const { value, where } of rowsOf(path)) {
    const pair = parsePairRow(value, where);
    const start = performance.now();
    counter.add(pair);
    times.push(performance.now() - start);
  }
  if (times.length === 0) throw new DataError(`${path}: expected labelled pairs, got an empty file`);
  const summary = counter.summary();
  times.sort((a, b) => a - b);
  const latencyMs = { median: quantile(times, 0.5), p99: quantile(times, 0.99), max: times.at(-1) as number };
  if (json) {
    print([JSON.stringify({ ...summary, latencyMs, graderVersion: GRADER_VERSION })]);
    return;
  }
  const header = ["", "rows", "accuracy", "false positives", "false negatives"];
  const totals = [summary.all, summary.withoutPolicy, summary.thirdParty].map(countRow);
  print([
    ...summary.wrong.map(
      (row) =>
        `${row.expected ? "FN" : "FP"}${row.policy ? " (policy)" : ""} ${row.kind} ${row.id}: gold ${printable(row.gold.toString()).slice(0, 80)} | ${printable(row.prediction).slice(-80)} | ${row.reason}`,
    ),
    "",
    ...formatTable(summary.byKind.map(countRow), ["kind", ...header.slice(1)]),
    "",
    ...formatTable(summary.bySource.map(countRow), ["source", ...header.slice(1)]),
    "",
    ...formatTable(totals, header),
    `latency median ${latencyMs.median.toFixed(3)} ms, p99 ${latencyMs.p99.toFixed(3)} ms; grader ${GRADER_VERSION}`,
  ]);
}

/** A gold that does not recognise itself cannot be trained on. Source: recipe.md B5. */
async function gradeGolds(paths: readonly string[], { json }: { json?: boolean }): Promise<void> {
  for (const path of paths) {
    let rows = 0;
    const refused: { id: string; gold: Answer }[] = [];
    for await (const { value, where } of rowsOf(path)) {
      const { id, gold } = parseResponseRow(value, where, String(rows), {});
      if (gold === null) throw new DataError(`${where}: expected a column with the gold answer`);
      rows++;
      const alternatives = Array.isArray(gold) ? gold : [gold];
      if (!alternatives.some((one) => verify(gold, String(one)).equal)) refused.push({ id, gold });
    }
    if (json) print([JSON.stringify({ file: path, rows, recognised: rows - refused.length, refused })]);
    else
      print([
        `${path}: ${rows - refused.length} of ${rows} golds recognise themselves`,
        ...refused.map(({ id, gold }) => `  ${id}: ${printable(String(gold)).slice(0, 100)}`),
      ]);
  }
}

export function createGradeCommand(): Command {
  const command = new Command("grade").description(
    "Grades responses against gold answers; measures the grader on labelled pairs; checks golds.",
  );
  command.addCommand(
    new Command("responses")
      .description("Grades a file of responses (the default command).")
      .argument("<file>", "JSONL (also .gz) or Parquet; own, verl or TRL columns")
      .option("--gold <file>", "JSONL or Parquet with the gold answers, by id or in the same order")
      .option("--out <file>", "write the verdicts as JSONL, or Parquet by name")
      .addOption(
        new Option("--mode <mode>", "strict, or the V1 grader bug for bug")
          .choices(["strict", "compat"])
          .default("strict"),
      )
      .addOption(
        new Option("--extract <mode>", "where the answer is looked for")
          .choices(["last_boxed", "think_close"])
          .default("last_boxed"),
      )
      .addOption(
        new Option("--boxes <policy>", "one box, or all boxes of a final enumeration")
          .choices(["last", "all"])
          .default("last"),
      )
      .option("--prose", "without a box, take the answer from prose")
      .option("--response-column <name>", "column with the response, dots for nested ones")
      .option("--gold-column <name>", "column with the gold answer, dots for nested ones")
      .option("--id-column <name>", "column with the id")
      .option("--json", "print JSON lines")
      .action(gradeFile),
    { isDefault: true },
  );
  command.addCommand(
    new Command("pairs")
      .description("Accuracy, false positives and false negatives of the grader on labelled pairs.")
      .argument("<file>", "JSONL of {id, source, kind, gold, prediction, expected, policy}")
      .option("--json", "print one JSON object")
      .action(gradePairs),
  );
  command.addCommand(
    new Command("golds")
      .description("Checks that every gold answer of a data set recognises itself.")
      .argument("<file...>", "JSONL or Parquet problems")
      .option("--json", "print JSON lines")
      .action(gradeGolds),
  );
  return command;
}
