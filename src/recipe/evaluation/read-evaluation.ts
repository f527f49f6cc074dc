/** Reads an evaluation file from anywhere: checked, capped, with one clear line for what is wrong. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DataError } from "../../errors.ts";
import type { EvaluationFile } from "./evaluation-file.ts";
import { evaluationShape } from "./evaluation-shape.ts";

/** 256 MiB hold some million problems; more would be read into memory for a table. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

/**
 * The evaluation file a path names: itself, or the only one of a run folder.
 * @throws {DataError} when the folder has none or several
 */
export function evaluationPath(path: string): string {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) return path;
  const folder = basename(resolve(path)) === "evaluations" ? path : join(path, "evaluations");
  const names = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder).filter((name) => name.endsWith(".json"))
    : [];
  if (names.length === 1) return join(folder, names[0] as string);
  throw new DataError(
    `${path}: expected a run folder with one evaluation, got ${names.length === 0 ? "none" : names.sort().slice(0, 20).join(", ")}`,
    {
      hint:
        names.length === 0
          ? "polaris evaluate and evaluate stages write evaluations/<id>.json"
          : `name one of them, for example ${join(folder, names[0] as string)}`,
    },
  );
}

/** What to call the evaluation of a file beside another one: its run, or the file's own name. */
export function evaluationLabel(path: string): string {
  const full = resolve(path);
  const folder = dirname(full);
  return basename(folder) === "evaluations" ? basename(dirname(folder)) : basename(full, ".json");
}

/**
 * Reads and checks a result file.
 * @throws {DataError} when it is missing, too large, no JSON, or no evaluation; names the first wrong field
 */
export function readEvaluation(path: string): EvaluationFile {
  const fail = (message: string, cause?: unknown): DataError =>
    new DataError(`${path}: ${message}`, {
      cause,
      hint: "name a file that polaris evaluate or an evaluate stage wrote, evaluations/<id>.json in a run folder",
    });
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES)
      throw fail(`expected an evaluation of at most ${MAX_FILE_BYTES} bytes, got ${size}`);
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw fail(code === "ENOENT" ? "no such file" : `cannot be read (${code ?? "unknown error"})`, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail("expected an evaluation file, got no complete JSON", cause);
  }
  const result = evaluationShape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw fail(
    `expected an evaluation file: ${issue?.path.join(".") || "top level"}: ${issue?.message ?? "wrong shape"}`,
  );
}
