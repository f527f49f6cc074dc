import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import { formatAccuracyLine, parseAccuracyLog, scoresByProblem } from "./accuracy-log.ts";

fc.configureGlobal({ seed: 20260318 });

const entries = fc.array(
  fc
    .array(
      fc.tuple(fc.oneof(fc.integer({ min: 0 }), fc.string()), fc.double({ min: 0, max: 1, noNaN: true })),
    )
    .map((pairs) => ({
      index: pairs.map(([i]) => i),
      score: pairs.map(([, s]) => (Object.is(s, -0) ? 0 : s)),
    })),
);

describe("accuracy log", () => {
  test("round trip", () => {
    fc.assert(
      fc.property(entries, (log) => {
        expect(parseAccuracyLog(log.map(formatAccuracyLine).join(""))).toEqual(log);
      }),
    );
  });

  test("the released line", () => {
    expect(formatAccuracyLine({ index: [7, 12], score: [0.875, 0] })).toBe(
      '{"index":[7,12],"score":[0.875,0]}\n',
    );
    expect(parseAccuracyLog('{"index": [7], "score": [0.5]}\r\n\n{"index": [], "score": []}')).toHaveLength(
      2,
    );
  });

  test("an unfinished last line is ignored, a broken line before it is an error with its number", () => {
    const good = formatAccuracyLine({ index: [1], score: [1] });
    expect(parseAccuracyLog(`${good}{"index":[2],"sc`)).toHaveLength(1);
    expect(() => parseAccuracyLog(`${good}{"index":[2],"sc\n${good}`)).toThrow("line 2");
    expect(() => parseAccuracyLog(`${good}{"index":[2],"sc\n${good}`)).toThrow(DataError);
  });

  test.each([
    ['{"index":[1,2],"score":[1]}', "expected 2 scores"],
    ['{"index":[1],"score":[1.5]}', "0..1"],
    ['{"index":[1],"score":["1"]}', "0..1"],
    ['{"index":[null],"score":[1]}', "row numbers"],
    ["[]", "lists"],
    ["null", "lists"],
  ])("refuses %s", (line, message) => {
    expect(() => parseAccuracyLog(`${line}\n`)).toThrow(message);
  });

  test("visits are collected in order, ids and numbers apart", () => {
    const scores = scoresByProblem([
      { index: [1, "1"], score: [0.25, 1] },
      { index: [1], score: [0.5] },
    ]);
    expect(scores.get(1)).toEqual([0.25, 0.5]);
    expect(scores.get("1")).toEqual([1]);
  });
});
