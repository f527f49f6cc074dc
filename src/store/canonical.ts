/** Content keys: a canonical text of a JSON value, its SHA-256, and the SHA-256 of files and folders on disk. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import type { Json } from "../types.ts";

/** Files in a referenced folder: a sharded checkpoint has a few hundred; more means the wrong folder was named. */
const MAX_FILES = 10_000;

/**
 * JSON with sorted keys, so that equal values have equal texts whatever the order they were written in.
 * @throws {TypeError} on NaN and infinities, which JSON cannot tell apart
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      throw new TypeError(`canonical JSON: expected a finite number, got ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(",")}]`;
  if (typeof value === "object") {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(",")}}`;
  }
  throw new TypeError(`canonical JSON: expected a JSON value, got ${typeof value}`);
}

/** SHA-256 of the canonical text, in hexadecimal. */
export function contentKey(value: Record<string, unknown> | Json): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Relative paths of every file below a folder, sorted; links are followed for files only, so no loop is possible. */
async function listFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  const walk = async (relative: string): Promise<void> => {
    for (const name of (await readdir(join(folder, relative))).sort()) {
      const path = relative === "" ? name : `${relative}/${name}`;
      const entry = await lstat(join(folder, path));
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await stat(join(folder, path))).isFile()))
        files.push(path);
      if (files.length > MAX_FILES)
        throw new DataError(`${folder}: expected at most ${MAX_FILES} files, got more`);
    }
  };
  await walk("");
  return files;
}

/**
 * SHA-256 of a file's bytes, or of a folder's relative file names and bytes. Reads everything; about 0.5 GB/s.
 * @throws {DataError} when the path cannot be read
 */
export async function hashPath(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return await hashFile(path);
    const hashes: [string, string][] = [];
    for (const name of await listFiles(path)) hashes.push([name, await hashFile(join(path, name))]);
    return contentKey(hashes);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT"
        ? "no such file or folder"
        : String((cause as Error).message);
    throw new DataError(`cannot read ${path}: ${reason}`, { cause, details: { path } });
  }
}
