/** Files made to harm: each is refused in one line, in bounded memory and time, and nothing else breaks. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { unpackZstd } from "./parquet-pages.ts";
import { readParquet } from "./parquet-read.ts";
import { readProblems } from "./problems.ts";
import { readRows } from "./rows.ts";
import { collect, scratchFolder } from "./testing.ts";

/** A table with one row and these columns of integers, all of them missing values. */
function table(schema: SchemaElement[], names: string[], codec?: "SNAPPY"): Buffer {
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema, statistics: false, ...(codec ? { codec } : {}) });
  file.write({ columnData: names.map((name) => ({ name, data: [null] })), rowGroupSize: 1 });
  file.finish();
  return Buffer.from(writer.getBytes());
}

const leaf = (name: string): SchemaElement => ({ name, type: "INT32", repetition_type: "OPTIONAL" });

/** 400 rows of text packed by a streaming writer of pyarrow, which states no length. */
const FRAME =
  "KLUv/QBIfQwAVp0/FLBpOWBZiFJED1M7UkqZUkpSL3EwSAA0ADQAMzMzMyMiIiIi8v///9u2bdtt27YtSZIkuW3btqKRu9yB4SDhADBgIKCwUHBQWAgQQBBIOCwEECwcFhoEFg4Bh4GDQxwYDhICRERENDMzMzMjIiIiIvL////btm3bbdu2LUmSJLlt27bFYrFYLBaLxWJVVVVVVUREREREE1VVRUREREQ0MzMzMyMiIiIi8v///9u2bdtt27YtSZIkuW3btgWDwWAwGAwGg1VVVVVVRBRVVVVVVUREREREMzMzMzMiIiIiIv///79t27bdtm3bkiRJktu2bVs0Go1Go9FoNFpVVQGBj6gh6O7/G9E3qgMS+P9fQQDCH/+//7/f39/f7+/u7/fn8zSllFJKyV//f/99f793v79fv9/fgymllKaUkn/v//5/fn+/d7+/n7/fN5ioEmKlw58MKxV+ibDS4E+ClQJ/AhQAEAIQAYAAQAAgABAQ/j6/0vfxlb1Pr8j78Ipx99vleTNv5jLzhsEU5akq";

async function refusal(path: string): Promise<string> {
  const error = await collect(readRows(path)).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).toContain(path);
  expect(message).not.toContain("\n");
  return message.replace(path, "FILE");
}

test("Parquet: more columns than a table has, structs within structs", async () => {
  const wide = join(scratchFolder(), "wide.parquet");
  const names = Array.from({ length: 30_001 }, (_, i) => `c${i}`);
  writeFileSync(wide, table([{ name: "root", num_children: names.length }, ...names.map(leaf)], names));
  expect(await refusal(wide)).toContain("30002 columns and fields, more than 30000");

  const deep = join(scratchFolder(), "deep.parquet");
  const levels: SchemaElement[] = Array.from({ length: 5000 }, () => ({
    name: "s",
    num_children: 1,
    repetition_type: "OPTIONAL" as const,
  }));
  // A schema the writer would not walk either: it is put in place of a harmless one.
  const writer = new ByteWriter();
  const file = new ParquetWriter({
    writer,
    schema: [{ name: "root", num_children: 1 }, leaf("a")],
    statistics: false,
  });
  file.write({ columnData: [{ name: "a", data: [1] }], rowGroupSize: 1 });
  (file as unknown as { schema: SchemaElement[] }).schema = [
    { name: "root", num_children: 1 },
    ...levels,
    leaf("a"),
  ];
  file.finish();
  writeFileSync(deep, Buffer.from(writer.getBytes()));
  expect(await refusal(deep)).toContain("nested more than 64 levels deep");
});

test("Zstandard without a stated length is unpacked into the length of the page, and no further", () => {
  const frame = Buffer.from(FRAME, "base64");
  const text = Array.from({ length: 400 }, (_, i) => `row ${i} of a text that repeats itself; `).join("");
  expect(Buffer.from(unpackZstd(frame, text.length)).toString()).toBe(text);
  // 2000 blocks of one repeated byte: 262 MB out of 8 kB.
  const block = [((131_072 << 3) | 2) & 0xff, (((131_072 << 3) | 2) >> 8) & 0xff, (131_072 << 3) >> 16, 0x78];
  const bomb = Uint8Array.from([
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0,
    0x58,
    ...Array.from({ length: 2000 }, () => block).flat(),
    1,
    0,
    0,
  ]);
  const before = process.memoryUsage().arrayBuffers;
  expect(() => unpackZstd(bomb, 1000)).toThrow("out of bounds");
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
});

test("JSON: levels without end, a line without end, halves of characters, NULs, bytes that are no text", async () => {
  const folder = scratchFolder();
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const levels = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const deep = write(
    "deep.jsonl",
    `{"problem":"q","answer":"1","x":${levels}}\n{"problem":"r","answer":"2"}\n`,
  );
  await expect(readProblems(deep)).rejects.toThrow(/deep\.jsonl:1: expected at most 100 levels/);
  const left: string[] = [];
  const kept = await readProblems(deep, { onInvalid: (error) => void left.push(error.message) });
  expect(kept.map(({ prompt }) => prompt)).toEqual(["r"]);
  expect(left).toHaveLength(1);

  const odd = write(
    "odd.jsonl",
    '{"problem":"a\\u0000b \\ud800","answer":"1"}\r\n\r\n{"problem":"c","answer":2}',
  );
  expect((await readProblems(odd)).map(({ prompt }) => prompt)).toEqual(["a\0b \ud800", "c"]);
  expect(await refusal(write("bytes.jsonl", Uint8Array.of(0x7b, 0xff, 0x7d)))).toBe("FILE:1: not UTF-8");
  expect(await refusal(write("set.jsonl.zst", "(\xb5/\xfd"))).toContain("expected Parquet, JSON lines");
  expect(await refusal(write("open.json", '[{"problem":"q"'))).toContain("ends within the array");
  expect(await refusal(write("empty.json.gz", ""))).toMatch(/FILE/);
});

test("names that mean something to the language are columns like others", async () => {
  const path = join(scratchFolder(), "names.jsonl");
  writeFileSync(
    path,
    '{"problem":"q","answer":"1","__proto__":{"polluted":true},"constructor":"c","toString":3}\n',
  );
  const [problem] = await readProblems(path);
  expect(Object.keys(problem!.meta).sort()).toEqual(["__proto__", "constructor", "toString"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test("a page that claims more than it has is refused", async () => {
  const path = join(scratchFolder(), "t.parquet");
  const whole = table([{ name: "root", num_children: 1 }, leaf("a")], ["a"], "SNAPPY");
  // Thrift: the second field of the page header, a zigzag number, is the size unpacked.
  let refused = 0;
  for (let at = 4; at < 20; at++) {
    const bytes = Buffer.concat([
      whole.subarray(0, at),
      Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
      whole.subarray(at + 5),
    ]);
    writeFileSync(path, bytes);
    await collect(readParquet(path)).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DataError);
      refused++;
    });
  }
  expect(refused).toBeGreaterThan(5);
});
