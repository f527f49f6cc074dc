import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { DataError } from "../../errors.ts";
import { readProblems } from "../problems.ts";
import { scratchFolder } from "../testing.ts";
import { openHubDataset, resolveHubCommit } from "./dataset.ts";
import { readHubEnvironment } from "./environment.ts";
import { matchesPattern, selectDataFiles } from "./select-files.ts";
import { type LocalDataset, startHub } from "./testing.ts";

const FIRST = "1".repeat(40);
const SECOND = "2".repeat(40);
const rows = (...questions: string[]) =>
  questions.map((problem) => `${JSON.stringify({ problem, answer: "1" })}\n`).join("");

const maths = (): LocalDataset => ({
  commits: {
    [FIRST]: {
      "README.md": "# Maths\n",
      "data/train-0.jsonl": rows("a", "b"),
      "data/test-0.jsonl": rows("t"),
    },
    [SECOND]: {
      "README.md": "# Maths\n",
      "data/train-0.jsonl": rows("a", "b"),
      "data/train-1.jsonl": rows("c"),
      "data/test-0.jsonl": rows("t"),
    },
  },
  refs: { main: SECOND, v1: FIRST },
  large: ["data/train-0.jsonl"],
});

const fast = { pauseMs: 1 };

describe("over HTTP", () => {
  test("the files of a split arrive with the commit they are of, in the shared cache's layout", async () => {
    const hub = await startHub({ "org/maths": maths() });
    const cache = scratchFolder();
    const environment = hub.environment(cache);
    const set = await openHubDataset("org/maths", { environment });
    expect(set.commit).toBe(SECOND);
    expect(set.files.map(({ path }) => path)).toEqual(["data/train-0.jsonl", "data/train-1.jsonl"]);
    const problems = (await Promise.all(set.files.map(({ local }) => readProblems(local)))).flat();
    expect(problems.map(({ prompt }) => prompt)).toEqual(["a", "b", "c"]);
    const folder = join(cache, "datasets--org--maths");
    expect(readFileSync(join(folder, "refs", "main"), "utf8")).toBe(SECOND);
    expect(lstatSync(join(folder, "snapshots", SECOND, "data", "train-0.jsonl")).isSymbolicLink()).toBe(true);
    expect(
      readdirSync(join(folder, "blobs")).every((name) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name)),
    ).toBe(true);

    // A second time the files are there: only the commit and the list are asked for.
    const before = hub.requests.length;
    await openHubDataset("org/maths", { environment });
    expect(hub.requests.slice(before).every((line) => line.includes("/api/"))).toBe(true);
  });

  test("a revision is what it was; equal files of two revisions are fetched once", async () => {
    const hub = await startHub({ "org/maths": maths() });
    const environment = hub.environment(scratchFolder());
    await openHubDataset("org/maths", { environment });
    const downloads: string[] = [];
    const set = await openHubDataset("org/maths", {
      environment,
      revision: "v1",
      split: "test",
      onDownload: (path) => downloads.push(path),
    });
    expect(set).toMatchObject({ commit: FIRST, revision: "v1" });
    expect(downloads).toEqual(["data/test-0.jsonl"]);
    const byCommit = await openHubDataset("org/maths", { environment, revision: FIRST });
    expect(byCommit.files.map(({ path }) => path)).toEqual(["data/train-0.jsonl"]);
  });

  test("offline the cache answers, and says when it cannot; nothing is asked of the network", async () => {
    const hub = await startHub({ "org/maths": maths() });
    const cache = scratchFolder();
    const online = await openHubDataset("org/maths", { environment: hub.environment(cache) });
    const before = hub.requests.length;
    const environment = hub.environment(cache, { offline: true });
    expect(await openHubDataset("org/maths", { environment })).toEqual(online);
    await expect(openHubDataset("org/maths", { environment, revision: "v1" })).rejects.toThrow(
      "not in the cache",
    );
    await expect(openHubDataset("org/other", { environment })).rejects.toThrow(DataError);
    await expect(openHubDataset("org/maths", { environment, split: "test" })).rejects.toThrow('split "test"');
    expect(hub.requests).toHaveLength(before);
  });

  test("offline, a numbered set that lacks a file is no set", async () => {
    const shard = (i: number) => `data/train-0000${i}-of-00002.jsonl`;
    const hub = await startHub({
      "org/parts": {
        commits: { [FIRST]: { [shard(0)]: rows("a"), [shard(1)]: rows("b") } },
        refs: { main: FIRST },
      },
    });
    const cache = scratchFolder();
    const online = hub.environment(cache);
    await openHubDataset("org/parts", { environment: online, files: [shard(0)] });
    const environment = hub.environment(cache, { offline: true });
    await expect(openHubDataset("org/parts", { environment })).rejects.toThrow("holds 1 of the 2 files");
    expect((await openHubDataset("org/parts", { environment, files: [shard(0)] })).files).toHaveLength(1);
    await openHubDataset("org/parts", { environment: online });
    expect((await openHubDataset("org/parts", { environment })).files).toHaveLength(2);
    await expect(openHubDataset("org/parts", { environment, commit: SECOND })).rejects.toThrow(
      "not in the cache",
    );
  });

  test("the commit of a branch alone; a commit that is known is not asked for", async () => {
    const sets = { "org/maths": maths() };
    const hub = await startHub(sets);
    const cache = scratchFolder();
    const environment = hub.environment(cache);
    expect(await resolveHubCommit("org/maths", { environment })).toBe(SECOND);
    expect(await resolveHubCommit("org/maths", { environment, revision: FIRST })).toBe(FIRST);
    expect(hub.requests).toEqual(["GET /api/datasets/org/maths/revision/main"]);
    sets["org/maths"].refs["main"] = FIRST;
    const pinned = await openHubDataset("org/maths", { environment, commit: SECOND });
    expect(pinned).toMatchObject({ revision: "main", commit: SECOND });
    expect(hub.requests.filter((line) => line.includes("/revision/"))).toHaveLength(1);
    expect(await resolveHubCommit("org/maths", { environment })).toBe(FIRST);
    const offline = hub.environment(cache, { offline: true });
    expect(await resolveHubCommit("org/maths", { environment: offline })).toBe(FIRST);
    await expect(openHubDataset("org/maths", { environment, commit: "main" })).rejects.toThrow(
      "40 hexadecimal digits",
    );
  });

  test("a closed data set needs the token, which the error never shows", async () => {
    const hub = await startHub({ "org/closed": { ...maths(), token: "hf_secret" } });
    const cache = scratchFolder();
    const open = (token: string | null) =>
      openHubDataset("org/closed", { environment: hub.environment(cache, { token }) });
    expect((await open("hf_secret")).commit).toBe(SECOND);
    const error = await open("hf_wrong").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toContain("refuses it (status 401)");
    expect(JSON.stringify(error)).not.toContain("hf_wrong");
    await expect(open(null)).rejects.toMatchObject({ hint: expect.stringContaining("HF_TOKEN") });
  });

  test("the token goes to the Hub alone, wherever an answer points", async () => {
    const authorizations: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      authorizations.push(request.headers.authorization);
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end("[]");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const nextPage = `http://127.0.0.1:${(other.address() as AddressInfo).port}/page`;
    const hub = await startHub({ "org/closed": { ...maths(), token: "hf_secret", nextPage } });
    const environment = hub.environment(scratchFolder(), { token: "hf_secret" });
    await openHubDataset("org/closed", { environment });
    expect(authorizations).toEqual([undefined]);
  });

  test("a server that fails is asked again, three times at most; what is not there is not", async () => {
    const hub = await startHub({ "org/maths": maths() });
    const environment = hub.environment(scratchFolder());
    hub.failWith(503, 429);
    expect((await openHubDataset("org/maths", { environment, ...fast })).commit).toBe(SECOND);
    hub.failWith(500, 500, 500);
    await expect(openHubDataset("org/maths", { environment, ...fast })).rejects.toThrow("status 500");
    const before = hub.requests.length;
    await expect(openHubDataset("org/none", { environment, ...fast })).rejects.toThrow(
      "no such data set or revision",
    );
    expect(hub.requests.length).toBe(before + 1);
  });

  test("content that is not what the Hub lists is refused and not kept", async () => {
    const changed = { ...maths(), sent: { "data/train-0.jsonl": rows("x", "y") } };
    const short = { ...maths(), sent: { "data/train-1.jsonl": "" } };
    const hub = await startHub({ "org/changed": changed, "org/short": short });
    const cache = scratchFolder();
    const environment = hub.environment(cache);
    await expect(openHubDataset("org/changed", { environment, ...fast })).rejects.toThrow(
      "expected content with hash",
    );
    await expect(openHubDataset("org/short", { environment, ...fast })).rejects.toThrow(
      /train-1\.jsonl: expected \d+ bytes/,
    );
    const kept = readdirSync(join(cache, "datasets--org--changed", "blobs"));
    expect(kept).toHaveLength(1); // the card
  });

  test("a server that is not there, names that are none, paths that lead out of the cache", async () => {
    const environment = {
      endpoint: "http://127.0.0.1:9",
      cacheFolder: scratchFolder(),
      offline: false,
      token: null,
      timeoutMs: 10_000,
    };
    await expect(openHubDataset("org/maths", { environment, ...fast })).rejects.toThrow("cannot be reached");
    for (const name of ["", "a/b/c", "../x", "org/..", "a b"])
      await expect(openHubDataset(name, { environment })).rejects.toThrow("expected org/name");
    await expect(openHubDataset("a/b", { environment, revision: "../../x" })).rejects.toThrow("revision");
    const hub = await startHub({
      "org/evil": {
        commits: { [FIRST]: { "../../out.jsonl": rows("a"), "ok.jsonl": rows("b") } },
        refs: { main: FIRST },
      },
    });
    const cache = scratchFolder();
    const set = await openHubDataset("org/evil", { environment: hub.environment(join(cache, "hub")) });
    expect(set.files.map(({ path }) => path)).toEqual(["ok.jsonl"]);
    expect(existsSync(join(cache, "out.jsonl"))).toBe(false);
  });

  test("a link whose content was deleted is made again", async () => {
    const hub = await startHub({ "org/maths": maths() });
    const cache = scratchFolder();
    const environment = hub.environment(cache);
    const set = await openHubDataset("org/maths", { environment });
    rmSync(join(cache, "datasets--org--maths", "blobs"), { recursive: true });
    expect((await openHubDataset("org/maths", { environment })).files).toEqual(set.files);
    expect(readFileSync(set.files[0]!.local, "utf8")).toBe(rows("a", "b"));
  });
});

