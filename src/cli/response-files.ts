/**
 * What commands about responses are given: files of responses in any dialect, rollout stores, folders of rollouts, or
 * stages of a run, whose problems the run knows.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readProblems } from "../data/problems.ts";
import { type FileRow, readRows } from "../data/rows.ts";
import { DataError } from "../errors.ts";
import { isRolloutStore } from "../store/rollouts/folder.ts";
import { openRolloutReader } from "../store/rollouts/open.ts";
import { findRolloutParts } from "../store/rollouts/source.ts";
import type { Json, Problem } from "../types.ts";
import { readProblemsAround } from "./run-problems.ts";

export interface ResponseFiles {
  /** Files and stores. */
  files: string[];
  /** Problems given, or found beside the responses; undefined when the rows must hold them. */
  problems: Problem[] | undefined;
  /** Rows of one of `files`. */
  rows: (path: string) => AsyncGenerator<FileRow>;
}

/** The files and stores a path names. A whole run is no answer: its stages' models are not one. */
function responseFiles(path: string): string[] {
  if (!existsSync(path)) throw new DataError(`${path}: no such file or folder`);
  if (!statSync(path).isDirectory()) return [path];
  if (!isRolloutStore(path) && existsSync(join(path, "stages")))
    throw new DataError(`${path}: expected responses of one stage, got a run`, {
      hint: `name ${join(path, "stages/<stage>")} or ${join(path, "rollouts/<stage>")}; polaris rollouts ls ${path} lists them`,
    });
  return findRolloutParts([path]).map((part) => part.path);
}

/**
 * Rows of a file, or the records of a store.
 * @throws {DataError} naming file and place of what cannot be read; {StoreError} at damage of a store
 */
export async function* readResponseRows(path: string): AsyncGenerator<FileRow> {
  if (!isRolloutStore(path)) {
    yield* readRows(path);
    return;
  }
  const reader = openRolloutReader(path);
  try {
    for (const { position, rollout } of reader.read())
      yield { value: rollout as unknown as Json, where: `${path}, rollout ${position}` };
  } finally {
    reader.close();
  }
}

/**
 * Resolves the arguments of a command.
 *
 * @param problemsPath file of problems, JSONL or Parquet; by default what is found around the responses
 * @throws {DataError} when a path names nothing
 */
export async function openResponseFiles(
  paths: readonly string[],
  problemsPath?: string,
): Promise<ResponseFiles> {
  const files = paths.flatMap(responseFiles);
  if (problemsPath !== undefined)
    return { files, problems: await readProblems(problemsPath), rows: readResponseRows };
  const found = new Map<string, Problem>();
  for (const path of paths)
    for (const [id, problem] of await readProblemsAround(path)) found.set(id, problem);
  return { files, problems: found.size > 0 ? [...found.values()] : undefined, rows: readResponseRows };
}
