/**
 * Opens a rollout store in a folder (folder.ts), to read or to write. Opening reads the header and the summary of every
 * block; in memory stay the places of segments and the counts by stage and step.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../data/atomic.ts";
import { parseRollout } from "../../data/rollouts.ts";
import { StoreError } from "../../errors.ts";
import type { Rollout } from "../../types.ts";
import { storeError } from "../file-errors.ts";
import { acquireFileLock } from "../file-lock.ts";
import { encodeBlock, MAX_BLOCK_ROWS } from "./block.ts";
import { encodeContent } from "./content.ts";
import {
  checkMarker,
  FORMAT,
  findStepAbove,
  MARKER,
  MAX_SEGMENTS,
  scan,
  segmentName,
  segmentPaths,
  syncFolder,
  VERSION,
} from "./folder.ts";
import { createReader, type SegmentPlace, type StoreState } from "./reader.ts";
import type { OpenRolloutStoreOptions, RolloutReader, RolloutStore } from "./store.ts";
import { createTallies, type RolloutTally } from "./tally.ts";

const SEGMENT_BYTES = 2 ** 28;
const BLOCK_ROWS = 1024;
/** A block ends at about this many bytes, unpacked: enough to compress well, little to open for one rollout. */
const BLOCK_BYTES = 2 ** 20;

/**
 * Opens a store for reading. No lock is taken: a writer may go on, and what it adds is seen by the next opening.
 * @throws {StoreError} when there is none, it is damaged, or of a newer version
 */
export function openRolloutReader(path: string): RolloutReader {
  checkMarker(path);
  return createReader(path, scan(path, false));
}

/** About the bytes of a rollout before compression. */
function weigh({ text, tokens, logprobs }: Rollout): number {
  return 500 + text.length + 4 * (tokens.length + logprobs.length);
}

/**
 * Opens a store for writing, making it when there is none, and cuts off what an unfinished append left.
 * @throws {StoreError} when another process writes it, it is damaged, of a newer version, or cannot be written
 */
export function openRolloutStore(path: string, options: OpenRolloutStoreOptions = {}): RolloutStore {
  const { sync = "batch", segmentBytes = SEGMENT_BYTES, blockRows = BLOCK_ROWS } = options;
  if (!Number.isInteger(blockRows) || blockRows < 1 || blockRows > MAX_BLOCK_ROWS)
    throw new RangeError(`blockRows: expected an integer from 1 to ${MAX_BLOCK_ROWS}, got ${blockRows}`);
  if (!(segmentBytes >= 1)) throw new RangeError(`segmentBytes: expected 1 or more, got ${segmentBytes}`);
  const attempt = <Result>(action: () => Result): Result => {
    try {
      return action();
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException)?.code === undefined ? cause : storeError(path, cause);
    }
  };
  attempt(() => mkdirSync(path, { recursive: true }));
  const unlock = acquireFileLock(join(path, MARKER));
  const state: StoreState = { segments: [], length: 0, tallies: createTallies() };
  let file: number | null = null;

  const closeFile = (): void => {
    if (file === null) return;
    const open = file;
    file = null;
    try {
      if (sync === "close") fsyncSync(open);
    } finally {
      closeSync(open);
    }
  };
  /** Reads what is there and cuts the torn end, so that the next write begins at a batch. */
  const load = (): void => {
    closeFile();
    Object.assign(state, scan(path, true));
    const last = state.segments.at(-1);
    if (last !== undefined && statSync(last.path).size > last.bytes) truncateSync(last.path, last.bytes);
  };
  /** The segment the next batch goes to, open. */
  const target = (): { place: SegmentPlace; open: number } => {
    let place = state.segments.at(-1);
    if (place === undefined || place.bytes >= segmentBytes) {
      closeFile();
      if (state.segments.length >= MAX_SEGMENTS)
        throw new StoreError(`${path}: more than ${MAX_SEGMENTS} segments`);
      place = { path: join(path, segmentName(state.segments.length)), first: state.length, bytes: 0 };
      file = openSync(place.path, "w");
      syncFolder(path);
      state.segments = [...state.segments, place];
    }
    file ??= openSync(place.path, "r+");
    return { place, open: file };
  };
  try {
    attempt(() => {
      if (existsSync(join(path, MARKER))) checkMarker(path);
      else if (segmentPaths(path).length > 0)
        throw new StoreError(`${path}: segments without ${MARKER}`, { hint: "choose another folder" });
      else writeFileAtomic(join(path, MARKER), `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`);
      load();
    });
  } catch (error) {
    unlock();
    throw error;
  }

  let closed = false;
  let appending = false;
  const expectOpen = (): void => {
    if (closed) throw new TypeError(`${path}: used after it was closed`);
  };
  /** Writes a batch block by block; nothing counts before its last block. Returns what was counted. */
  const writeBatch = (rollouts: Iterable<Rollout>, write: (block: Buffer) => void): RolloutTally[] => {
    let held: Rollout[] = [];
    let weight = 0;
    let count = 0;
    const tallies = createTallies();
    const flush = (last: boolean): void => {
      write(encodeBlock(encodeContent(held), held.length, last));
      held = [];
      weight = 0;
    };
    for (const value of rollouts) {
      if (held.length >= blockRows || (held.length > 0 && weight >= BLOCK_BYTES)) flush(false);
      const rollout = parseRollout(value, `rollout ${count}`);
      held.push(rollout);
      weight += weigh(rollout);
      tallies.add(rollout);
      count++;
    }
    if (count > 0) flush(true);
    return tallies.list();
  };
  return {
    ...createReader(path, state),
    get length() {
      return state.length;
    },
    append(rollouts) {
      expectOpen();
      // An iterable that appends while it is read would write over the batch it is part of.
      if (appending) throw new TypeError(`${path}: appended to while a batch is being appended`);
      const { place, open } = attempt(target);
      let at = place.bytes;
      const write = (block: Buffer): void => {
        attempt(() => {
          for (let done = 0; done < block.length; )
            done += writeSync(open, block, done, block.length - done, at + done);
        });
        at += block.length;
      };
      let tallies: RolloutTally[];
      appending = true;
      try {
        tallies = writeBatch(rollouts, write);
        if (sync === "batch" && at > place.bytes) attempt(() => fsyncSync(open));
      } catch (error) {
        // The first error is the one worth telling; the next opening cuts what could not be cut here.
        try {
          ftruncateSync(open, place.bytes);
        } catch {}
        throw error;
      } finally {
        appending = false;
      }
      place.bytes = at;
      for (const tally of tallies) {
        state.tallies.merge(tally);
        state.length += tally.rollouts;
      }
    },
    rewind(step) {
      expectOpen();
      if (!Number.isInteger(step)) throw new RangeError(`rewind: expected a step, got ${step}`);
      attempt(() => {
        closeFile();
        const cut = findStepAbove(state.segments, step);
        if (cut === null) return;
        // From the end, so that a kill in between leaves a shorter store and no gap. A segment that would be empty goes.
        const kept = cut.bytes === 0 ? cut.segment : cut.segment + 1;
        for (const place of state.segments.slice(kept).reverse()) rmSync(place.path);
        if (cut.bytes > 0) truncateSync((state.segments[cut.segment] as SegmentPlace).path, cut.bytes);
        load();
      });
    },
    close() {
      if (closed) return;
      closed = true;
      try {
        attempt(closeFile);
      } finally {
        unlock();
      }
    },
  };
}