const python = process.env["POLARIS_PYTHON"];
if (python === undefined) console.warn("skipped: POLARIS_PYTHON names no Python with huggingface_hub");

const FIND_SCRIPT = `
import json, sys
from huggingface_hub import hf_hub_download, scan_cache_dir
cache = sys.argv[1]
found = hf_hub_download("org/maths", "data/train-0.jsonl", repo_type="dataset", cache_dir=cache, local_files_only=True)
info = scan_cache_dir(cache)
print(json.dumps({"text": open(found).read(), "warnings": [str(one) for one in info.warnings],
    "commits": [r.commit_hash for repo in info.repos for r in repo.revisions]}))
`;

test.skipIf(python === undefined)(
  "huggingface_hub finds in the cache what was downloaded here, and nothing wrong with it",
  { timeout: 120_000 },
  async () => {
    const hub = await startHub({ "org/maths": maths() });
    const cache = scratchFolder();
    await openHubDataset("org/maths", { environment: hub.environment(cache) });
    const output = execFileSync(python!, ["-c", FIND_SCRIPT, cache], {
      encoding: "utf8",
      env: { ...process.env, HF_HUB_OFFLINE: "1" },
    });
    expect(JSON.parse(output)).toEqual({ text: rows("a", "b"), warnings: [], commits: [SECOND] });
  },
);

