/**
 * JSON of strangers to values: an integer too large for a number stays exact as text, as it does when it comes from
 * Parquet, and nesting has a limit, because what handles the values later calls itself once a level.
 * Source: RFC 8259, section 6 (integers beyond 2^53 are not interoperable).
 */
import type { Json } from "../types.ts";

/** Levels of lists and objects; rows of problems have 4. */
export const MAX_JSON_DEPTH = 100;

/** A string, or a number that stands outside of strings. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;
const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** True when the number an integer becomes is that integer, so that writing it gives the same digits. */
function isExact(integer: string): boolean {
  const number = Number(integer);
  return Number.isSafeInteger(number) || String(number) === integer;
}

/** Parses a text. @throws {SyntaxError} when it is not JSON */
export function parseExactJson(text: string): Json {
  const value = JSON.parse(text) as Json;
  if (!LONG_DIGITS.test(text)) return value;
  return JSON.parse(
    text.replace(TOKEN, (token) => (INTEGER.test(token) && !isExact(token) ? `"${token}"` : token)),
  ) as Json;
}

/** True when a value has more levels than the limit. */
export function isTooDeep(value: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}
