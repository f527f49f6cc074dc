import { expect, test } from "vitest";
import { problemKey } from "./problem-key.ts";

test("one key for copies that differ in case, spacing and Unicode form, another for another problem", () => {
  const key = problemKey("Find the value of x² when x = 3.");
  expect(problemKey("  find the VALUE of\n x² when x  = 3. ")).toBe(key);
  expect(problemKey("Find the value of x2 when x = 3.")).toBe(key);
  expect(problemKey("Find the value of x² when x = 4.")).not.toBe(key);
  expect(key).toMatch(/^[0-9a-f]{16}$/);
  // FNV-1a of the empty text is its offset basis.
  expect(problemKey("")).toBe("cbf29ce484222325");
});
