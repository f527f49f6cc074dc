import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StoreError } from "../errors.ts";
import { appendToFile, writeFileAtomic, writeFolderAtomic, writePiecesAtomic } from "./atomic.ts";
import { scratchFolder } from "./testing.ts";

const bytes = (text: string) => Buffer.from(text, "utf8");

describe("files", () => {
  test("parent folders are made and nothing but the file stays", () => {
    const folder = scratchFolder();
    writeFileAtomic(join(folder, "a/b/c.txt"), "é");
    expect(readFileSync(join(folder, "a/b/c.txt"), "utf8")).toBe("é");
    expect(readdirSync(join(folder, "a/b"))).toEqual(["c.txt"]);
  });

  test("a producer that fails leaves the older file and its own error", () => {
    const path = join(scratchFolder(), "x");
    writeFileAtomic(path, "old");
    const pieces = function* () {
      yield bytes("new, but not all of");
      throw new RangeError("no more");
    };
    expect(() => writePiecesAtomic(path, pieces())).toThrow(RangeError);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  test("a file where a folder should be is one line with a hint", () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, "file"), "");
    const write = () => writeFileAtomic(join(folder, "file/x"), "");
    expect(write).toThrow(StoreError);
    expect(write).toThrow(/cannot write .*a file is in the way of a folder$/);
  });

  test.skipIf(process.getuid?.() === 0)("a folder without permission", () => {
    const folder = scratchFolder();
    chmodSync(folder, 0o500);
    expect(() => writeFileAtomic(join(folder, "x"), "")).toThrow("permission denied");
    expect(() => appendToFile(join(folder, "x"), "")).toThrow("permission denied");
    chmodSync(folder, 0o700);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk", () => {
    expect(() => appendToFile("/dev/full", "x")).toThrow(/no space left on the disk/);
  });

  test("appending makes the file and its folder, then adds", () => {
    const path = join(scratchFolder(), "a/log");
    appendToFile(path, "1\n");
    appendToFile(path, bytes("2\n"));
    expect(readFileSync(path, "utf8")).toBe("1\n2\n");
  });
});

describe("folders", () => {
  test("the older folder is replaced whole", async () => {
    const path = join(scratchFolder(), "out");
    mkdirSync(path);
    writeFileSync(join(path, "old"), "");
    await writeFolderAtomic(path, (partial) => writeFileSync(join(partial, "new"), ""));
    expect(readdirSync(path)).toEqual(["new"]);
  });

  test("a file where a parent folder should be is one line", async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, "file"), "");
    const build = writeFolderAtomic(join(folder, "file/out"), () => {});
    await expect(build).rejects.toThrow(/a file is in the way of a folder$/);
  });

  test("a builder that fails leaves the older folder, and its own error", async () => {
    const path = join(scratchFolder(), "out");
    mkdirSync(path);
    writeFileSync(join(path, "old"), "");
    const build = writeFolderAtomic(path, () => {
      throw new RangeError("stop");
    });
    await expect(build).rejects.toThrow(RangeError);
    expect(readdirSync(path)).toEqual(["old"]);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });
});
