/**
 * One writer per file: a lock file beside it says who writes. It is never taken from a live process of this machine;
 * what a killed one left is taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../errors.ts";
import { storeError } from "./file-errors.ts";
import { isAlive, type ProcessIdentity, thisProcess } from "./process-identity.ts";

/** Who wrote the lock file; null when it is gone or cannot be read as one. */
function holderOf(path: string): ProcessIdentity | null {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity;
    return typeof value?.pid === "number" && typeof value.host === "string" ? value : null;
  } catch {
    return null;
  }
}

/**
 * Takes the lock of a file.
 * @returns a call that gives it back
 * @throws {StoreError} when a live process holds it, or the folder cannot be written
 */
export function acquireFileLock(file: string): () => void {
  const path = `${file}.lock`;
  const own = `${path}.${process.pid}`;
  for (let attempt = 0; ; attempt++) {
    try {
      mkdirSync(dirname(path), { recursive: true });
      // Linked under its name with its content: nobody finds a lock that says nothing.
      try {
        writeFileSync(own, JSON.stringify(thisProcess()));
        linkSync(own, path);
      } finally {
        rmSync(own, { force: true });
      }
      return () => rmSync(path, { force: true });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw storeError(path, cause);
      const holder = holderOf(path);
      const alive = holder === null ? false : isAlive(holder);
      if (alive !== false || attempt > 0)
        throw new StoreError(`${file} is being written by process ${holder?.pid ?? "unknown"}`, {
          hint: `wait for it, or remove ${path} when that process is gone`,
          details: { file, holder },
        });
      rmSync(path, { force: true });
    }
  }
}
