/**
 * One row of a data set to a Problem, in any of the column dialects of `problem-dialects.ts`. The dialect is read off the columns of each row. Columns nobody asked for are kept in `meta`. An instruction at the
 * end of the prompt is removed: a Problem holds the question alone, and instructions are a choice of the run.
 * Source: recipe A1.6 and A10.
 */
import { DataError } from "../errors.ts";
import { stripInstructions } from "../text/prompts.ts";
import type { Answer, Json, Problem } from "../types.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "./json-text.ts";
import { promptId } from "./prompt-digest.ts";
import { RowReader } from "./row-reader.ts";
import { isObject, type Row, toJson } from "./row-values.ts";
import { workedAnswer } from "./worked-answer.ts";

/** 1 MiB of characters; the longest benchmark question has 5 thousand. */
const MAX_PROMPT_CHARACTERS = 2 ** 20;
/** A gold answer is a line, not a solution; proofs cannot be graded. */
const MAX_ANSWER_CHARACTERS = 10_000;
/** Acceptable forms of one answer; Minerva has at most 5. */
const MAX_ANSWERS = 256;

const PROMPT_COLUMNS = ["prompt", "problem", "question", "messages"] as const;
const ANSWER_COLUMNS = ["answer", "ground_truth", "gold", "final_answer", "solution", "label"] as const;
const SOURCE_COLUMNS = ["source", "data_source", "dataset"] as const;

/** Columns that hold what, where the usual names do not say it; `a.b` is field b of column a. */
export interface ProblemColumns {
  prompt?: string;
  answer?: string;
  id?: string;
  source?: string;
}

export interface ProblemRowOptions {
  /** `file:line` or `file, row n`, for errors. */
  where: string;
  /** Source of rows that name none. */
  source: string;
  columns?: ProblemColumns;
}

/** The user's message of a list of messages; a system message is returned beside it. */
function userMessage(reader: RowReader, messages: unknown[]): { content: string; system: string | null } {
  let content: string | null = null;
  let system: string | null = null;
  for (const message of messages) {
    const { role, content: text } = (message ?? {}) as Row;
    if (typeof text !== "string") throw reader.fail("prompt: expected messages with a text content");
    if (role === "system") system = text;
    else if (role === "user") {
      if (content !== null) throw reader.fail("prompt: expected one user message, got several");
      content = text;
    }
  }
  if (content === null) throw reader.fail("prompt: expected a user message");
  return { content, system };
}

/** Checks a gold answer: text, a number, or a list of them. */
function parseAnswer(reader: RowReader, value: unknown, name: string): Answer {
  if (typeof value === "bigint") return toJson(value) as number | string;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "string") {
    if (value.trim() === "") throw reader.fail(`${name}: expected an answer, got empty text`);
    if (value.length > MAX_ANSWER_CHARACTERS)
      throw reader.fail(`${name}: expected at most ${MAX_ANSWER_CHARACTERS} characters, got ${value.length}`);
    return value;
  }
  if (Array.isArray(value)) {
    if (value.length < 1 || value.length > MAX_ANSWERS)
      throw reader.fail(`${name}: expected 1..${MAX_ANSWERS} answers, got ${value.length}`);
    return value.map((item) => {
      if (Array.isArray(item)) throw reader.fail(`${name}: expected text or numbers in the list`);
      return parseAnswer(reader, item, name) as string | number;
    });
  }
  throw reader.fail(
    `${name}: expected text, a number or a list of them, got ${JSON.stringify(toJson(value)).slice(0, 40)}`,
  );
}

/** Object with `omitted` left out, or null when nothing stays. */
function without(value: unknown, omitted: string): Record<string, Json> | null {
  const rest = Object.entries(toJson(value) as Record<string, Json>).filter(([key]) => key !== omitted);
  return rest.length === 0 ? null : Object.fromEntries(rest);
}

/**
 * Reads one row in any dialect.
 *
 * @param row a parsed JSON line or a Parquet row
 * @throws {DataError} when there is no question or no usable answer, or a cap is exceeded
 */
export function parseProblemRow(row: unknown, options: ProblemRowOptions): Problem {
  const { where, columns = {} } = options;
  if (typeof row !== "object" || row === null || Array.isArray(row))
    throw new DataError(`${where}: expected an object, got ${JSON.stringify(toJson(row)).slice(0, 40)}`);
  const reader = new RowReader(row as Row, where);
  if (isTooDeep(row)) throw reader.fail(`expected at most ${MAX_JSON_DEPTH} levels of lists and objects`);
  const own = isObject((row as Row)["meta"]) ? (reader.first(["meta"])?.value as Row) : {};
  const meta: Record<string, Json> = {};

  const prompt = reader.first(columns.prompt === undefined ? PROMPT_COLUMNS : [columns.prompt]);
  if (prompt === null) throw reader.missing("question", columns.prompt, PROMPT_COLUMNS);
  const { content, system } = Array.isArray(prompt.value)
    ? userMessage(reader, prompt.value)
    : { content: prompt.value, system: null };
  if (typeof content !== "string" || content.trim() === "")
    throw reader.fail(`${prompt.name}: expected text or messages`);
  if (content.length > MAX_PROMPT_CHARACTERS)
    throw reader.fail(
      `${prompt.name}: expected at most ${MAX_PROMPT_CHARACTERS} characters, got ${content.length}`,
    );

  let answer: Answer | null = null;
  let working: string | null = null;
  const withoutWorking = (value: unknown): unknown => {
    const final = typeof value === "string" ? workedAnswer(value) : null;
    if (final !== null) working = value as string;
    return final ?? value;
  };
  const model = columns.answer === undefined ? reader.first(["reward_model"]) : null;
  if (model !== null && !isObject(model.value)) meta["reward_model"] = toJson(model.value);
  if (model !== null && isObject(model.value)) {
    const truth = model.value["ground_truth"];
    if (truth !== null && truth !== undefined)
      answer = parseAnswer(reader, withoutWorking(truth), "reward_model.ground_truth");
    const rest = without(model.value, "ground_truth");
    if (rest !== null) meta["reward_model"] = rest;
  }
  if (answer === null) {
    const column = reader.first(columns.answer === undefined ? ANSWER_COLUMNS : [columns.answer]);
    if (column === null)
      throw reader.missing("answer", columns.answer, ["reward_model.ground_truth", ...ANSWER_COLUMNS]);
    answer = parseAnswer(reader, withoutWorking(column.value), column.name);
  }

  const id = reader.first([columns.id ?? "id"])?.value;
  const source = reader.first(columns.source === undefined ? SOURCE_COLUMNS : [columns.source])?.value;
  if (system !== null) meta["system"] = system;
  const question = stripInstructions(content);
  if (question === "") throw reader.fail(`${prompt.name}: expected a question, got only an instruction`);
  const rest = reader.rest();
  if (working !== null) rest["solution"] ??= working;
  return {
    id: id === undefined || id === "" ? promptId(question) : String(id).slice(0, 200),
    prompt: question,
    answer,
    source: typeof source === "string" && source !== "" ? source : options.source,
    meta: { ...rest, ...meta, ...(toJson(own) as Record<string, Json>) },
  };
}
