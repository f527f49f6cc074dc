/**
 * Atomic writes: a file or folder is complete under its final name, or absent. The partial name is beside the final one,
 * so the rename never crosses a file system.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../errors.ts";

const REASONS: Record<string, string> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "disk quota exceeded",
  EFBIG: "larger than a file may be here",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "permission denied",
  ENOTDIR: "a file is in the way of a folder",
  EEXIST: "a file is in the way of a folder",
};

/**
 * What a failed write means to the user, in one line.
 * @param kept said of a full disk: what is safe
 */
export function writeError(path: string, cause: unknown, kept = "nothing half written was kept"): StoreError {
  const code = (cause as NodeJS.ErrnoException)?.code ?? "";
  const reason = REASONS[code] ?? String((cause as Error)?.message ?? cause);
  const hint =
    code === "ENOSPC" || code === "EDQUOT"
      ? `free some space and repeat the command, a run with --resume; ${kept}`
      : "check the folder, or choose another one with --run-dir";
  return new StoreError(`cannot write ${path}: ${reason}`, { cause, hint, details: { path, code } });
}

/** Removes what a failed write left. What failed is worth telling, not that nothing could be removed. */
function discard(partial: string): void {
  try {
    rmSync(partial, { recursive: true, force: true });
  } catch {
    // A file in the way of the folder, for example: then there is nothing to remove.
  }
}

/**
 * Writes a whole file piece by piece, so that a file larger than memory can be made: partial name, fsync, rename.
 * Parent folders are made. A piece may be reused by its producer once the next one is asked for.
 * @throws {StoreError} when the disk is full or the folder is not writable; errors of `pieces` pass through.
 * Nothing half written stays
 */
export function writePiecesAtomic(path: string, pieces: Iterable<Uint8Array>): void {
  const partial = `${path}.partial`;
  let producing = false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(partial, "w");
    try {
      const iterator = pieces[Symbol.iterator]();
      for (;;) {
        producing = true;
        const next = iterator.next();
        producing = false;
        if (next.done === true) break;
        const bytes = next.value;
        let written = 0;
        while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
  } catch (cause) {
    discard(partial);
    throw producing ? cause : writeError(path, cause);
  }
}

/** A file under its partial name. `write` may be called any number of times, then one of the other two. */
export interface AtomicFile {
  /** @throws {StoreError} when the disk is full */
  write(bytes: Uint8Array): void;
  /** Gives the file its final name. @throws {StoreError} when it cannot */
  commit(): void;
  /** Removes it; nothing happens after `commit`. */
  discard(): void;
}

/**
 * Opens a file that is written as its content comes, for producers that wait between pieces. Parent folders are made.
 * @throws {StoreError} when the folder is not writable
 */
export function openAtomicFile(path: string): AtomicFile {
  const partial = `${path}.partial`;
  const attempt = <Result>(action: () => Result): Result => {
    try {
      return action();
    } catch (cause) {
      throw writeError(path, cause);
    }
  };
  let file: number | null = attempt(() => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(partial, "w");
  });
  const close = (): void => {
    if (file === null) return;
    closeSync(file);
    file = null;
  };
  return {
    write(bytes) {
      const open = file;
      if (open === null) throw new TypeError(`${path}: written after it was closed`);
      attempt(() => {
        let written = 0;
        while (written < bytes.length) written += writeSync(open, bytes, written, bytes.length - written);
      });
    },
    commit() {
      const open = file;
      if (open === null) throw new TypeError(`${path}: closed twice`);
      attempt(() => fsyncSync(open));
      try {
        close();
        renameSync(partial, path);
      } catch (cause) {
        discard(partial);
        throw writeError(path, cause);
      }
    },
    discard() {
      if (file === null) return;
      close();
      discard(partial);
    },
  };
}

/**
 * Writes a whole file: partial name, fsync, rename. Parent folders are made.
 * @throws {StoreError} when the disk is full or the folder is not writable; nothing half written stays
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  writePiecesAtomic(path, [typeof content === "string" ? Buffer.from(content, "utf8") : content]);
}

/**
 * Appends to a file, made when it is missing. One write per call: a kill loses at most the end of the last piece, and a
 * full disk leaves the file as it was.
 * @throws {StoreError} when the disk is full or the folder is not writable
 */
export function appendToFile(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(path, "a");
    try {
      const { size } = fstatSync(file);
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done);
      } catch (cause) {
        // The first error is the one worth telling.
        try {
          ftruncateSync(file, size);
        } catch {}
        throw cause;
      }
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/**
 * Builds a whole folder: `build` fills `<path>.partial`, which then takes the final name, replacing an older folder.
 * @throws {StoreError} when the disk is full or the folder is not writable; errors of `build` pass through
 */
export async function writeFolderAtomic(
  path: string,
  build: (partial: string) => Promise<void> | void,
): Promise<void> {
  const partial = `${path}.partial`;
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    await build(partial);
    rmSync(path, { recursive: true, force: true });
    renameSync(partial, path);
  } catch (cause) {
    discard(partial);
    if ((cause as NodeJS.ErrnoException)?.code?.startsWith("E")) throw writeError(path, cause);
    throw cause;
  }
}
