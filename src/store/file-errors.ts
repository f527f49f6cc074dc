/** What a failed file operation means to the user: one line and the next thing to do. */
import { DataError, PolarisError, StoreError } from "../errors.ts";

const MAKE_ROOM = "free some space and repeat the command, a run with --resume; what was finished is kept";

const REASONS: Record<string, [reason: string, hint: string]> = {
  ENOSPC: ["no space left on the disk", MAKE_ROOM],
  EDQUOT: ["disk quota exceeded", MAKE_ROOM],
  EFBIG: ["larger than a file may be here", "raise the limit with ulimit -f, or choose another disk"],
  EACCES: ["permission denied", "check who owns the folder, or choose another one with --run-dir"],
  EPERM: ["operation not permitted", "check who owns the folder, or choose another one with --run-dir"],
  EROFS: ["read-only file system", "choose another folder with --run-dir"],
  // Node reports a folder it cannot make on a read-only file system this way.
  ENOENT: [
    "the folder cannot be made",
    "check that its file system can be written, or choose another one with --run-dir",
  ],
  ENOTDIR: ["a file is in the way of a folder", "choose another folder with --run-dir"],
  EEXIST: ["a file is in the way", "choose another folder with --run-dir"],
  EISDIR: ["a folder is in the way of a file", "choose another folder with --run-dir"],
  EMFILE: ["too many open files", "raise the limit with ulimit -n"],
  EIO: ["the disk reports an error", "check the disk"],
};

/** True for the errors the operating system raises for files. */
export function isFileError(cause: unknown): cause is NodeJS.ErrnoException {
  return (
    cause instanceof Error && typeof (cause as NodeJS.ErrnoException).code === "string" && "syscall" in cause
  );
}

/** A StoreError for a failed write at `path`; errors that already are Polaris errors pass through. */
export function storeError(path: string, cause: unknown): PolarisError {
  if (cause instanceof PolarisError) return cause;
  const code = (cause as NodeJS.ErrnoException)?.code ?? "";
  const [reason, hint] = REASONS[code] ?? [
    String((cause as Error)?.message ?? cause).split("\n")[0]!,
    undefined,
  ];
  return new StoreError(`cannot write ${path}: ${reason}`, { cause, hint, details: { path, code } });
}

/** One line for any failed file operation: a missing file is the input's fault, everything else the disk's. */
export function fileError(cause: NodeJS.ErrnoException, fallbackPath: string): PolarisError {
  const path = cause.path ?? fallbackPath;
  if (cause.code === "ENOENT" && cause.syscall !== "mkdir")
    return new DataError(`cannot read ${path}: no such file or folder`, { cause, details: { path } });
  return storeError(path, cause);
}
