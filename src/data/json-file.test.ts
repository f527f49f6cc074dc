import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CheckpointError, DataError } from "../errors.ts";
import { readJsonFile } from "./json-file.ts";
import { scratchFolder } from "./testing.ts";

function fileWith(content: string): string {
  const path = join(scratchFolder(), "x.json");
  writeFileSync(path, content);
  return path;
}

test("reads JSON", () => {
  expect(readJsonFile(fileWith('{"a": [1, null]}'))).toEqual({ a: [1, null] });
});

test("every failure is one error of the wanted kind, naming the file", () => {
  const missing = join(scratchFolder(), "none.json");
  expect(() => readJsonFile(missing)).toThrow(DataError);
  expect(() => readJsonFile(missing)).toThrow(`${missing}: no such file`);
  expect(() => readJsonFile(missing, { kind: "checkpoint" })).toThrow(CheckpointError);
  expect(() => readJsonFile(join(fileWith("{}"), "inside"))).toThrow("no such file");
  expect(() => readJsonFile(scratchFolder())).toThrow("cannot be read (EISDIR)");
  expect(() => readJsonFile(fileWith("{"))).toThrow("x.json: not JSON");
  expect(() => readJsonFile(fileWith('"12345678"'), { maxBytes: 9 })).toThrow(
    "expected at most 9 bytes, got 10",
  );
});

test("the hint is the caller's", () => {
  try {
    readJsonFile(join(scratchFolder(), "none.json"), { hint: "make it" });
    expect.unreachable();
  } catch (error) {
    expect((error as DataError).hint).toBe("make it");
  }
});
