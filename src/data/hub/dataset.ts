/**
 * Data sets of the Hugging Face Hub by id and revision: which commit that is, which files hold the rows, and the files
 * themselves through the shared cache, their content checked against the hash the Hub states. Offline, the cache alone
 * answers. Requests are made by @huggingface/hub.
 */

import { readFileSync } from "node:fs";
import { datasetInfo, listFiles } from "@huggingface/hub";
import { DataError } from "../../errors.ts";
import {
  type BlobName,
  COMMIT,
  cachedCommit,
  cachedFiles,
  datasetFolder,
  hasBlob,
  linkBlob,
  snapshotPath,
  writeRef,
} from "./cache.ts";
import { downloadBlob } from "./download.ts";
import { type HubEnvironment, readHubEnvironment } from "./environment.ts";
import { createHubRequests, openAnswer } from "./request.ts";
import { isSafePath, type SelectFilesOptions, selectDataFiles } from "./select-files.ts";

/** `org/name`, or a name alone for the Hub's oldest data sets. */
const DATASET_NAME = /^[\w.-]{1,96}(\/[\w.-]{1,96})?$/;
/** More files than any data set of problems; the list is held in memory. */
const MAX_FILES = 100_000;
/** 64 GiB, as for a file on this disk. */
const MAX_FILE_BYTES = 2 ** 36;
/** A card is a page; it is read into memory. */
const MAX_CARD_BYTES = 2 ** 22;

/** Who is asked, and how. */
export interface HubAskOptions {
  /** Branch, tag or commit. Default `main`. */
  revision?: string;
  /** Default: read from the process's environment. */
  environment?: HubEnvironment;
  fetch?: typeof fetch;
  signal?: AbortSignal;
  /** Base of the pause between tries. Default 1000. */
  pauseMs?: number;
}

export interface HubDatasetOptions extends HubAskOptions, SelectFilesOptions {
  /** The commit the revision stands for, where that is settled: then the Hub is not asked for it. */
  commit?: string;
  /** Told before a file is downloaded. */
  onDownload?: (path: string, bytes: number) => void;
}

/** Files of a data set on this disk. */
export interface HubDataset {
  name: string;
  revision: string;
  /** The commit the revision stood for, 40 hexadecimal digits. */
  commit: string;
  files: { path: string; local: string }[];
}

/** What every question about one data set shares. @throws {DataError} for a name or revision that is none */
function openRepository(name: string, options: HubAskOptions) {
  const { revision = "main", signal, pauseMs = 1000 } = options;
  const environment = options.environment ?? readHubEnvironment();
  if (!DATASET_NAME.test(name) || name.includes(".."))
    throw new DataError(`data set: expected org/name, got "${name.slice(0, 100)}"`);
  if (!isSafePath(revision))
    throw new DataError(
      `data set ${name}: revision: expected a branch, tag or commit, got "${revision.slice(0, 100)}"`,
    );
  const folder = datasetFolder(environment.cacheFolder, name);
  const base = options.fetch ?? fetch;
  const requests = createHubRequests({ name, revision, environment, fetch: base, signal, pauseMs });
  const common = {
    hubUrl: environment.endpoint,
    fetch: requests.fetch,
    ...(environment.token === null ? {} : { accessToken: environment.token }),
  };
  return { revision, environment, folder, requests, common, base };
}

type Repository = ReturnType<typeof openRepository>;

function notCached(name: string, revision: string, folder: string): DataError {
  return new DataError(`data set ${name} at ${revision}: not in the cache, and HF_HUB_OFFLINE is set`, {
    details: { folder },
    hint: "run once without HF_HUB_OFFLINE, or copy the cache of a computer that has it",
  });
}

async function findCommit(name: string, repository: Repository): Promise<string> {
  const { revision, environment, folder, requests, common } = repository;
  if (environment.offline) {
    const commit = cachedCommit(folder, revision);
    if (commit !== null) return commit;
    throw notCached(name, revision, folder);
  }
  if (COMMIT.test(revision)) return revision;
  const { sha } = await requests.ask(() =>
    datasetInfo({ ...common, name, revision, additionalFields: ["sha"] }),
  );
  if (typeof sha !== "string" || !COMMIT.test(sha))
    throw new DataError(`data set ${name} at ${revision}: ${environment.endpoint} states no commit`);
  writeRef(folder, revision, sha);
  return sha;
}

/**
 * The commit a branch or tag stands for now; offline, the one it stood for when it was last asked for.
 * @returns 40 hexadecimal digits; a revision that is a commit is returned as it is, without a question
 * @throws {DataError} when there is no such data set or revision, or the Hub refuses or cannot be reached
 */
export async function resolveHubCommit(name: string, options: HubAskOptions = {}): Promise<string> {
  return findCommit(name, openRepository(name, options));
}

/** Runs an action whose errors do not know the data set. */
function naming<Result>(where: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof DataError) cause.message = `${where}: ${cause.message}`;
    throw cause;
  }
}

/**
 * Shards of a numbered set the cache lacks: tools fetch what they are asked for, and a part of a set is not the set.
 * @throws {DataError} when `x-00000-of-00002` is there and `x-00001-of-00002` is not
 */
