import { expect, test } from "vitest";
import { problemKey } from "./problem-key.ts";

test("one key for copies that differ in spacing or Unicode composition", () => {
  const key = problemKey("Café: find x² when x = 3.");
  expect(problemKey("  Cafe\u0301: find\n x² when\t x  = 3. ")).toBe(key);
  expect(key).toMatch(/^[0-9a-f]{16}$/);
  // FNV-1a of the empty text is its offset basis.
  expect(problemKey("")).toBe("cbf29ce484222325");
  expect(problemKey("a")).toBe("af63dc4c8601ec8c");
});

test("different mathematics, different keys", () => {
  const texts = ["Find x² + X.", "Find x2 + X.", "Find x² + x.", "Find X² + x."];
  expect(new Set(texts.map(problemKey)).size).toBe(texts.length);
});
