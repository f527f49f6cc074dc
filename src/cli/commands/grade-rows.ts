/**
 * Rows of responses to grade, in the columns people have:
 *   own   {problemId, text, finishReason, ...} rollouts, or {id, response, answer}
 *   verl  {prompt, response(s) | solution_str, reward_model: {ground_truth}, extra_info}
 *   trl   {prompt, completion: text or messages, answer | solution | ground_truth}
 * and rows of labelled pairs. Reads columns, judges nothing.
 */
import { DataError } from "../../errors.ts";
import type { LabelledPair } from "../../math/pairs.ts";
import type { Answer, FinishReason, Json } from "../../types.ts";

export interface GradeColumns {
  response?: string;
  gold?: string;
  id?: string;
}

export interface ResponseRow {
  id: string;
  gold: Answer | null;
  /** One or several samples of one problem; null when the row has no response column. */
  responses: string[] | null;
  finishReasons: FinishReason[];
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

/**
 * Reads one row of responses.
 * @throws {DataError} when a named column is missing or a column holds something else
 */
export function parseResponseRow(
  value: unknown,
  where: string,
  fallbackId: string,
  columns: GradeColumns,
): ResponseRow {
  const row = asRow(value, where);
  const chosen = (name: string | undefined, usual: readonly string[], what: string): Json | undefined => {
    if (name === undefined) return first(row, usual);
    const found = at(row, name);
    if (found === undefined || found === null)
      throw new DataError(
        `${where}: expected a column "${name}" with the ${what}, got ${Object.keys(row).join(", ")}`,
      );
    return found;
  };
  const gold = chosen(columns.gold, GOLD, "gold answer");
  if (gold !== undefined && !isAnswer(gold))
    throw new DataError(`${where}: expected a gold answer as text, number or a list of these`);
  const response = chosen(columns.response, RESPONSE, "response");
  let responses: string[] | null = null;
  if (response !== undefined) {
    // A list of messages is one response; a list of texts or of conversations is several.
    const several = Array.isArray(response) && !(response.length > 0 && response.every(isMessage));
    responses = several ? (response as Json[]).map((one) => textOf(one, where)) : [textOf(response, where)];
  }
  const id = chosen(columns.id, ID, "id");
  return {
    id: id === undefined ? fallbackId : String(id),
    gold: gold ?? null,
    responses,
    finishReasons: finishOf(first(row, FINISH)),
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
