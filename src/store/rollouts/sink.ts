/**
 * Rollouts written one after another under a name that says what they become: `.jsonl`, `.jsonl.gz`, or a folder, which
 * is a store. Complete under its final name, or absent; nobody else sees what is being written.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { openRowFile } from "../../data/row-file.ts";
import type { Rollout } from "../../types.ts";
import { storeError } from "../file-errors.ts";
import { openRolloutStore } from "./open.ts";
import type { RolloutStore } from "./store.ts";

/** Tokens and characters of a batch written into a store at once: tens of megabytes. */
const BATCH_WEIGHT = 2 ** 23;
const BATCH_ROLLOUTS = 8192;

/** Rollouts being written; `close` or `discard` ends it. */
export interface RolloutSink {
  /** Rollouts so far. */
  readonly rollouts: number;
  /** @throws {StoreError} when the disk is full; {DataError} for a rollout that cannot be stored */
  write(rollout: Rollout): void;
  /** Ends what was written and gives it its name. @throws {StoreError} when the disk is full */
  close(): void;
  /** Removes what was written; nothing happens after `close`. */
  discard(): void;
}

/** True for a name that becomes a file of JSON lines; any other becomes a store. */
export function isRolloutFile(path: string): boolean {
  return /\.jsonl(\.gz)?$/.test(path);
}

/**
 * Opens a file or a store by its name; one of that name is replaced when this one is complete.
 * @throws {StoreError} when the folder is not writable
 */
export function openRolloutSink(path: string): RolloutSink {
  if (!isRolloutFile(path)) return openStoreSink(path);
  const file = openRowFile(path, {});
  return {
    get rollouts() {
      return file.rows;
    },
    write: (rollout) => file.write({ ...rollout }),
    close: () => file.close(),
    discard: () => file.discard(),
  };
}

function openStoreSink(path: string): RolloutSink {
  const partial = `${path}.partial`;
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (cause) {
      throw storeError(path, cause);
    }
  };
  /** What failed before is worth telling, not that nothing could be removed. */
  const remove = (): void => {
    try {
      rmSync(partial, { recursive: true, force: true });
    } catch {}
  };
  const open = (): RolloutStore => {
    attempt(() => {
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
    });
    try {
      return openRolloutStore(partial, { sync: "close" });
    } catch (error) {
      remove();
      throw error;
    }
  };
  const store = open();
  let batch: Rollout[] = [];
  let weight = 0;
  let ended = false;
  const flush = (): void => {
    store.append(batch);
    batch = [];
    weight = 0;
  };
  return {
    get rollouts() {
      return store.length + batch.length;
    },
    write(rollout) {
      batch.push(rollout);
      weight += rollout.text.length + rollout.tokens.length + rollout.promptTokens.length;
      if (batch.length >= BATCH_ROLLOUTS || weight >= BATCH_WEIGHT) flush();
    },
    close() {
      flush();
      store.close();
      attempt(() => {
        rmSync(path, { recursive: true, force: true });
        renameSync(partial, path);
      });
      ended = true;
    },
    discard() {
      if (ended) return;
      ended = true;
      // What it holds is thrown away, whether or not the rest of it could be written.
      try {
        store.close();
      } catch {}
      remove();
    },
  };
}
