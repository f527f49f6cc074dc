/**
 * The run's ledger: which stage is done, from which inputs, and where its output is. One SQLite file in the run folder,
 * opened through libsql in WAL mode, so that a viewer can read while a run writes. It holds facts about stages only;
 * what a stage computes lives in files.
 */
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import Database from "libsql";
import { PolarisError, StoreError } from "../errors.ts";
import type { Json } from "../types.ts";
import { storeError } from "./file-errors.ts";

/** Raised when the tables change; an older ledger is refused with one line. */
const SCHEMA_VERSION = 1;
/** How long one process waits for another's write before giving up. */
const BUSY_TIMEOUT_MS = 5000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS steps (
    stage TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    parts TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
    attempt INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    seconds REAL NOT NULL DEFAULT 0,
    output TEXT,
    error TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS driver (
    slot INTEGER PRIMARY KEY CHECK (slot = 1),
    token TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    started TEXT,
    since TEXT NOT NULL,
    heartbeat_ms INTEGER NOT NULL
  ) STRICT;
`;

export type StepStatus = "running" | "done" | "failed" | "interrupted";

/** One stage as the ledger knows it. */
export interface LedgerStep {
  stage: string;
  kind: string;
  /** SHA-256 of everything that decides the output. */
  key: string;
  /** What the key was made of, to say later which part changed. */
  parts: Record<string, Json>;
  status: StepStatus;
  /** Starts so far, this one included. */
  attempt: number;
  startedAt: string;
  finishedAt: string | null;
  /** Wall time over all attempts that ended in an orderly way. */
  seconds: number;
  output: Record<string, Json> | null;
  error: string | null;
}

export interface Ledger {
  readonly path: string;
  /** The open database, for the run lock beside this file. */
  readonly database: Database.Database;
  steps(): LedgerStep[];
  step(stage: string): LedgerStep | undefined;
  /** Marks a stage as running; attempt and seconds continue only while the key stays the same. */
  begin(stage: string, kind: string, key: string, parts: Record<string, Json>): LedgerStep;
  finish(stage: string, output: Record<string, Json>, seconds: number): void;
  /** Records an orderly end without a result. */
  stop(stage: string, status: "failed" | "interrupted", error: string, seconds: number): void;
  forget(stage: string): void;
  close(): void;
}

/** Runs a database operation; a full disk, a locked or a broken file becomes one line. */
export function withLedger<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    if (cause instanceof PolarisError) throw cause;
    const code = String((cause as { code?: string }).code ?? "");
    const message = String((cause as Error).message);
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) throw corrupt(path, message, cause);
    if (code.startsWith("SQLITE_BUSY"))
      throw new StoreError(`${path}: another process has been writing for ${BUSY_TIMEOUT_MS / 1000} s`, {
        cause,
      });
    if (code.startsWith("SQLITE_FULL"))
      throw storeError(path, Object.assign(new Error(message), { code: "ENOSPC" }));
    // A disk with no block left fails in the shared-memory file, which SQLite calls an I/O error.
    if (code.startsWith("SQLITE_IOERR"))
      throw new StoreError(`cannot write ${path}: the disk reports an error`, {
        cause,
        hint: "check that the disk is healthy and not full, then start again with --resume",
      });
    if (
      code.startsWith("SQLITE_READONLY") ||
      code.startsWith("SQLITE_CANTOPEN") ||
      message.includes("ConnectionFailed")
    )
      throw storeError(path, Object.assign(new Error(message), { code: "EACCES" }));
    throw new StoreError(`${path}: ${message.split("\n")[0]}`, { cause });
  }
}

function corrupt(path: string, reason: string, cause?: unknown): StoreError {
  return new StoreError(`${path} is corrupt: ${reason}`, {
    cause,
    hint: `remove ${basename(path)} and run again with --resume, or start over with --overwrite; both repeat every stage`,
    details: { path, corrupt: true },
  });
}

type Row = Record<string, string | number | null>;

function toStep(path: string, row: Row): LedgerStep {
  const parse = (text: string | number | null | undefined): Record<string, Json> | null => {
    if (text === null || text === undefined) return null;
    try {
      return JSON.parse(String(text)) as Record<string, Json>;
    } catch (cause) {
      throw corrupt(path, `stage ${row["stage"]} holds a record that is no JSON`, cause);
    }
  };
  return {
    stage: String(row["stage"]),
    kind: String(row["kind"]),
    key: String(row["key"]),
    parts: parse(row["parts"]) ?? {},
    status: row["status"] as StepStatus,
    attempt: Number(row["attempt"]),
    startedAt: String(row["started_at"]),
    finishedAt: row["finished_at"] === null ? null : String(row["finished_at"]),
    seconds: Number(row["seconds"]),
    output: parse(row["output"]),
    error: row["error"] === null ? null : String(row["error"]),
  };
}

/**
 * Opens a ledger, making it when `create` is set.
 * @throws {StoreError} when it is missing, corrupt, from a newer version, or its folder cannot be written
 */
export function openLedger(path: string, options: { create?: boolean } = {}): Ledger {
  if (!existsSync(dirname(path)))
    throw new StoreError(`no run folder ${dirname(path)}`, { details: { path } });
  if (!options.create && !existsSync(path))
    throw new StoreError(`${dirname(path)} holds no ledger.db: not a run folder`);
  const database = withLedger(path, () => new Database(path));
  try {
    withLedger(path, () => {
      database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      // Reading the version first: switching a foreign file to WAL would already write to it.
      const version = versionOf(database);
      if (version !== 0 && version !== SCHEMA_VERSION)
        throw new StoreError(`${path}: expected ledger version ${SCHEMA_VERSION}, got ${version}`, {
          hint: "the run was made by another version of polaris; use that one, or start over with --overwrite",
        });
      if (version === SCHEMA_VERSION) {
        const [check] = database.pragma("quick_check") as { quick_check: string }[];
        if (check?.quick_check !== "ok") throw corrupt(path, check?.quick_check ?? "no answer");
      }
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = NORMAL");
      if (version === 0) {
        database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
      } else {
        // A file cut short can pass quick_check and lack its tables.
        const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as Row[];
        for (const name of ["steps", "driver"])
          if (!tables.some((table) => table["name"] === name))
            throw corrupt(path, `table ${name} is missing`);
      }
    });
  } catch (error) {
    database.close();
    throw error;
  }

  const all = (sql: string, ...values: (string | number | null)[]): Row[] =>
    withLedger(path, () => database.prepare(sql).all(...values) as Row[]);
  const write = (sql: string, ...values: (string | number | null)[]): void => {
    withLedger(path, () => database.prepare(sql).run(...values));
  };
  const now = (): string => new Date().toISOString();
  const step = (stage: string): LedgerStep | undefined => {
    const [row] = all("SELECT * FROM steps WHERE stage = ?", stage);
    return row && toStep(path, row);
  };
  return {
    path,
    database,
    steps: () => all("SELECT * FROM steps ORDER BY rowid").map((row) => toStep(path, row)),
    step,
    begin(stage, kind, key, parts) {
      const before = step(stage);
      const same = before?.key === key;
      write(
        `INSERT OR REPLACE INTO steps (stage, kind, key, parts, status, attempt, started_at, seconds)
         VALUES (?, ?, ?, ?, 'running', ?, ?, ?)`,
        stage,
        kind,
        key,
        JSON.stringify(parts),
        same ? before.attempt + 1 : 1,
        same ? before.startedAt : now(),
        same ? before.seconds : 0,
      );
      return step(stage)!;
    },
    finish(stage, output, seconds) {
      write(
        "UPDATE steps SET status = 'done', finished_at = ?, seconds = seconds + ?, output = ?, error = NULL WHERE stage = ?",
        now(),
        seconds,
        JSON.stringify(output),
        stage,
      );
    },
    stop(stage, status, error, seconds) {
      write(
        "UPDATE steps SET status = ?, finished_at = ?, seconds = seconds + ?, error = ? WHERE stage = ?",
        status,
        now(),
        seconds,
        error,
        stage,
      );
    },
    forget(stage) {
      write("DELETE FROM steps WHERE stage = ?", stage);
    },
    close() {
      try {
        // Folds the log into the main file, so that a copied run folder is complete with ledger.db alone.
        database.pragma("wal_checkpoint(TRUNCATE)");
      } catch {
        // A reader may be holding the log; it is folded in at the next close.
      }
      database.close();
    },
  };
}

function versionOf(database: Database.Database): number {
  const [row] = database.prepare("PRAGMA user_version").all() as { user_version: number }[];
  return Number(row?.user_version ?? 0);
}
