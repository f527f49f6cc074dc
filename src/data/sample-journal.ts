/**
 * The journal of responses that were paid for: one line per finished response, appended as soon as it is there, so that
 * a killed run asks for none of them again. A line is written in one piece; what a kill leaves of the last one is cut
 * off. Only places of lines are held in memory. It is working state: a finished stage turns it into rollouts.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataError, type StoreError } from "../errors.ts";
import type { Json, Rollout } from "../types.ts";
import { writeError } from "./atomic.ts";
import { jsonLine, MAX_LINE_BYTES } from "./jsonl.ts";

const VERSION = 1;
/** Files are read in pieces of this size. */
const PIECE_BYTES = 2 ** 20;

/** What is kept of one response; the rest of a rollout is known to whoever asked. */
export type JournalResponse = Pick<
  Rollout,
  "seed" | "text" | "promptTokens" | "tokens" | "logprobs" | "finishReason" | "lengthTokens"
>;

/** Which response: `prompt` is a hash of what was asked, so that an edited problem is asked again. */
export interface JournalKey {
  problemId: string;
  sample: number;
  prompt: string;
}

export interface SampleJournal {
  has(key: JournalKey): boolean;
  /** @throws {DataError} when the line has been damaged since; {RangeError} when there is none */
  read(key: JournalKey): JournalResponse;
  /** Responses that were given up and not drawn since; their state is neither right nor wrong. */
  readonly failed: number;
  /** @throws {StoreError} when the disk is full */
  append(key: JournalKey, response: JournalResponse): void;
  /** Notes that a response was given up, with the reason; it is asked for again by the next run. */
  fail(key: JournalKey, reason: string): void;
  close(): void;
}

interface Line extends JournalKey {
  failed?: string;
  response?: JournalResponse;
}

/** Bytes of one line, without its line break. */
interface LinePlace {
  start: number;
  length: number;
}

const keyText = ({ problemId, sample, prompt }: JournalKey): string =>
  JSON.stringify([problemId, sample, prompt]);

/** Places of all complete lines; bytes after the last line break belong to none. */
function* linePlaces(file: number): Generator<LinePlace> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let start = 0;
  for (let position = 0; ; ) {
    const read = readSync(file, piece, 0, PIECE_BYTES, position);
    if (read === 0) return;
    for (let i = piece.indexOf(10); i >= 0 && i < read; i = piece.indexOf(10, i + 1)) {
      yield { start, length: position + i - start };
      start = position + i + 1;
    }
    position += read;
  }
}

function readLine(file: number, { start, length }: LinePlace, where: string): Json {
  if (length > MAX_LINE_BYTES)
    throw new DataError(`${where}: expected a line of at most ${MAX_LINE_BYTES} bytes`, {
      details: { where },
    });
  const bytes = Buffer.allocUnsafe(length);
  try {
    for (let read = 0; read < length; ) {
      const more = readSync(file, bytes, read, length - read, start + read);
      if (more === 0) throw new Error("the file ends early");
      read += more;
    }
    return JSON.parse(bytes.toString("utf8")) as Json;
  } catch (cause) {
    throw new DataError(`${where}: not JSON: ${(cause as Error).message.slice(0, 120)}`, {
      cause,
      hint: "remove the journal to draw everything again",
      details: { where },
    });
  }
}

function parseLine(value: Json, where: string): Line {
  const line = value as unknown as Partial<Line> | null;
  const { response, failed } = line ?? {};
  const isKey =
    typeof line?.problemId === "string" && Number.isInteger(line.sample) && typeof line.prompt === "string";
  const isResponse =
    typeof response?.text === "string" &&
    Array.isArray(response.tokens) &&
    typeof response.finishReason === "string";
  if (!isKey || !(isResponse || typeof failed === "string"))
    throw new DataError(`${where}: expected a response of the journal`, { details: { where } });
  return line as Line;
}

/** @throws {DataError} naming the settings that differ */
function checkHeader(value: Json, where: string, settings: Record<string, Json>): void {
  const header = value as { journal?: unknown; settings?: Record<string, Json> } | null;
  if (header?.journal !== VERSION || typeof header.settings !== "object")
    throw new DataError(`${where}: expected a journal of version ${VERSION}`, { details: { where } });
  const before = header.settings;
  const differing = [...new Set([...Object.keys(before), ...Object.keys(settings)])].filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(settings[key]),
  );
  if (differing.length > 0)
    throw new DataError(`${where}: this journal was begun with another ${differing.join(", ")}`, {
      hint: "repeat the command as it was, or remove the journal to draw everything again",
      details: { before, now: settings },
    });
}

/**
 * Opens a journal, made when it is missing.
 *
 * @param settings what shapes a draw beside the prompt; a journal of other settings is refused
 * @throws {DataError} when the file is damaged before its last line, or belongs to other settings
 * @throws {StoreError} when it cannot be written
 */
export function openSampleJournal(path: string, settings: Record<string, Json>): SampleJournal {
  const places = new Map<string, LinePlace>();
  const failures = new Set<string>();
  let size = 0;
  const failedWrite = (cause: unknown): StoreError =>
    writeError(path, cause, "every response in the journal is kept");
  let file: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(path, "a+");
  } catch (cause) {
    throw failedWrite(cause);
  }
  const write = (line: unknown): LinePlace => {
    const bytes = Buffer.from(jsonLine(line), "utf8");
    try {
      // The file is open for appending: a write goes to its end, and one that was cut short is taken back.
      if (writeSync(file, bytes) !== bytes.length) {
        ftruncateSync(file, size);
        throw Object.assign(new Error("a write was cut short"), { code: "ENOSPC" });
      }
    } catch (cause) {
      throw failedWrite(cause);
    }
    const place = { start: size, length: bytes.length - 1 };
    size += bytes.length;
    return place;
  };
  try {
    let number = 0;
    for (const place of linePlaces(file)) {
      const where = `${path}:${++number}`;
      const value = readLine(file, place, where);
      size = place.start + place.length + 1;
      if (number === 1) {
        checkHeader(value, where, settings);
        continue;
      }
      const line = parseLine(value, where);
      if (line.response === undefined) failures.add(keyText(line));
      else {
        places.set(keyText(line), place);
        failures.delete(keyText(line));
      }
    }
    if (fstatSync(file).size > size) ftruncateSync(file, size);
    if (number === 0) write({ journal: VERSION, settings });
  } catch (error) {
    closeSync(file);
    throw error;
  }
  const keep = ({ problemId, sample, prompt }: JournalKey): JournalKey => ({ problemId, sample, prompt });
  return {
    has: (key) => places.has(keyText(key)),
    read(key) {
      const place = places.get(keyText(key));
      if (place === undefined) throw new RangeError(`the journal has no response ${keyText(key)}`);
      return parseLine(readLine(file, place, path), path).response as JournalResponse;
    },
    get failed() {
      return failures.size;
    },
    append(key, response) {
      places.set(keyText(key), write({ ...keep(key), response }));
      failures.delete(keyText(key));
    },
    fail(key, reason) {
      write({ ...keep(key), failed: reason });
      failures.add(keyText(key));
    },
    close: () => closeSync(file),
  };
}