describe("files of a split", () => {
  const paths = [
    "README.md",
    "data/train-0.parquet",
    "data/test-0.parquet",
    "extra/hard.jsonl",
    "pictures/train.png",
  ];

  test("by pattern", () => {
    expect(matchesPattern("data/train-0.parquet", "data/*.parquet")).toBe(true);
    expect(matchesPattern("data/deep/x.parquet", "data/*.parquet")).toBe(false);
    expect(matchesPattern("data/deep/x.parquet", "**/*.parquet")).toBe(true);
    expect(matchesPattern("x.parquet", "**/*.parquet")).toBe(true);
    expect(matchesPattern("a".repeat(500), `${"*a".repeat(200)}b`)).toBe(false);
    expect(selectDataFiles(paths, null, { files: ["extra/*"] })).toEqual(["extra/hard.jsonl"]);
    expect(() => selectDataFiles(paths, null, { files: ["*.csv"] })).toThrow(
      "no file matches *.csv (files with rows: data/",
    );
  });

  test("by name, with the words people use for splits", () => {
    expect(selectDataFiles(paths, null)).toEqual(["data/train-0.parquet"]);
    expect(selectDataFiles(paths, null, { split: "test" })).toEqual(["data/test-0.parquet"]);
    expect(selectDataFiles(["dev.jsonl", "x.jsonl"], null, { split: "validation" })).toEqual(["dev.jsonl"]);
    expect(selectDataFiles(["polaris-data-53K.jsonl"], null)).toEqual(["polaris-data-53K.jsonl"]);
    expect(selectDataFiles(["constraints.jsonl"], null)).toEqual(["constraints.jsonl"]);
    expect(() => selectDataFiles(paths, null, { split: "validation" })).toThrow(
      'no file of split "validation"',
    );
  });

  test("by the card", () => {
    const card = `---
configs:
- config_name: easy
  data_files: extra/hard.jsonl
- config_name: default
  data_files:
  - {split: train, path: "data/t*"}
  - {split: hard, path: [extra/*]}
---
# A card`;
    expect(selectDataFiles(paths, card)).toEqual(["data/test-0.parquet", "data/train-0.parquet"]);
    expect(selectDataFiles(paths, card, { split: "hard" })).toEqual(["extra/hard.jsonl"]);
    expect(selectDataFiles(paths, card, { config: "easy" })).toEqual(["extra/hard.jsonl"]);
    expect(() => selectDataFiles(paths, card, { split: "no" })).toThrow(
      'no split "no" (there are train, hard)',
    );
    expect(() => selectDataFiles(paths, card, { config: "no" })).toThrow("there are easy, default");
    const several =
      "---\nconfigs: [{config_name: a, data_files: x/*}, {config_name: b, data_files: y/*}]\n---";
    expect(() => selectDataFiles(paths, several)).toThrow("several configurations and no default one: a, b");
    expect(selectDataFiles(paths, several, { files: ["extra/*"] })).toEqual(["extra/hard.jsonl"]);
    expect(selectDataFiles(paths, "---\n[broken\n---\n")).toEqual(["data/train-0.parquet"]);
  });
});

