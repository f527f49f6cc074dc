/**
 * A file that is one JSON array, element by element: data sets come as `.json` files of hundreds of megabytes that no
 * parser should hold at once. Elements are found by counting brackets outside of strings and parsed one at a time.
 * Source: RFC 8259.
 */
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";
import { parseExactJson } from "./json-text.ts";
import { MAX_LINE_BYTES, openPieces, readError } from "./jsonl.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d;
const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** One element. */
export interface JsonElement {
  value: Json;
  /** Counted from 1. */
  element: number;
  /** `file, element n`, for errors. */
  where: string;
}

/** True when the file's first character, after spaces and a byte order mark, opens an array. */
export async function isJsonArray(path: string): Promise<boolean> {
  try {
    for await (const piece of openPieces(path))
      for (const byte of piece)
        if (!isSpace(byte) && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) return byte === 0x5b;
  } catch (cause) {
    throw readError(path, cause);
  }
  return false;
}

/**
 * Reads the elements in order; unpacks a file whose name ends in `.gz`.
 * @throws {DataError} when the file is missing, unreadable, no array, does not end, or an element is too long (64 MiB)
 * or not JSON
 */
export async function* readJsonArray(path: string): AsyncGenerator<JsonElement> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let element = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  /** Pieces of the element in hand. */
  let held: Buffer[] = [];
  let heldBytes = 0;
  const fail = (problem: string, cause?: unknown): DataError =>
    new DataError(`${path}, element ${element + 1}: ${problem}`, { cause, details: { file: path } });
  const hold = (bytes: Buffer): void => {
    heldBytes += bytes.length;
    if (heldBytes > MAX_LINE_BYTES) throw fail(`expected at most ${MAX_LINE_BYTES} bytes`);
    if (bytes.length > 0) held.push(bytes);
  };
  const finish = (): JsonElement | null => {
    let value: Json;
    try {
      const text = decoder.decode(Buffer.concat(held)).trim();
      held = [];
      heldBytes = 0;
      if (text === "") return null;
      value = parseExactJson(text);
    } catch (cause) {
      throw fail(
        cause instanceof SyntaxError ? `not JSON: ${cause.message.slice(0, 120)}` : "not UTF-8",
        cause,
      );
    }
    element++;
    return { value, element, where: `${path}, element ${element}` };
  };
  try {
    for await (const piece of openPieces(path)) {
      let start = 0;
      for (let i = 0; i < piece.length; i++) {
        const byte = piece[i]!;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else if (byte === QUOTE) inString = true;
        else if (isOpening(byte)) {
          if (depth++ === 0) start = i + 1;
        } else if (isClosing(byte) || byte === COMMA) {
          if (byte !== COMMA) depth--;
          if (depth < (byte === COMMA ? 1 : 0)) throw fail("not JSON: a bracket too many");
          if (depth !== (byte === COMMA ? 1 : 0)) continue;
          hold(piece.subarray(start, i));
          start = i + 1;
          const found = finish();
          if (found !== null) yield found;
          else if (byte === COMMA) throw fail("not JSON: expected an element before the comma");
          if (depth === 0) return;
        }
      }
      if (depth > 0) hold(piece.subarray(start));
    }
  } catch (cause) {
    throw readError(path, cause);
  }
  throw fail("the file ends within the array");
}
