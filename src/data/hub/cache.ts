/**
 * The cache every Hub tool shares: `datasets--org--name/` with `blobs/<hash>`, `snapshots/<commit>/<path>` pointing
 * into them, and `refs/<revision>` holding a commit. What one tool downloaded, the others find.
 * Source: huggingface_hub, "Understand caching".
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { StoreError } from "../../errors.ts";
import { writeFileAtomic } from "../atomic.ts";
import { isSafePath } from "./select-files.ts";

/** A commit of a repository. */
export const COMMIT = /^[0-9a-f]{40}$/;

/** Files of a data set looked at; the largest ones have some ten thousand shards. */
const MAX_FILES = 100_000;

/** Folder of a data set. `name` is `org/name`, checked by the caller. */
export function datasetFolder(cacheFolder: string, name: string): string {
  return join(cacheFolder, ["datasets", ...name.split("/")].join("--"));
}

/** The commit a branch or tag stood at when it was last asked for; null when it never was. */
export function cachedCommit(folder: string, revision: string): string | null {
  if (COMMIT.test(revision)) return existsSync(join(folder, "snapshots", revision)) ? revision : null;
  if (!isSafePath(revision)) return null;
  try {
    const commit = readFileSync(join(folder, "refs", revision), "utf8").trim();
    return COMMIT.test(commit) ? commit : null;
  } catch {
    return null;
  }
}

/** Remembers the commit of a branch or tag. */
export function writeRef(folder: string, revision: string, commit: string): void {
  if (!COMMIT.test(revision) && isSafePath(revision)) writeFileAtomic(join(folder, "refs", revision), commit);
}

/** Paths of the files a snapshot has here; a snapshot may be incomplete, because tools fetch what they need. */
export function cachedFiles(folder: string, commit: string): string[] {
  const root = join(folder, "snapshots", commit);
  const found: string[] = [];
  const walk = (below: string): void => {
    let entries: ReturnType<typeof readNames>;
    try {
      entries = readNames(join(root, below));
    } catch {
      return;
    }
    for (const entry of entries) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (found.length >= MAX_FILES) return;
      if (entry.isDirectory()) walk(path);
      else if (existsSync(join(root, path))) found.push(path);
    }
  };
  walk("");
  return found.sort();
}

const readNames = (folder: string) => readdirSync(folder, { withFileTypes: true });

/** Place of a file of a snapshot, there or not. */
export function snapshotPath(folder: string, commit: string, path: string): string {
  return join(folder, "snapshots", commit, path);
}

/** How a file's content is recognised: SHA-256 for large files, git's SHA-1 for small ones. */
export interface BlobName {
  kind: "sha256" | "git";
  hash: string;
  bytes: number;
}

/** True when the cache has this content; a file of another size is what some tool left half written. */
export function hasBlob(folder: string, blob: BlobName): boolean {
  return statSync(join(folder, "blobs", blob.hash), { throwIfNoEntry: false })?.size === blob.bytes;
}

/**
 * Gives content its name in a snapshot: a relative link, or a copy where the file system has no links.
 * @throws {StoreError} when neither can be made
 */
export async function linkBlob(folder: string, commit: string, path: string, hash: string): Promise<string> {
  const place = snapshotPath(folder, commit, path);
  const blob = join(folder, "blobs", hash);
  if (existsSync(place)) return place;
  try {
    mkdirSync(dirname(place), { recursive: true });
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) rmSync(place);
    try {
      symlinkSync(relative(dirname(place), blob), place);
    } catch (cause) {
      // Another process may have been faster; file systems and Windows accounts without links get a copy.
      if (!existsSync(place)) {
        if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw cause;
        await cp(blob, place);
      }
    }
  } catch (cause) {
    throw new StoreError(`cannot write ${place}: ${(cause as Error).message}`, {
      cause,
      hint: "HF_HUB_CACHE names another folder for the cache",
    });
  }
  return place;
}