function requireAllShards(paths: readonly string[]): void {
  const sets = new Map<string, { total: number; found: number; example: string }>();
  for (const path of paths) {
    const match = /^(.*)-(\d{5})-of-(\d{5})(\..+)$/.exec(path);
    if (match === null) continue;
    const key = `${match[1]} ${match[3]}${match[4]}`;
    const entry = sets.get(key) ?? { total: Number(match[3]), found: 0, example: path };
    entry.found++;
    sets.set(key, entry);
  }
  for (const { total, found, example } of sets.values())
    if (found < total)
      throw new DataError(`the cache holds ${found} of the ${total} files ${example} is one of`, {
        hint: "run once without HF_HUB_OFFLINE to fetch the others",
      });
}

/** From the cache alone. */
function openOffline(name: string, commit: string, repository: Repository, options: SelectFilesOptions) {
  const { folder, revision } = repository;
  const paths = cachedFiles(folder, commit);
  const card = paths.includes("README.md")
    ? readFileSync(snapshotPath(folder, commit, "README.md"), "utf8")
    : null;
  const chosen = naming(`data set ${name} at ${revision}, offline`, () => {
    const found = selectDataFiles(paths, card, options);
    // Patterns may name a part on purpose; a split is all of it.
    if (options.files === undefined) requireAllShards(found);
    return found;
  });
  return chosen.map((path) => ({ path, local: snapshotPath(folder, commit, path) }));
}

/** A file of the repository as the Hub lists it. */
interface Listed {
  path: string;
  blob: BlobName;
}

async function listContent(
  name: string,
  commit: string,
  { requests, common }: Repository,
): Promise<Map<string, Listed>> {
  const repo = { type: "dataset", name } as const;
  return requests.ask(async () => {
    const files = new Map<string, Listed>();
    for await (const entry of listFiles({ ...common, repo, recursive: true, revision: commit })) {
      if (entry.type !== "file" || !isSafePath(entry.path)) continue;
      const kind = entry.lfs === undefined ? ("git" as const) : ("sha256" as const);
      const hash = entry.lfs?.oid ?? entry.oid ?? "";
      if (!(kind === "git" ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(hash)) continue;
      files.set(entry.path, { path: entry.path, blob: { kind, hash, bytes: entry.lfs?.size ?? entry.size } });
      if (files.size > MAX_FILES)
        throw new DataError(`data set ${name}: expected at most ${MAX_FILES} files`);
    }
    return files;
  });
}

/**
 * Makes the files of a data set available on this disk.
 *
 * @param name `org/name`
 * @throws {DataError} when there is no such data set, revision, split or file, the Hub refuses or cannot be reached, or
 * a file's content is not what the Hub says it is
 * @throws {StoreError} when the cache cannot be written
 */
export async function openHubDataset(name: string, options: HubDatasetOptions = {}): Promise<HubDataset> {
  const repository = openRepository(name, options);
  const { revision, environment, folder, requests } = repository;
  const commit = options.commit ?? (await findCommit(name, repository));
  if (!COMMIT.test(commit))
    throw new DataError(
      `data set ${name}: commit: expected 40 hexadecimal digits, got "${commit.slice(0, 60)}"`,
    );
  if (environment.offline) {
    if (cachedCommit(folder, commit) === null) throw notCached(name, commit, folder);
    return { name, revision, commit, files: openOffline(name, commit, repository, options) };
  }
  const listed = await listContent(name, commit, repository);

  const bring = async ({ path, blob }: Listed, most: number): Promise<string> => {
    if (blob.bytes > most)
      throw new DataError(`data set ${name}: ${path}: expected at most ${most} bytes, got ${blob.bytes}`);
    if (!hasBlob(folder, blob)) {
      options.onDownload?.(path, blob.bytes);
      const address = [name, "resolve", commit, ...path.split("/").map(encodeURIComponent)].join("/");
      let reached = 0;
      const where = `data set ${name} at ${commit}: ${path}`;
      const wrong = await requests.ask(
        () =>
          downloadBlob({
            where,
            folder,
            blob,
            onBytes: (bytes) => {
              reached = Math.max(reached, bytes);
            },
            open: (from) =>
              openAnswer(
                repository.base,
                `${environment.endpoint}/datasets/${address}`,
                {
                  // Packed on the way, a content could not be continued at a byte.
                  "accept-encoding": "identity",
                  ...(from > 0 ? { range: `bytes=${from}-` } : {}),
                  ...(environment.token === null ? {} : { authorization: `Bearer ${environment.token}` }),
                },
                environment.timeoutMs,
                options.signal,
              ),
          }),
        () => reached,
      );
      if (wrong !== null) throw new DataError(`${where}: ${wrong}`, { hint: "try again later" });
    }
    return linkBlob(folder, commit, path, blob.hash);
  };

  const readme = listed.get("README.md");
  const card = readme === undefined ? null : readFileSync(await bring(readme, MAX_CARD_BYTES), "utf8");
  const chosen = naming(`data set ${name} at ${revision}`, () =>
    selectDataFiles([...listed.keys()], card, options),
  );
  const files: HubDataset["files"] = [];
  for (const path of chosen) files.push({ path, local: await bring(listed.get(path)!, MAX_FILE_BYTES) });
  return { name, revision, commit, files };
}
