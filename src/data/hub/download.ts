/**
 * Content of the Hub into the shared cache, under the hash it must have. A download that was cut is continued where it
 * ended, in this process or a later one; what arrives is hashed from the first byte and kept only when size and hash
 * are those the Hub lists.
 * Source: RFC 9110, section 14 (ranges); the layout is that of `cache.ts`.
 */
import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { HubApiError } from "@huggingface/hub";
import { DataError, StoreError } from "../../errors.ts";
import type { BlobName } from "./cache.ts";
import type { HubAnswer } from "./request.ts";

/** A part nobody wrote to for so long was left by a process that was killed: living ones give up far earlier. */
const ABANDONED_MS = 600_000;

/** Asks for the content from byte `from` on. */
export type OpenContent = (from: number) => Promise<HubAnswer>;

function cacheError(place: string, cause: unknown): StoreError {
  const code = (cause as NodeJS.ErrnoException)?.code;
  const reason = code === "ENOSPC" ? "no space left on the disk" : (cause as Error).message;
  return new StoreError(`cannot write ${place}: ${reason}`, {
    cause,
    details: { path: place, code },
    hint: "HF_HUB_CACHE names another folder for the cache",
  });
}

const onDisk = <Result>(place: string, action: () => Result): Result => {
  try {
    return action();
  } catch (cause) {
    throw cacheError(place, cause);
  }
};

/** Takes over what an earlier download left. A rename, so that of two processes only one has it. */
function claimPart(folder: string, hash: string, part: string): void {
  const left = readdirSync(folder).filter((name) => name.startsWith(`${hash}.`) && name.endsWith(".part"));
  for (const name of left) {
    const place = join(folder, name);
    try {
      const idle = name === `${hash}.part` || Date.now() - statSync(place).mtimeMs > ABANDONED_MS;
      if (!idle || place === part) continue;
      renameSync(place, part);
      return;
    } catch {
      // Another process was faster.
    }
  }
}

/** Hash state after the bytes a part holds already. */
async function hashOf(blob: BlobName, part: string, bytes: number): Promise<Hash> {
  const hash = createHash(blob.kind === "git" ? "sha1" : "sha256");
  if (blob.kind === "git") hash.update(`blob ${blob.bytes}\0`);
  if (bytes > 0)
    for await (const piece of createReadStream(part, { end: bytes - 1 })) hash.update(piece as Buffer);
  return hash;
}

/** Whether an answer continues at `from`; false when it is the whole content again. @throws for any other answer */
async function continues({ response }: HubAnswer, from: number, where: string): Promise<boolean> {
  if (response.ok && response.status !== 206) return false;
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (response.status === 206 && Number(start) === from) return true;
  await response.body?.cancel();
  if (response.status === 404) throw new DataError(`${where}: listed, but not there`);
  // A server that sends another range than the one asked for fails as a broken one does.
  throw new HubApiError(response.url, response.ok ? 502 : response.status);
}

/** Downloads of this process so far: two of one content at a time write to files of their own. */
let downloads = 0;

/** One download; `onBytes` is told how far it is. */
export interface DownloadOptions {
  /** Data set and path, for errors. */
  where: string;
  /** Folder of the data set in the cache. */
  folder: string;
  blob: BlobName;
  open: OpenContent;
  onBytes?: (bytes: number) => void;
}

/**
 * Brings one content into the cache.
 *
 * @returns null, or what was wrong with it: then nothing is kept
 * @throws {StoreError} when the disk is full or the cache is not writable; what `open` and its body throw, with what
 * arrived kept for the next try
 */
export async function downloadBlob(options: DownloadOptions): Promise<string | null> {
  const { blob, open, onBytes = () => {} } = options;
  const folder = join(options.folder, "blobs");
  const final = join(folder, blob.hash);
  // A name of its own: two processes may fetch one file at a time, and both then have the same bytes.
  const part = `${final}.${process.pid}-${downloads++}.part`;
  const file = onDisk(final, () => {
    mkdirSync(folder, { recursive: true });
    claimPart(folder, blob.hash, part);
    return openSync(part, "a+");
  });
  let closed = false;
  const close = (): void => {
    if (!closed) closeSync(file);
    closed = true;
  };
  const discard = (): void => {
    close();
    rmSync(part, { force: true });
  };
  try {
    let bytes = fstatSync(file).size;
    if (bytes > blob.bytes) {
      ftruncateSync(file, 0);
      bytes = 0;
    }
    let hash = await hashOf(blob, part, bytes);
    onBytes(bytes);
    if (bytes < blob.bytes || blob.bytes === 0) {
      const answer = await open(bytes);
      if (!(await continues(answer, bytes, options.where)) && bytes > 0) {
        onDisk(final, () => ftruncateSync(file, 0));
        bytes = 0;
        hash = await hashOf(blob, part, 0);
      }
      for await (const piece of answer.body) {
        bytes += piece.length;
        if (bytes > blob.bytes) break;
        hash.update(piece);
        onDisk(final, () => {
          for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
        });
        onBytes(bytes);
      }
      // Without a stated length a cut connection looks like the end.
      if (bytes < blob.bytes && !answer.response.headers.has("content-length"))
        throw new TypeError("the content ended early", { cause: `${bytes} of ${blob.bytes} bytes` });
    }
    const found = hash.digest("hex");
    if (bytes !== blob.bytes || found !== blob.hash) {
      discard();
      if (bytes !== blob.bytes)
        return `expected ${blob.bytes} bytes, got ${bytes > blob.bytes ? "more" : bytes}`;
      return `expected content with hash ${blob.hash}, got ${found}`;
    }
    onDisk(final, () => {
      fsyncSync(file);
      close();
      renameSync(part, final);
    });
    return null;
  } catch (cause) {
    close();
    try {
      renameSync(part, `${final}.part`);
    } catch {
      rmSync(part, { force: true });
    }
    throw cause;
  }
}
