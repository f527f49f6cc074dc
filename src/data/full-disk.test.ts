/** A disk that is full while a file is written: one clear line, nothing half kept, and it goes on when there is room. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StoreError } from "../errors.ts";
import { openSmallDisk, smallDisksWork } from "../store/testing/small-disk.ts";
import { appendToFile, openAtomicFile, writeFileAtomic, writeFolderAtomic } from "./atomic.ts";
import { appendJsonl, writeJsonl } from "./jsonl.ts";
import { openRowFile } from "./row-file.ts";
import { type JournalResponse, openSampleJournal } from "./sample-journal.ts";
import { scratchFolder } from "./testing.ts";

const works = smallDisksWork();

/** The error an action ends with; it must be one the user can act on. */
async function refused(action: () => unknown): Promise<StoreError> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(StoreError);
    const { message, hint } = error as StoreError;
    expect(message).toMatch(/^cannot write \S+: no space left on the disk$/);
    expect(hint).toMatch(/free some space/);
    return error as StoreError;
  }
  throw new Error("expected an error");
}

/** Rows that hardly compress: about 120 kB. */
const rows = Array.from({ length: 1000 }, (_, i) => ({
  id: i,
  text: Array.from({ length: 12 }, (_, j) => Math.sin(1000 * i + j).toString(36)).join(""),
}));

/** Ways to write a whole file or folder, by the name they write. */
const WRITERS: [name: string, write: (path: string) => unknown][] = [
  ["text.txt", (path) => writeFileAtomic(path, JSON.stringify(rows))],
  ["rows.jsonl", (path) => writeJsonl(path, rows)],
  ["rows.jsonl.gz", (path) => writeJsonl(path, rows)],
  ...["table.jsonl", "table.jsonl.gz", "table.parquet"].map((name): [string, (path: string) => unknown] => [
    name,
    (path) => {
      const file = openRowFile(path, { id: "int64", text: "string" });
      try {
        for (const row of rows) file.write(row);
        file.close();
      } finally {
        file.discard();
      }
    },
  ]),
  [
    "folder",
    (path) =>
      writeFolderAtomic(path, (partial) => {
        writeFileAtomic(join(partial, "first.json"), "1");
        writeFileSync(join(partial, "second.json"), JSON.stringify(rows));
      }),
  ],
];

describe("a device that is full", () => {
  // Linux has one everywhere; the partial file is made to be it.
  test.skipIf(process.platform !== "linux").each(WRITERS.filter(([name]) => name !== "folder"))(
    "%s is refused and leaves nothing",
    async (name, write) => {
      const folder = scratchFolder();
      symlinkSync("/dev/full", join(folder, `${name}.partial`));
      const { message } = await refused(() => write(join(folder, name)));
      expect(message).toContain(name);
      expect(readdirSync(folder)).toEqual([]);
      await write(join(folder, name));
      expect(readdirSync(folder)).toEqual([name]);
    },
  );

  test.skipIf(process.platform !== "linux")("a file that cannot take its name leaves nothing either", () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, "name/inside"), { recursive: true });
    const file = openAtomicFile(join(folder, "name"));
    file.write(Buffer.from("text"));
    expect(() => file.commit()).toThrow(/cannot write/);
    file.discard();
    expect(readdirSync(folder)).toEqual(["name"]);
  });
});

describe.skipIf(!works)("on a full disk", () => {
  test.each(WRITERS)("%s is refused, what was there before stays", async (name, write) => {
    const disk = openSmallDisk(2 ** 20);
    const path = join(disk.folder, name);
    for (const leave of [0, 4096, 20_000]) {
      disk.fill(leave);
      await refused(() => write(path));
      expect(readdirSync(disk.folder)).toEqual(["filler"]);
    }
    disk.free();
    await write(path);
    expect(readdirSync(disk.folder)).toEqual([name]);
    disk.fill(4096);
    await refused(() => write(path));
    expect(readdirSync(disk.folder).sort()).toEqual(["filler", name]);
  });

  test("what is appended is there as a whole or not at all", async () => {
    const disk = openSmallDisk(2 ** 20);
    const path = join(disk.folder, "log.jsonl");
    appendJsonl(path, rows.slice(0, 10));
    const before = readFileSync(path, "utf8");
    for (const leave of [0, 4096, 20_000]) {
      disk.fill(leave);
      await refused(() => appendJsonl(path, rows));
      expect(readFileSync(path, "utf8")).toBe(before);
      await refused(() => appendToFile(path, Buffer.alloc(50_000)));
      expect(readFileSync(path, "utf8")).toBe(before);
    }
    disk.free();
    appendJsonl(path, rows.slice(10, 12));
    expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(12);
  });

  test("the journal keeps every response it acknowledged and goes on behind them", async () => {
    const disk = openSmallDisk(2 ** 20);
    const path = join(disk.folder, "out.journal.jsonl");
    const settings = { model: "m", seed: 1 };
    const keyOf = (sample: number) => ({ problemId: "p", sample, prompt: "hash" });
    const response = (sample: number): JournalResponse => ({
      seed: sample,
      text: `${sample} `.repeat(700),
      promptTokens: [],
      tokens: [1, 2, 3],
      logprobs: [],
      finishReason: "stop",
    });
    disk.fill(30_000);
    const journal = openSampleJournal(path, settings);
    let kept = 0;
    await refused(() => {
      for (; kept < 1000; kept++) journal.append(keyOf(kept), response(kept));
    });
    expect(kept).toBeGreaterThan(3);
    await refused(() => journal.append(keyOf(kept), response(kept)));
    expect(journal.has(keyOf(kept))).toBe(false);
    for (let i = 0; i < kept; i++) expect(journal.read(keyOf(i))).toEqual(response(i));
    // A process that ended here leaves the same as one that goes on.
    const left = openSampleJournal(path, settings);
    expect(left.has(keyOf(kept - 1))).toBe(true);
    expect(left.has(keyOf(kept))).toBe(false);
    left.close();
    disk.free();
    journal.append(keyOf(kept), response(kept));
    journal.close();
    const again = openSampleJournal(path, settings);
    for (let i = 0; i <= kept; i++) expect(again.read(keyOf(i))).toEqual(response(i));
    again.close();
    disk.fill();
    await refused(() => openSampleJournal(join(disk.folder, "new.jsonl"), settings));
  });
});
