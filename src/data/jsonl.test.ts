import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { appendJsonl, readJsonl, writeJsonl } from "./jsonl.ts";
import { collect, scratchFolder } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

const valuesOf = async (path: string, options = {}) =>
  (await collect(readJsonl(path, options))).map((line) => line.value);

function fileWith(content: string | Uint8Array, name = "x.jsonl"): string {
  const path = join(scratchFolder(), name);
  writeFileSync(path, content);
  return path;
}

describe("round trip", () => {
  test.each(["x.jsonl", "x.jsonl.gz"])("%s: any JSON comes back in order", async (name) => {
    const path = join(scratchFolder(), name);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), async (rows) => {
        writeJsonl(path, rows);
        // JSON has one zero: -0 is written as 0.
        expect(await valuesOf(path)).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
      { numRuns: 60 },
    );
  });

  test("rows longer than a piece, over many gzip members, and equal bytes every time", async () => {
    const folder = scratchFolder();
    const rows = Array.from({ length: 40 }, (_, i) => ({ i, text: "äx\n".repeat(30_000 + i) }));
    writeJsonl(join(folder, "a.jsonl.gz"), rows);
    writeJsonl(join(folder, "b.jsonl.gz"), rows);
    expect(await valuesOf(join(folder, "a.jsonl.gz"))).toEqual(rows);
    expect(readFileSync(join(folder, "a.jsonl.gz"))).toEqual(readFileSync(join(folder, "b.jsonl.gz")));
    expect(
      gunzipSync(readFileSync(join(folder, "a.jsonl.gz")))
        .toString("utf8")
        .split("\n"),
    ).toHaveLength(41);
  });

  test("no rows give an empty file that reads as no rows", async () => {
    const folder = scratchFolder();
    for (const name of ["x.jsonl", "x.jsonl.gz"]) {
      writeJsonl(join(folder, name), []);
      expect(await valuesOf(join(folder, name))).toEqual([]);
    }
  });

  test.each(["x.jsonl", "x.jsonl.gz"])("%s: appending adds rows", async (name) => {
    const path = join(scratchFolder(), name);
    appendJsonl(path, [1]);
    appendJsonl(path, []);
    appendJsonl(path, [2, 3]);
    expect(await valuesOf(path)).toEqual([1, 2, 3]);
  });
});

describe("reading", () => {
  test("Windows line ends, blank lines, a byte order mark and a missing last line end", async () => {
    const lines = await collect(readJsonl(fileWith('\ufeff{"a":1}\r\n\r\n  \n[2]')));
    expect(lines.map(({ value, line }) => [line, value])).toEqual([
      [1, { a: 1 }],
      [4, [2]],
    ]);
  });

  test("a line break inside a multi-byte character's neighbourhood does not split it", async () => {
    const text = "€".repeat(200_000);
    expect(await valuesOf(fileWith(`${JSON.stringify(text)}\n1\n`))).toEqual([text, 1]);
  });

  test.each<[string, () => string, string]>([
    ["missing file", () => join(scratchFolder(), "none.jsonl"), "no such file"],
    ["missing gzip file", () => join(scratchFolder(), "none.jsonl.gz"), "no such file"],
    ["a folder", () => scratchFolder(), "cannot be read (EISDIR)"],
    ["not JSON", () => fileWith('1\n{"a":\n2\n'), "x.jsonl:2: not JSON"],
    ["not UTF-8", () => fileWith(Buffer.from([0x31, 0x0a, 0xff, 0x0a])), "x.jsonl:2: not UTF-8"],
    ["no gzip", () => fileWith("1\n", "x.jsonl.gz"), "damaged or no gzip"],
    [
      "half a gzip",
      () => fileWith(gzipSync(Buffer.alloc(1e5, "1\n")).subarray(0, 60), "x.gz"),
      "damaged or no gzip",
    ],
  ])("%s is one DataError", async (_, make, message) => {
    const path = make();
    await expect(valuesOf(path)).rejects.toThrow(DataError);
    await expect(valuesOf(path)).rejects.toThrow(message);
  });

  test("a line beyond the cap is refused before it is held in memory, also out of a gzip bomb", async () => {
    const bomb = fileWith(gzipSync(Buffer.alloc(50_000_000, "a")), "x.jsonl.gz");
    await expect(valuesOf(bomb, { maxLineBytes: 1e6 })).rejects.toThrow(
      "x.jsonl.gz:1: expected a line of at most 1000000 bytes",
    );
    expect(await valuesOf(fileWith('"aaaa"\n"bbbb"\n'), { maxLineBytes: 6 })).toEqual(["aaaa", "bbbb"]);
  });

  test("what a kill leaves of an append is an error, or left out on request; other lines never are", async () => {
    const path = join(scratchFolder(), "x.jsonl");
    writeJsonl(path, [1, 2]);
    appendFileSync(path, '{"step": 3, "re');
    await expect(valuesOf(path)).rejects.toThrow("x.jsonl:3: not JSON");
    expect(await valuesOf(path, { ignorePartialTail: true })).toEqual([1, 2]);
    appendFileSync(path, "\n4\n");
    await expect(valuesOf(path, { ignorePartialTail: true })).rejects.toThrow("x.jsonl:3: not JSON");
  });

  test("a reader may stop early", async () => {
    const path = join(scratchFolder(), "x.jsonl.gz");
    writeJsonl(
      path,
      Array.from({ length: 100_000 }, (_, i) => i),
    );
    for await (const { value } of readJsonl(path)) {
      expect(value).toBe(0);
      break;
    }
  });
});

test("numbers JSON cannot hold are refused, not turned into null, and nothing is written", () => {
  const path = join(scratchFolder(), "x.jsonl");
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => writeJsonl(path, [{ logprobs: [0, value] }])).toThrow("expected a finite number");
  expect(() => writeJsonl(path, [undefined])).toThrow(TypeError);
  expect(existsSync(path)).toBe(false);
});
