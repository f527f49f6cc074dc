/**
 * Rows to grade: responses in any dialect (data/rollout-row.ts) or in columns that are named, golds, and labelled pairs.
 * Reads columns, judges nothing.
 */
import { parseRolloutRow, type RowProblem } from "../../data/rollout-row.ts";
import { DataError } from "../../errors.ts";
import type { LabelledPair } from "../../math/pairs.ts";
import type { Answer, FinishReason, Json } from "../../types.ts";

export interface GradeColumns {
  response?: string;
  gold?: string;
  id?: string;
}

/** A response to grade. */
export interface GradeResponse {
  /** Number the row gives it, otherwise its place in the row. */
  sample: number;
  text: string;
  finishReason: FinishReason;
}

export interface ResponseRow {
  id: string;
  gold: Answer | null;
  /** What the row says of its problem. */
  problem: RowProblem;
  /** One or several samples of one problem. */
  responses: GradeResponse[];
}

type Row = Record<string, Json>;

const RESPONSE = [
  "response",
  "responses",
  "completion",
  "completions",
  "output",
  "outputs",
  "solution_str",
  "text",
  "prediction",
  "generated_text",
] as const;
const GOLD = [
  "gold",
  "answer",
  "ground_truth",
  "reward_model.ground_truth",
  "final_answer",
  "label",
  "solution",
] as const;
const ID = ["id", "problemId", "problem_id", "uid", "extra_info.id", "extra_info.index", "index"] as const;
const FINISH = ["finishReason", "finish_reason", "stop_reason"] as const;

/** Value at `a.b.c`. */
function at(row: Row, path: string): Json | undefined {
  if (Object.hasOwn(row, path)) return row[path];
  let value: Json | undefined = row;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, part))
      return undefined;
    value = value[part];
  }
  return value;
}

function first(row: Row, names: readonly string[]): Json | undefined {
  for (const name of names) {
    const value = at(row, name);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** Text of a response: itself, or the assistant's messages of a conversation. */
function textOf(value: Json, where: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) {
    const parts = value.map((message) => {
      const { role, content } = (message ?? {}) as Row;
      if (typeof content !== "string")
        throw new DataError(`${where}: expected a response as text or messages`);
      return role === undefined || role === "assistant" ? content : "";
    });
    return parts.join("");
  }
  throw new DataError(
    `${where}: expected a response as text or messages, got ${JSON.stringify(value).slice(0, 60)}`,
  );
}

function isMessage(value: Json): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && "content" in value;
}

function isAnswer(value: Json): value is string | number | (string | number)[] {
  if (typeof value === "string" || typeof value === "number") return true;
  return Array.isArray(value) && value.every((item) => typeof item === "string" || typeof item === "number");
}

function finishOf(value: Json | undefined): FinishReason[] {
  const values = Array.isArray(value) ? value : [value];
  return values.map((one) =>
    one === "length" || one === "max_tokens"
      ? "length"
      : one === "cancelled" || one === "abort"
        ? "cancelled"
        : "stop",
  );
}

function asRow(value: unknown, where: string): Row {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new DataError(`${where}: expected an object`);
  return value as Row;
}

/** A gold answer as the row has it. @throws {DataError} when it is something else */
function goldOf(value: Json | undefined, where: string): Answer | null {
  if (value === undefined || value === null) return null;
  if (isAnswer(value)) return value;
  throw new DataError(`${where}: expected a gold answer as text, number or a list of these`);
}

/** Value of a named column, or of the first usual one. @throws {DataError} when the named one is missing */
function columnOf(
  row: Row,
  { name, usual, what, where }: { name?: string; usual: readonly string[]; what: string; where: string },
): Json | undefined {
  if (name === undefined) return first(row, usual);
  const found = at(row, name);
  if (found !== undefined && found !== null) return found;
  throw new DataError(
    `${where}: expected a column "${name}" with the ${what}, got ${Object.keys(row).join(", ")}`,
  );
}

/**
 * Reads the gold answer of a row and the id it goes by.
 * @throws {DataError} when a named column is missing or holds something else
 */
export function parseGoldRow(
  value: unknown,
  where: string,
  fallbackId: string,
  columns: Pick<GradeColumns, "gold" | "id"> = {},
): { id: string; gold: Answer | null } {
  const row = asRow(value, where);
  const gold = goldOf(columnOf(row, { name: columns.gold, usual: GOLD, what: "gold answer", where }), where);
  const id = columnOf(row, { name: columns.id, usual: ID, what: "id", where });
  return { id: id === undefined ? fallbackId : String(id), gold };
}

/** Responses in the columns that are named, and in the usual ones where none is. */
function namedResponses(row: Row, where: string, name: string | undefined): GradeResponse[] {
  const response = columnOf(row, { name, usual: RESPONSE, what: "response", where });
  if (response === undefined) return [];
  // A list of messages is one response; a list of texts or of conversations is several.
  const several = Array.isArray(response) && !(response.length > 0 && response.every(isMessage));
  const texts = several ? (response as Json[]).map((one) => textOf(one, where)) : [textOf(response, where)];
  const reasons = finishOf(first(row, FINISH));
  return texts.map((text, sample) => ({
    sample,
    text,
    finishReason: reasons[sample] ?? reasons[0] ?? "stop",
  }));
}

/**
 * Reads one row of responses: in any dialect, or by the columns that are named.
 * @throws {DataError} when no dialect fits, a named column is missing, or a column holds something else
 */
export function parseResponseRow(
  value: unknown,
  where: string,
  fallbackId: string,
  columns: GradeColumns,
): ResponseRow {
  const row = asRow(value, where);
  if (Object.values(columns).some((name) => name !== undefined)) {
    const { id, gold } = parseGoldRow(row, where, fallbackId, columns);
    const problem = {
      id: { value: id, surely: true },
      question: null,
      answer: null,
      source: null,
      index: null,
    };
    return { id, gold, problem, responses: namedResponses(row, where, columns.response) };
  }
  const { problem, responses } = parseRolloutRow(row, where);
  const usual = columnOf(row, { usual: ID, what: "id", where });
  return {
    id: problem.id?.value ?? (usual === undefined ? (problem.index ?? fallbackId) : String(usual)),
    gold: goldOf(problem.answer ?? first(row, GOLD), where),
    problem,
    responses: responses.map(({ text, sample, finishReason }, i) => ({
      sample: sample ?? i,
      text,
      finishReason: finishReason ?? "stop",
    })),
  };
}

/**
 * Reads one labelled pair.
 * @throws {DataError} when gold, prediction or expected is missing
 */
export function parsePairRow(value: unknown, where: string): LabelledPair {
  const row = asRow(value, where);
  const { gold, prediction, expected } = row;
  if (gold === undefined || gold === null || !isAnswer(gold))
    throw new DataError(`${where}: gold: expected text, a number or a list of these`);
  if (typeof prediction !== "string") throw new DataError(`${where}: prediction: expected text`);
  if (typeof expected !== "boolean") throw new DataError(`${where}: expected: expected true or false`);
  const text = (name: string, otherwise: string): string => {
    const found = row[name];
    return typeof found === "string" && found !== "" ? found : otherwise;
  };
  return {
    id: text("id", where),
    source: text("source", "unknown"),
    kind: text("kind", "unknown"),
    gold,
    prediction,
    expected,
    policy: row["policy"] === true,
  };
}
