/**
 * JSON Lines: one JSON value per line, gzip when the name ends in `.gz`. Reading streams, so a file may be larger than
 * memory; an error names file and line. Numbers that JSON cannot hold (NaN, infinities) are refused when writing, because
 * JSON would silently turn them into null.
 * Source: jsonlines.org; RFC 8259; RFC 1952 (a gzip file may be several members after one another).
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip, gzipSync } from "node:zlib";
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";
import { appendToFile, writePiecesAtomic } from "./atomic.ts";
import { parseExactJson } from "./json-text.ts";

/** 64 MiB: a rollout of 131072 tokens with ids, log-probabilities and text has about 6 MiB. */
export const MAX_LINE_BYTES = 2 ** 26;
/** Lines are compressed in members of this size: small enough to stream, large enough to compress well. */
const MEMBER_BYTES = 2 ** 20;

/** One line of a file. */
export interface JsonlLine {
  value: Json;
  /** Counted from 1, blank lines included. */
  line: number;
  /** `file:line`, for errors. */
  where: string;
}

export interface ReadJsonlOptions {
  /** Longest line accepted, in bytes. Default 64 MiB. */
  maxLineBytes?: number;
  /** Leave out a last line that does not end in a line break and is no JSON: what a kill leaves of an append. */
  ignorePartialTail?: boolean;
  /** Integers beyond 2^53 become text instead of the nearest number: files of strangers. */
  exactIntegers?: boolean;
}

/** File contents in pieces, unpacked when the name ends in `.gz`. Errors are those of the file system and of zlib. */
export function openPieces(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 2 ** 18 });
  if (!path.endsWith(".gz")) return file;
  const unpacked = createGunzip();
  // The callback is where errors would end; they also reach the reader of `unpacked`, and both ends are closed.
  pipeline(file, unpacked, () => {});
  return unpacked;
}

/** Lines without their line breaks. `ended` is false for a last line that has none. */
async function* splitLines(
  path: string,
  maxLineBytes: number,
): AsyncGenerator<{ bytes: Buffer; line: number; ended: boolean }> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 1;
  const keep = (bytes: Buffer) => {
    pendingBytes += bytes.length;
    if (pendingBytes > maxLineBytes)
      throw new DataError(`${path}:${line}: expected a line of at most ${maxLineBytes} bytes`, {
        details: { file: path, line },
      });
    pending.push(bytes);
  };
  for await (const piece of openPieces(path)) {
    let start = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      keep(piece.subarray(start, end));
      yield { bytes: pending.length === 1 ? pending[0]! : Buffer.concat(pending), line, ended: true };
      pending = [];
      pendingBytes = 0;
      line++;
      start = end + 1;
    }
    if (start < piece.length) keep(piece.subarray(start));
  }
  if (pendingBytes > 0) yield { bytes: Buffer.concat(pending), line, ended: false };
}

/** What a file that cannot be read or unpacked means to the user; any other error as it is. */
export function readError(path: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException)?.code;
  if (typeof code !== "string" || cause instanceof DataError) return cause;
  const reason =
    code === "ENOENT"
      ? "no such file"
      : code.startsWith("Z_")
        ? `damaged or no gzip (${(cause as Error).message})`
        : `cannot be read (${code})`;
  return new DataError(`${path}: ${reason}`, { cause, details: { file: path } });
}

/**
 * Reads a file line by line; blank lines and a byte order mark are skipped.
 * @throws {DataError} when the file is missing, unreadable, no gzip, or a line is too long, not UTF-8 or not JSON
 */
export async function* readJsonl(path: string, options: ReadJsonlOptions = {}): AsyncGenerator<JsonlLine> {
  const { maxLineBytes = MAX_LINE_BYTES, ignorePartialTail = false, exactIntegers = false } = options;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const { bytes, line, ended } of splitLines(path, maxLineBytes)) {
      const where = `${path}:${line}`;
      let value: Json;
      try {
        const text = decoder.decode(bytes).trim();
        if (text === "") continue;
        value = exactIntegers ? parseExactJson(text) : (JSON.parse(text) as Json);
      } catch (cause) {
        if (ignorePartialTail && !ended) return;
        const reason =
          cause instanceof SyntaxError ? `not JSON: ${cause.message.slice(0, 120)}` : "not UTF-8";
        throw new DataError(`${where}: ${reason}`, { cause, details: { file: path, line } });
      }
      yield { value, line, where };
    }
  } catch (cause) {
    throw readError(path, cause);
  }
}

/** JSON.stringify replacer: a number JSON cannot hold is an error, not null. */
function refuseNonFinite(key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`JSON line: ${key}: expected a finite number, got ${value}`);
  return value;
}

/** One line with its line break. @throws {TypeError} for a value JSON cannot hold */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value, refuseNonFinite);
  if (text === undefined) throw new TypeError(`JSON line: expected a JSON value, got ${typeof value}`);
  return `${text}\n`;
}

/** Lines gathered into pieces of about a mebibyte, each a gzip member when `compress`. */
function* encodePieces(rows: Iterable<unknown>, compress: boolean): Iterable<Uint8Array> {
  let lines: string[] = [];
  let length = 0;
  const flush = (): Uint8Array => {
    const bytes = Buffer.from(lines.join(""), "utf8");
    lines = [];
    length = 0;
    return compress ? gzipSync(bytes) : bytes;
  };
  let pieces = 0;
  for (const row of rows) {
    const line = jsonLine(row);
    lines.push(line);
    length += line.length;
    if (length < MEMBER_BYTES) continue;
    pieces++;
    yield flush();
  }
  // An empty gzip file is not valid gzip: it needs one member.
  if (lines.length > 0 || pieces === 0) yield flush();
}

/**
 * Writes a file of one line per row, complete or absent. Equal rows give equal bytes.
 * @throws {StoreError} when it cannot be written; {TypeError} for a value JSON cannot hold
 */
export function writeJsonl(path: string, rows: Iterable<unknown>): void {
  writePiecesAtomic(path, encodePieces(rows, path.endsWith(".gz")));
}

/**
 * Adds rows to the end of a file, made when it is missing.
 * @throws {StoreError} when it cannot be written; {TypeError} for a value JSON cannot hold
 */
export function appendJsonl(path: string, rows: Iterable<unknown>): void {
  for (const piece of encodePieces(rows, path.endsWith(".gz")))
    if (piece.length > 0) appendToFile(path, piece);
}
