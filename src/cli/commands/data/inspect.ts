/**
 * `polaris data inspect`: what a file of problems holds: columns and their types, lengths, kinds of answers, sources,
 * repeated and contradicting questions, and what the grader cannot verify. One pass, bounded memory.
 */
import { Command } from "commander";
import { isTooDeep } from "../../../data/json-text.ts";
import { createSchemaInference } from "../../../data/parquet-infer.ts";
import type { ParquetColumn } from "../../../data/parquet-schema.ts";
import { dialectOf } from "../../../data/problem-dialects.ts";
import { createRepeatFinder } from "../../../data/problems.ts";
import { readRows } from "../../../data/rows.ts";
import { DataError } from "../../../errors.ts";
import { isVerifiable } from "../../../recipe/builders/problem-selection.ts";
import { createPromptMeasure } from "../../../text/prompt-length.ts";
import type { Problem } from "../../../types.ts";
import { formatTable, printable } from "../../style.ts";
import { modelFolder } from "./convert.ts";
import {
  addInputOptions,
  openProblemInput,
  PROBLEMS_ARGUMENT,
  type ProblemInput,
  type ProblemInputOptions,
} from "./problem-input.ts";

interface InspectOptions extends ProblemInputOptions {
  model?: string;
  grade: boolean;
  json?: boolean;
}

/** Sources listed; a collection of collections has a few dozen. */
const MAX_SOURCES = 20;
/** Rows whose columns are looked at. */
const SCHEMA_ROWS = 10_000;

/** A type as a person writes it. */
function typeText(column: ParquetColumn): string {
  if (typeof column === "string") return column === "json" ? "mixed" : column;
  if ("list" in column) return `list<${typeText(column.list)}>`;
  const fields = Object.entries(column.struct).map(([name, field]) => `${name}: ${typeText(field)}`);
  return `{${fields.join(", ")}}`;
}

async function columnsOf(files: readonly string[]): Promise<Record<string, string>> {
  const inference = createSchemaInference();
  let rows = 0;
  for (const file of files)
    for await (const { value } of readRows(file)) {
      if (rows++ >= SCHEMA_ROWS) break;
      const isRow = typeof value === "object" && value !== null && !Array.isArray(value);
      if (isRow && !isTooDeep(value)) inference.add(value);
    }
  return Object.fromEntries(Object.entries(inference.schema()).map(([name, type]) => [name, typeText(type)]));
}

/** Least, middle, 99 of 100, most. */
function percentiles(values: number[]): { least: number; median: number; p99: number; most: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { least: at(0), median: at(0.5), p99: at(0.99), most: at(1) };
}

function answerKind({ answer }: Problem): string {
  if (!Array.isArray(answer)) return typeof answer === "string" ? "text" : "number";
  return answer.length === 1 ? "list of one" : "list of several";
}

async function measureProblems(input: ProblemInput, options: InspectOptions) {
  const measure =
    options.model === undefined
      ? null
      : createPromptMeasure(modelFolder(options.model), { instruction: "plain", position: "after_suffix" });
  const characters: number[] = [];
  const tokens: number[] = [];
  const sources = new Map<string, number>();
  const answers = new Map<string, number>();
  const find = createRepeatFinder();
  const counts = { problems: 0, invalid: 0, repeated: 0, contradicting: 0, notVerifiable: 0 };
  let firstInvalid: DataError | null = null;
  const onInvalid = (error: DataError): void => {
    counts.invalid++;
    firstInvalid ??= error;
  };
  for await (const problem of input.stream(onInvalid)) {
    counts.problems++;
    characters.push(problem.prompt.length);
    if (measure !== null) tokens.push(measure.tokens(problem.prompt));
    sources.set(problem.source, (sources.get(problem.source) ?? 0) + 1);
    answers.set(answerKind(problem), (answers.get(answerKind(problem)) ?? 0) + 1);
    const repeated = find(problem);
    if (repeated !== null) counts.repeated++;
    if (repeated !== null && !repeated.sameAnswer) counts.contradicting++;
    if (options.grade && !isVerifiable(problem)) counts.notVerifiable++;
  }
  const most = [...sources].sort(([, a], [, b]) => b - a);
  return {
    ...counts,
    firstInvalid: (firstInvalid as DataError | null)?.message ?? null,
    hint: (firstInvalid as DataError | null)?.hint ?? null,
    characters: percentiles(characters),
    tokens: measure === null ? null : percentiles(tokens),
    answers: Object.fromEntries(answers),
    sources: Object.fromEntries(most.slice(0, MAX_SOURCES)),
    moreSources: Math.max(0, most.length - MAX_SOURCES),
  };
}

async function inspect(paths: string[], options: InspectOptions): Promise<void> {
  const input = await openProblemInput(paths, { ...options, skipInvalid: true });
  const dialect = dialectOf(await input.firstRow());
  const columns = await columnsOf(input.files);
  const found = await measureProblems(input, options);
  if (found.problems === 0 && found.invalid === 0)
    throw new DataError(`${input.files.join(", ")}: expected problems, got an empty file`);
  if (options.json) {
    const { hint: _, ...numbers } = found;
    process.stdout.write(`${JSON.stringify({ dialect, columns, commits: input.commits, ...numbers })}\n`);
    return;
  }
  const table = formatTable(Object.entries(columns), ["column", "type"]);
  if (found.problems === 0) {
    if (Object.keys(columns).length > 0) process.stdout.write(`${table.map(printable).join("\n")}\n\n`);
    throw new DataError(`no row is a problem; ${found.invalid} are not, the first: ${found.firstInvalid}`, {
      hint: found.hint ?? undefined,
    });
  }
  const { characters: c, tokens: t } = found;
  const list = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name === "" ? "(none)" : name} ${count}`)
      .join(", ");
  const lines = [
    `${found.problems} problems, ${dialect} columns`,
    "",
    ...table,
    "",
    `question     ${c.least} to ${c.most} characters, median ${c.median}, 99% up to ${c.p99}`,
    ...(t === null
      ? []
      : [`prompt       ${t.least} to ${t.most} tokens, median ${t.median}, 99% up to ${t.p99}`]),
    `answers      ${list(found.answers)}`,
    `sources      ${list(found.sources)}${found.moreSources > 0 ? ` and ${found.moreSources} more` : ""}`,
    `repeated     ${found.repeated}, of which ${found.contradicting} with another answer`,
    ...(options.grade
      ? [`unverifiable ${found.notVerifiable} whose own answer the grader does not accept`]
      : []),
    ...(found.invalid > 0 ? [`invalid      ${found.invalid} rows, the first: ${found.firstInvalid}`] : []),
    ...input.commits.map(({ name, revision, commit }) => `${name} at ${revision}: commit ${commit}`),
  ];
  process.stdout.write(`${lines.map(printable).join("\n")}\n`);
}

export function createInspectCommand(): Command {
  const command = new Command("inspect")
    .description("Shows what a file of problems holds: columns, lengths, answers, sources, repeats.")
    .argument("<problems...>", PROBLEMS_ARGUMENT)
    .option("--model <folder>", "also count tokens of the prompts: builtin:<name> or a checkpoint folder")
    .option(
      "--no-grade",
      "do not ask the grader whether it accepts each answer, which takes most of the time",
    )
    .option("--json", "print the result as JSON");
  return addInputOptions(command).action(inspect);
}
