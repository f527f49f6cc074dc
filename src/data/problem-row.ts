/**
 * One row of a data set to a Problem, and back, in the column dialects people have:
 *   polaris   {problem, answer, difficulty}                                        published JSONL
 *   verl      {data_source, prompt: [{role, content}], ability, reward_model: {ground_truth}, extra_info}
 *   trl       {prompt: text or messages, answer | solution | ground_truth, ...}
 *   own       {id, prompt, answer, source, meta}                                   what this project writes
 * The dialect is read off the columns of each row. Columns nobody asked for are kept in `meta`. An instruction at the
 * end of the prompt is removed: a Problem holds the question alone, and instructions are a choice of the run.
 * Source: recipe A1.6 and A10.
 */
import { hash } from "node:crypto";
import { DataError } from "../errors.ts";
import { instructQuestion, type PromptInstruction, stripInstructions } from "../text/prompts.ts";
import type { Answer, Json, Problem } from "../types.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "./json-text.ts";
import { workedAnswer } from "./worked-answer.ts";

/** Column dialects that can be written. */
export const PROBLEM_DIALECTS = ["own", "polaris", "verl", "trl"] as const;
export type ProblemDialect = (typeof PROBLEM_DIALECTS)[number];

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

type Row = Record<string, unknown>;

/** JSON form of a value read from any file: 64-bit integers become numbers where exact, otherwise text. */
function toJson(value: unknown): Json {
  if (typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object") {
    const json: Record<string, Json> = {};
    for (const key of Object.keys(value)) {
      const item = (value as Row)[key];
      if (item !== undefined) setField(json, key, toJson(item));
    }
    return json;
  }
  return value as Json;
}

/** Sets a field; one called `__proto__` too, which an assignment would not make. */
function setField(target: Record<string, Json>, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

function isObject(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Anything but printable ASCII with single spaces, which is normal as it is. */
const NOT_PLAIN = /[^ -~]| {2}/;

/** Text that is equal for two spellings of one question: instructions off, Unicode composed, spaces collapsed. */
export function normalizePrompt(prompt: string): string {
  const text = stripInstructions(prompt);
  // Looking is cheaper than normalising and replacing.
  return (NOT_PLAIN.test(text) ? text.normalize("NFC").replace(/\s+/g, " ") : text).trim();
}

/** The last question's digest: reading, deduplication and ids ask for the same one in turn. */
let lastDigest = { prompt: "", digest: "" };

/** SHA-256 of the normalised text in hexadecimal digits: equal for two spellings of one question. */
export function promptDigest(prompt: string): string {
  if (lastDigest.digest === "" || lastDigest.prompt !== prompt) {
    const digest = hash("sha256", normalizePrompt(prompt), "hex");
    lastDigest = { prompt, digest };
  }
  return lastDigest.digest;
}

/** Id of a question that brings none: the first 64 bits of its digest. */
export function promptId(prompt: string): string {
  return `p-${promptDigest(prompt).slice(0, 16)}`;
}

/** Reads one row. Keeps track of the columns used, so that the others can be kept. */
class RowReader {
  readonly #row: Row;
  readonly #where: string;
  readonly #used = new Set<string>();

  constructor(row: Row, where: string) {
    this.#row = row;
    this.#where = where;
  }

  fail(message: string, hint?: string): DataError {
    return new DataError(`${this.#where}: ${message}`, { hint, details: { where: this.#where } });
  }

  /** No column of these names: says which there are, and how to name one. */
  missing(what: "question" | "answer", named: string | undefined, usual: readonly string[]): DataError {
    const names = Object.keys(this.#row).map((name) => name.slice(0, 40));
    const there =
      names.length === 0 ? "none" : names.slice(0, 12).join(", ") + (names.length > 12 ? ", …" : "");
    const role = what === "question" ? "prompt" : "answer";
    return this.fail(
      `no ${what}: expected a column ${named ?? usual.join(", ")}, got ${there}`,
      `name it: --column ${role}=NAME on the command line, columns: {${role}: NAME} in a recipe`,
    );
  }

  #at(name: string): unknown {
    if (Object.hasOwn(this.#row, name)) return this.#row[name];
    let value: unknown = this.#row;
    for (const part of name.split(".")) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
      value = (value as Row)[part];
    }
    return value;
  }

  /** The value of the first of these columns that is there, and its name. */
  first(names: readonly string[]): { name: string; value: unknown } | null {
    for (const name of names) {
      const value = this.#at(name);
      if (value === null || value === undefined) continue;
      this.#used.add(name);
      return { name, value };
    }
    return null;
  }

  /** Columns not asked for; an empty one says nothing, and a table has every column in every row. */
  rest(): Record<string, Json> {
    const json: Record<string, Json> = {};
    for (const name of Object.keys(this.#row)) {
      const value = this.#row[name];
      if (value !== undefined && value !== null && !this.#used.has(name)) setField(json, name, toJson(value));
    }
    return json;
  }
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

/** Fields of a column that is a struct in verl; anything else becomes one, so that nothing is lost. */
function fieldsOf(value: Json | undefined): Record<string, Json> {
  if (value === undefined || value === null) return {};
  return typeof value === "object" && !Array.isArray(value) ? value : { value };
}

/** The dialect a row's columns speak; the own one where they say nothing. */
export function dialectOf(row: unknown): ProblemDialect {
  if (typeof row !== "object" || row === null) return "own";
  const has = (name: string): boolean => Object.hasOwn(row, name);
  if (has("reward_model") || (has("data_source") && has("prompt"))) return "verl";
  if (has("problem")) return "polaris";
  if (has("meta") && has("source")) return "own";
  return has("prompt") || has("messages") || has("question") ? "trl" : "own";
}

/** What a dialect's rows say beyond the problem. */
export interface ProblemRowExtras {
  /** Added to the question: training rows carry none, published benchmarks the boxed suffix. Default `plain`. */
  instruction?: PromptInstruction;
  /** `extra_info.split` of verl rows; the row's own, or `train`, when left out. */
  split?: string;
}

/**
 * One row of a data set in a dialect; `parseProblemRow` reads the question, answer, source and id back.
 *
 * @param index row number from 0, which verl logs accuracy by
 */
export function problemRow(
  problem: Problem,
  dialect: ProblemDialect,
  index: number,
  extras: ProblemRowExtras = {},
): Record<string, Json> {
  const { id, source } = problem;
  const { system, ...meta } = problem.meta;
  const prompt = instructQuestion(problem.prompt, extras.instruction ?? "plain");
  const answer = toJson(problem.answer);
  if (dialect === "own") return { id, prompt, answer, source, meta: problem.meta };
  if (dialect === "polaris") return { ...problem.meta, id, problem: prompt, answer, source };
  const messages = [{ content: prompt, role: "user" }];
  if (typeof system === "string") messages.unshift({ content: system, role: "system" });
  else if (system !== undefined) meta["system"] = system;
  if (dialect === "trl") return { ...meta, id, prompt: messages, answer, source };
  const { reward_model: model, extra_info: extra, ...columns } = meta;
  return {
    ability: "math",
    ...columns,
    id,
    data_source: source,
    prompt: messages,
    reward_model: { style: "rule", ...fieldsOf(model), ground_truth: answer },
    extra_info: {
      split: "train",
      ...fieldsOf(extra),
      ...(extras.split === undefined ? {} : { split: extras.split }),
      index,
    },
  };
}
