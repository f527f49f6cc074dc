/** Reads whole JSON files, capped; every failure is one error naming the file. */
import { readFileSync, statSync } from "node:fs";
import { CheckpointError, DataError } from "../errors.ts";

/** 64 MB: the largest published tokenizer.json files have 35 MB, indexes of sharded checkpoints less. */
const MAX_BYTES = 64_000_000;

export interface ReadJsonOptions {
  /** Category of the error: "checkpoint" for files of a checkpoint folder, otherwise "data". */
  kind?: "data" | "checkpoint";
  /** The next thing to do when the file is missing. */
  hint?: string;
  maxBytes?: number;
}

/**
 * Reads and parses a JSON file.
 * @throws {DataError | CheckpointError} when it is missing, unreadable, larger than `maxBytes` (64 MB), or not JSON
 */
export function readJsonFile(path: string, options: ReadJsonOptions = {}): unknown {
  const { maxBytes = MAX_BYTES, hint } = options;
  const fail = (message: string, cause?: unknown): DataError | CheckpointError =>
    new (options.kind === "checkpoint" ? CheckpointError : DataError)(`${path}: ${message}`, {
      cause,
      hint,
      details: { file: path },
    });
  let size: number;
  let text: string;
  try {
    size = statSync(path).size;
    text = size > maxBytes ? "" : readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw fail(code === "ENOENT" || code === "ENOTDIR" ? "no such file" : `cannot be read (${code})`, cause);
  }
  if (size > maxBytes) throw fail(`expected at most ${maxBytes} bytes, got ${size}`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail(`not JSON: ${(cause as Error).message.slice(0, 120)}`, cause);
  }
}
