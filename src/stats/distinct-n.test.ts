import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { distinctN, meanDistinctN, splitWhitespace } from "./distinct-n.ts";

fc.configureGlobal({ seed: 20260318 });

describe("splitWhitespace, as Python's str.split()", () => {
  test("all 29 characters Python 3 splits on, and none of the look-alikes", () => {
    const splits = [
      9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
      0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    ];
    const found: number[] = [];
    for (let code = 0; code <= 0xffff; code++)
      if (splitWhitespace(`a${String.fromCharCode(code)}b`).length === 2) found.push(code);
    expect(found).toEqual(splits);
  });

  test("runs and edges give no empty token", () => {
    expect(splitWhitespace("  a \n\t b\x85c ")).toEqual(["a", "b", "c"]);
    expect(splitWhitespace(" \n ")).toEqual([]);
    expect(splitWhitespace("")).toEqual([]);
  });
});

describe("distinctN", () => {
  test("worked examples", () => {
    expect(distinctN(["a b c d e"])).toBe(1);
    expect(distinctN(["a b c d", "a b c d"])).toBe(0.5);
    expect(distinctN(["a a a a a a"])).toBe(1 / 3);
    expect(distinctN(["a b c", ""])).toBe(0);
    expect(distinctN(["A b", "a b"], 2)).toBe(1);
  });

  test("n-grams do not cross responses, and a word is not confused with its parts", () => {
    expect(distinctN(["a b", "c d"], 3)).toBe(0);
    expect(distinctN(["1 11", "11 1"], 2)).toBe(1);
    expect(distinctN(["a,b c", "a b,c"], 2)).toBe(1);
  });

  test("equals a brute count", () => {
    const response = fc
      .array(fc.constantFrom("a", "b", "cc"), { maxLength: 9 })
      .map((words) => words.join(" "));
    fc.assert(
      fc.property(fc.array(response, { maxLength: 5 }), fc.integer({ min: 1, max: 4 }), (responses, n) => {
        const all = responses.flatMap((text) => {
          const words = text === "" ? [] : text.split(" ");
          return words.flatMap((_, i) =>
            i + n <= words.length ? [JSON.stringify(words.slice(i, i + n))] : [],
          );
        });
        const expected = all.length === 0 ? 0 : new Set(all).size / all.length;
        expect(distinctN(responses, n)).toBe(expected);
        expect(distinctN([...responses].reverse(), n)).toBe(expected);
      }),
    );
  });

  test("mean over problems", () => {
    expect(meanDistinctN([["a b c d"], ["a b c d", "a b c d"]])).toBe(0.75);
    expect(() => meanDistinctN([])).toThrow("none");
    expect(() => distinctN(["a"], 0)).toThrow(RangeError);
  });
});

const GOLDEN = new URL("../../../shared/golden/golden_grading.json", import.meta.url);

describe.skipIf(!existsSync(GOLDEN))(
  "golden_grading.json (skipped where the reference files are absent)",
  () => {
    test("distinct-4 of the original script", () => {
      const rows = JSON.parse(readFileSync(GOLDEN, "utf8")).diversity4 as [string[], number][];
      expect(rows.length).toBe(7);
      for (const [responses, expected] of rows) expect(distinctN(responses, 4)).toBeCloseTo(expected, 12);
    });
  },
);