test("the environment's variables, in the order every Hub tool has", () => {
  const home = scratchFolder();
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "token"), "hf_file\n");
  expect(readHubEnvironment({ HF_HOME: home })).toEqual({
    endpoint: "https://huggingface.co",
    cacheFolder: join(home, "hub"),
    offline: false,
    token: "hf_file",
    timeoutMs: 10_000,
  });
  const variables = {
    HF_HOME: home,
    HF_HUB_CACHE: "/c",
    HF_TOKEN: "hf_a",
    HF_HUB_OFFLINE: "1",
    HF_ENDPOINT: "http://h/",
    HF_HUB_DOWNLOAD_TIMEOUT: "2.5",
  };
  expect(readHubEnvironment(variables)).toEqual({
    endpoint: "http://h",
    cacheFolder: "/c",
    offline: true,
    token: "hf_a",
    timeoutMs: 2500,
  });
  expect(readHubEnvironment({ HF_HOME: "~/hf", HF_DATASETS_OFFLINE: "1" })).toMatchObject({
    cacheFolder: join(homedir(), "hf", "hub"),
    offline: true,
  });
  expect(() => readHubEnvironment({ HF_HOME: home, HF_HUB_DOWNLOAD_TIMEOUT: "soon" })).toThrow("seconds");
  expect(() => readHubEnvironment({ HF_HOME: home, HF_ENDPOINT: "https://me:secret@h" })).toThrow(
    /^((?!secret).)*$/,
  );
  expect(() => readHubEnvironment({ HF_HOME: home, HF_ENDPOINT: "h" })).toThrow("HF_ENDPOINT");
  expect(() => readHubEnvironment({ HF_HOME: home, HF_TOKEN: "secret" })).toThrow(/^((?!secret).)*$/);
});
