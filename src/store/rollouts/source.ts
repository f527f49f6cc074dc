/**
 * Rollouts wherever a run keeps them, read alike: a store, a file of JSON lines, a folder of such files, or a whole run
 * folder, which may have all three. Order: stores and files by path, steps by number; within each as written.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { streamRollouts } from "../../data/rollouts.ts";
import { DataError } from "../../errors.ts";
import type { Rollout } from "../../types.ts";
import { isRolloutStore } from "./folder.ts";
import { openRolloutReader } from "./open.ts";
import { matchesQuery, type RolloutQuery } from "./query.ts";
import { type LostBytes, salvageRollouts } from "./salvage.ts";
import { createTallies, type RolloutTally } from "./tally.ts";

/** Folders below the one that is named. */
const MAX_DEPTH = 2;
/** Below rollouts/ and stages/ of a run: a campaign has rollouts/<stage>/round-<n>/<part>/. */
const MAX_RUN_DEPTH = 4;
/** Folders of a run that hold rollouts; the others are large and hold none. */
const RUN_FOLDERS = ["stages", "rollouts"];
const ROLLOUT_FILE = /\.(jsonl|jsonl\.gz)$/;
/** In a stage's folder other files of lines lie beside its rollouts. */
const STAGE_FILE = /^rollouts[\w.-]*\.(jsonl|jsonl\.gz)$/;

/** One store or file. */
export interface RolloutPart {
  path: string;
  kind: "store" | "file";
}

/** Steps by number: step-2 before step-10. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** @param depth folders that may still be gone into */
function partsOfFolder(folder: string, file: RegExp, depth: number): RolloutPart[] {
  if (isRolloutStore(folder)) return [{ path: folder, kind: "store" }];
  const names = readdirSync(folder, { withFileTypes: true }).sort((a, b) => byName(a.name, b.name));
  return names.flatMap((entry): RolloutPart[] => {
    const path = join(folder, entry.name);
    // What a stage is still writing is not there yet.
    if (entry.name.endsWith(".partial")) return [];
    if (entry.isDirectory()) return depth > 0 ? partsOfFolder(path, file, depth - 1) : [];
    return file.test(entry.name) ? [{ path, kind: "file" }] : [];
  });
}

/** True for the folder of a stage, which has other files of lines beside its rollouts. */
function isStageFolder(path: string): boolean {
  return existsSync(join(path, "problems.jsonl")) || basename(dirname(resolve(path))) === "stages";
}

/**
 * The stores and files of rollouts that paths name.
 * @throws {DataError} when one names nothing, or holds no rollouts
 */
export function findRolloutParts(paths: readonly string[]): RolloutPart[] {
  return paths.flatMap((path): RolloutPart[] => {
    if (!existsSync(path)) throw new DataError(`${path}: no such file or folder`);
    if (!statSync(path).isDirectory()) return [{ path, kind: "file" }];
    const inRun = RUN_FOLDERS.map((name) => join(path, name)).filter(existsSync);
    const parts =
      inRun.length > 0
        ? inRun.flatMap((folder) =>
            partsOfFolder(folder, folder.endsWith("stages") ? STAGE_FILE : ROLLOUT_FILE, MAX_RUN_DEPTH),
          )
        : partsOfFolder(path, isStageFolder(path) ? STAGE_FILE : ROLLOUT_FILE, MAX_DEPTH);
    if (parts.length === 0)
      throw new DataError(`${path}: expected a rollout store or files of rollouts, found none`, {
        hint: "name a run folder whose stages keep rollouts, a store, or a .jsonl or .jsonl.gz file",
      });
    return parts;
  });
}

export interface StreamPartsOptions {
  query?: RolloutQuery;
  /** Read damaged stores as far as their blocks are whole; called for what is lost. */
  onLost?: (lost: LostBytes) => void;
  /** Called for every rollout whose text is looked at, before; false ends the reading. */
  mayLook?: () => boolean;
}

/**
 * Streams the rollouts of parts that match, one block or line in memory at a time.
 * @throws {StoreError} at damage of a store; {DataError} naming file and line of a defect
 */
export async function* streamParts(
  parts: readonly RolloutPart[],
  options: StreamPartsOptions = {},
): AsyncGenerator<Rollout> {
  const { query = {}, onLost, mayLook } = options;
  const { text, ...facts } = query;
  for (const { path, kind } of parts) {
    for await (const rollout of streamFacts(path, kind, facts, onLost)) {
      if (text !== undefined && mayLook?.() === false) return;
      if (text === undefined || rollout.text.includes(text)) yield rollout;
    }
  }
}

/** Rollouts of one part whose facts match. */
async function* streamFacts(
  path: string,
  kind: RolloutPart["kind"],
  query: RolloutQuery,
  onLost: StreamPartsOptions["onLost"],
): AsyncGenerator<Rollout> {
  if (kind === "store" && onLost === undefined) {
    const reader = openRolloutReader(path);
    try {
      for (const { rollout } of reader.read({ query })) yield rollout;
    } finally {
      reader.close();
    }
    return;
  }
  const rollouts =
    kind === "store" ? salvageRollouts(path, onLost as (lost: LostBytes) => void) : streamRollouts(path);
  for await (const rollout of rollouts) if (matchesQuery(rollout, query)) yield rollout;
}

/**
 * Rollouts of a store, a file or a folder, in order: what stages read.
 * @throws as `findRolloutParts` and `streamParts`
 */
export async function* streamRolloutSource(path: string, query: RolloutQuery = {}): AsyncGenerator<Rollout> {
  yield* streamParts(findRolloutParts([path]), { query });
}

/** Counts by stage and step, of stores without opening their texts when nothing but stage and steps is asked. */
export async function tallyParts(
  parts: readonly RolloutPart[],
  options: StreamPartsOptions = {},
): Promise<RolloutTally[]> {
  const tallies = createTallies();
  const { stage, fromStep = 0, toStep = Number.POSITIVE_INFINITY, ...other } = options.query ?? {};
  const fromSummaries =
    options.onLost === undefined && Object.values(other).every((condition) => condition === undefined);
  for (const part of parts) {
    if (part.kind === "store" && fromSummaries) {
      const reader = openRolloutReader(part.path);
      for (const tally of reader.tallies())
        if ((stage === undefined || tally.stage === stage) && tally.step >= fromStep && tally.step <= toStep)
          tallies.merge(tally);
      reader.close();
    } else for await (const rollout of streamParts([part], options)) tallies.add(rollout);
  }
  return tallies.list();
}
