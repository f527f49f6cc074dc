/**
 * One driver per run folder. The lock is a row in the ledger with process id, host and a heartbeat. It is never taken
 * from a live process; the lock of a dead one is taken over at once, that of a silent one on another host only after
 * a long while.
 */
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { StoreError } from "../errors.ts";
import { type Ledger, withLedger } from "./ledger.ts";
import { isAlive, type ProcessIdentity, thisProcess } from "./process-identity.ts";

const HEARTBEAT_MS = 5000;
/** Another host cannot be asked; ten minutes without a heartbeat outlasts any pause of a working disk. */
const SILENT_MS = 10 * 60_000;

export interface LockHolder extends ProcessIdentity {
  since: string;
  heartbeatMs: number;
}

export interface RunLock {
  /** Set when another driver holds the folder now: the process was suspended for long and its lock was taken over. */
  readonly lost: boolean;
  release(): void;
}

/** Locks of this process that are given back but could not be removed from a full disk. */
const givenBack = new Set<string>();

/** Who holds the lock according to the ledger, alive or not. */
export function lockHolder(ledger: Ledger): LockHolder | undefined {
  const [row] = withLedger(ledger.path, () =>
    ledger.database.prepare("SELECT * FROM driver").all(),
  ) as Record<string, string | number | null>[];
  if (!row || givenBack.has(String(row["token"]))) return undefined;
  return {
    pid: Number(row["pid"]),
    host: String(row["host"]),
    started: row["started"] === null ? null : String(row["started"]),
    since: String(row["since"]),
    heartbeatMs: Number(row["heartbeat_ms"]),
  };
}

/** True while a driver works in the folder. */
export function isHeld(ledger: Ledger, nowMs = Date.now()): boolean {
  const holder = lockHolder(ledger);
  if (!holder) return false;
  const alive = isAlive(holder);
  return alive === "unknown" ? nowMs - holder.heartbeatMs < SILENT_MS : alive;
}

/**
 * Takes the lock and keeps it warm until `release`.
 * @param options.onLost called once when the lock was taken over by someone else
 * @throws {StoreError} when a live process holds it
 */
export function acquireRunLock(
  ledger: Ledger,
  options: { onLost?: () => void; heartbeatMs?: number } = {},
): RunLock {
  const { database, path } = ledger;
  const token = randomUUID();
  const me = thisProcess();
  withLedger(path, () => {
    database.exec("BEGIN IMMEDIATE");
    try {
      if (isHeld(ledger)) {
        const holder = lockHolder(ledger)!;
        const where = holder.host === me.host ? "" : ` on ${holder.host.split("|")[0]}`;
        throw new StoreError(
          `${dirname(path)} is in use by process ${holder.pid}${where} since ${holder.since}`,
          {
            hint: "wait for it, stop it, or choose another folder with --run-dir",
            details: { pid: holder.pid, host: holder.host, since: holder.since },
          },
        );
      }
      database
        .prepare(
          "INSERT OR REPLACE INTO driver (slot, token, pid, host, started, since, heartbeat_ms) VALUES (1, ?, ?, ?, ?, ?, ?)",
        )
        .run(token, me.pid, me.host, me.started, new Date().toISOString(), Date.now());
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  });
  let lost = false;
  let missed = 0;
  // The timer also keeps the process alive: a run that waits for unreferenced worker threads must not just end.
  const timer = setInterval(() => {
    try {
      const { changes } = database
        .prepare("UPDATE driver SET heartbeat_ms = ? WHERE token = ?")
        .run(Date.now(), token);
      missed = 0;
      if (changes > 0) return;
    } catch {
      // A busy or full disk: the next beats try again; only a silence that lets others in counts as lost.
      missed++;
      if (missed * HEARTBEAT_MS < SILENT_MS / 2) return;
    }
    lost = true;
    clearInterval(timer);
    options.onLost?.();
  }, options.heartbeatMs ?? HEARTBEAT_MS);
  return {
    get lost() {
      return lost;
    },
    release() {
      clearInterval(timer);
      try {
        database.prepare("DELETE FROM driver WHERE token = ?").run(token);
      } catch {
        // The next driver takes it over: the process that the lock names is about to end, or it is this one.
        givenBack.add(token);
      }
    },
  };
}
