/**
 * Reading answers of servers: shapes checked, numbers finite, lengths within what was asked for. A defect is a transient
 * failure: the next attempt may be whole, and no half answer becomes a response.
 */
import { z } from "zod";
import type { FinishReason } from "../../types.ts";
import type { Completion } from "../seams.ts";
import { malformed, RequestFailure } from "./failure.ts";

const isTokenIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0);

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((number) => Number.isFinite(number));

/** Token ids; checked by a plain loop, because responses have tens of thousands. */
export const tokenIdsSchema = z.custom<number[]>(isTokenIds, "expected token ids");

export const numbersSchema = z.custom<number[]>(isNumbers, "expected finite numbers");

/** A parsed answer. @throws {RequestFailure} naming the first field that is missing or has another type */
export function parseShape<Value>(schema: z.ZodType<Value>, answer: unknown): Value {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw malformed(`${issue?.path.join(".") || "an object"}: ${issue?.message ?? "another shape"}`);
}

/** The one element of a list. @throws {RequestFailure} when the server sent another number than asked for */
export function single<Value>(values: readonly Value[], what: string): Value {
  if (values.length !== 1) throw malformed(`1 ${what}, got ${values.length}`);
  return values[0] as Value;
}

/**
 * Why a response ended. `abort` and the like mean that the server gave it up: it is asked for again.
 * @throws {RequestFailure}
 */
export function finishReason(said: string | null | undefined): FinishReason {
  switch (said) {
    case "stop":
    case "eos":
    case "word":
      return "stop";
    case "length":
    case "limit":
      return "length";
    case "abort":
    case "error":
      throw new RequestFailure("transient", `the server gave the response up (finish reason ${said})`);
    case "content_filter":
    case "tool_calls":
    case "function_call":
      throw new RequestFailure("refused", `the server ended the response with ${said}`);
    default:
      throw malformed(`a known finish reason, got ${JSON.stringify(said)?.slice(0, 40)}`);
  }
}

export interface RawResponse {
  text: string;
  finish: FinishReason;
  promptTokens?: readonly number[] | null;
  tokens?: readonly number[] | null;
  /** Kept only when there is one per token. */
  logprobs?: readonly number[] | null;
  /** The server's own count of response tokens. */
  lengthTokens?: number | null;
  maxNewTokens: number;
}

/**
 * A response as the rest of Polaris knows it. One that ends for its length before the length asked for was cut by a
 * limit of the server (its context, `max_new_tokens` of its generation config): it counts as truncated nowhere, because
 * nobody asked for that limit.
 * @throws {RequestFailure} when it is longer than asked for, or was cut shorter
 */
export function toCompletion(raw: RawResponse): Completion {
  const { text, finish, maxNewTokens } = raw;
  const tokens = [...(raw.tokens ?? [])];
  const length = tokens.length > 0 ? tokens.length : (raw.lengthTokens ?? 0);
  if (length > maxNewTokens) throw malformed(`at most ${maxNewTokens} response tokens, got ${length}`);
  if (finish === "length" && length > 0 && Math.max(length, raw.lengthTokens ?? 0) < maxNewTokens)
    throw new RequestFailure(
      "refused",
      `the server cut the response at ${length} tokens, ${maxNewTokens} were asked for: its context or its own limit is shorter`,
    );
  const logprobs = raw.logprobs?.length === tokens.length ? [...raw.logprobs] : [];
  return {
    text,
    promptTokens: [...(raw.promptTokens ?? [])],
    tokens,
    logprobs,
    finishReason: finish,
    ...(tokens.length === 0 && raw.lengthTokens != null ? { lengthTokens: raw.lengthTokens } : {}),
  };
}
