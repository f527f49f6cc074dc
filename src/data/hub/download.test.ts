import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { StoreError } from "../../errors.ts";
import { scratchFolder } from "../testing.ts";
import { openHubDataset } from "./dataset.ts";
import { type LocalDataset, startHub } from "./testing.ts";

const COMMIT = "a".repeat(40);
const CONTENT = Array.from({ length: 2000 }, (_, i) => `{"problem":"q${i}","answer":"${i}"}\n`).join("");

const numbers = (more: Partial<LocalDataset> = {}): LocalDataset => ({
  commits: { [COMMIT]: { "train.jsonl": CONTENT } },
  refs: { main: COMMIT },
  large: ["train.jsonl"],
  ...more,
});

const fast = { pauseMs: 1 };

async function fetchNumbers(more: Partial<LocalDataset>, changes = {}) {
  const hub = await startHub({ "org/numbers": numbers(more) });
  const cache = scratchFolder();
  const environment = hub.environment(cache, changes);
  const open = () => openHubDataset("org/numbers", { environment, ...fast });
  const blobs = join(cache, "datasets--org--numbers", "blobs");
  return { hub, open, blobs, contents: () => hub.requests.filter((line) => line.includes("/resolve/")) };
}

test("a download that is cut goes on where it ended", async () => {
  const { open, contents, blobs } = await fetchNumbers({ breaks: [1000, 20_000] });
  const { files } = await open();
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
  const ranges = contents().map((line) => /bytes=(\d+)-$/.exec(line)?.[1]);
  expect(ranges[0]).toBeUndefined();
  expect(ranges).toHaveLength(3);
  expect(Number(ranges[1])).toBeGreaterThan(0);
  expect(Number(ranges[2])).toBeGreaterThan(Number(ranges[1]));
  expect(readdirSync(blobs)).toHaveLength(1);
});

test("cuts without an end are given up, more of them while the file grows; the next call goes on", async () => {
  const { open, contents } = await fetchNumbers({ breaks: [900, 900, 900, 900, 0, 0] });
  await expect(open()).rejects.toThrow("cannot be reached");
  const before = contents().length;
  expect(before).toBeGreaterThan(3);
  const { files } = await open();
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
  expect(contents()).toHaveLength(before + 1);
  expect(contents().at(-1)).toMatch(/bytes=[1-9]\d+-$/);
});

test("a server that knows no ranges sends everything again, and a cut looks like its end", async () => {
  const { open, contents } = await fetchNumbers({ plain: true, breaks: [5000] });
  const { files } = await open();
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
  expect(contents()).toHaveLength(2);
});

test("what a killed process left is continued, what it got wrong is not kept", async () => {
  const { open, blobs, contents } = await fetchNumbers({ breaks: [5000, 0, 0] });
  await expect(open()).rejects.toThrow("cannot be reached");
  const [part] = readdirSync(blobs);
  expect(part).toMatch(/^[0-9a-f]{64}\.part$/);
  // A part of a living process is left alone; one that nobody writes to is not.
  const hash = part!.slice(0, 64);
  const wrong = join(blobs, `${hash}.99999-0.part`);
  writeFileSync(wrong, "x".repeat(6000));
  writeFileSync(join(blobs, part!), CONTENT.slice(0, 7000));
  const { files } = await open();
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
  expect(contents().at(-1)).toMatch(/bytes=7000-$/);
  expect(readdirSync(blobs).sort()).toEqual([hash, `${hash}.99999-0.part`]);
});

test("an abandoned part with other bytes fails by its hash and is gone; the next call fetches anew", async () => {
  const { open, blobs } = await fetchNumbers({ breaks: [5000, 0, 0] });
  await expect(open()).rejects.toThrow("cannot be reached");
  const [part] = readdirSync(blobs);
  const abandoned = join(blobs, part!.replace(".part", ".99999-0.part"));
  rmSync(join(blobs, part!));
  writeFileSync(abandoned, "x".repeat(6000));
  utimesSync(abandoned, 0, 0);
  await expect(open()).rejects.toThrow("expected content with hash");
  expect(readdirSync(blobs)).toEqual([]);
  expect(readFileSync((await open()).files[0]!.local, "utf8")).toBe(CONTENT);
});

test("content another tool left half written in the cache is fetched again", async () => {
  const { open, blobs } = await fetchNumbers({});
  const { files } = await open();
  const [hash] = readdirSync(blobs);
  writeFileSync(join(blobs, hash!), CONTENT.slice(0, 100));
  expect((await open()).files).toEqual(files);
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
});

test("a silent server is given up after its time", async () => {
  const silent = await fetchNumbers({ breaks: ["silent", "silent", "silent"] }, { timeoutMs: 50 });
  await expect(silent.open()).rejects.toThrow("cannot be reached (silent for 0.05 s)");
  const once = await fetchNumbers({ breaks: ["silent"] }, { timeoutMs: 200 });
  expect(readFileSync((await once.open()).files[0]!.local, "utf8")).toBe(CONTENT);
});

test("contents on another host come without the token, which stands nowhere on disk or in errors", async () => {
  const other = await startHub({ "org/numbers": numbers({ breaks: [3000] }) });
  const closed = numbers({ token: "hf_secret", contentAt: other.endpoint });
  const hub = await startHub({ "org/numbers": closed });
  const cache = scratchFolder();
  const environment = hub.environment(cache, { token: "hf_secret" });
  const { files } = await openHubDataset("org/numbers", { environment, ...fast });
  expect(readFileSync(files[0]!.local, "utf8")).toBe(CONTENT);
  expect(other.requests.at(-1)).toMatch(/bytes=\d+-$/);
  expect(other.authorizations).toEqual([undefined, undefined]);
  expect(hub.authorizations.every((line) => line === "Bearer hf_secret")).toBe(true);
  for (const name of readdirSync(cache, { recursive: true, withFileTypes: true }))
    if (name.isFile())
      expect(readFileSync(join(name.parentPath, name.name), "utf8")).not.toContain("hf_secret");

  closed.token = "hf_other";
  const error = await openHubDataset("org/numbers", { environment, ...fast }).catch(
    (cause: unknown) => cause,
  );
  expect(inspect(error, { depth: 10 })).toContain("refuses it (status 401)");
  expect(inspect(error, { depth: 10 })).not.toContain("hf_secret");
});

test("a gated data set says what to do; a file that was listed and is not there is named", async () => {
  const gated = await fetchNumbers({});
  gated.hub.failWith(403);
  await expect(gated.open()).rejects.toMatchObject({
    message: expect.stringContaining("refuses it (status 403)"),
    hint: expect.stringContaining("HF_TOKEN"),
  });
  const { open } = await fetchNumbers({ missing: ["train.jsonl"] });
  await expect(open()).rejects.toThrow("train.jsonl: listed, but not there");
});

test("a call that is stopped ends as what stopped it", async () => {
  const { hub } = await fetchNumbers({});
  const environment = hub.environment(scratchFolder());
  const open = openHubDataset("org/numbers", { environment, signal: AbortSignal.abort() });
  await expect(open).rejects.toMatchObject({ name: "AbortError" });
});

test("a cache that cannot be written is told with what to do", async () => {
  const hub = await startHub({ "org/numbers": numbers() });
  const file = join(scratchFolder(), "file");
  writeFileSync(file, "");
  const environment = hub.environment(join(file, "cache"));
  await expect(openHubDataset("org/numbers", { environment, ...fast })).rejects.toThrow(StoreError);
});
