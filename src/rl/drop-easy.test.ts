import { describe, expect, test } from "vitest";
import type { AccuracyLogEntry } from "./accuracy-log.ts";
import { dropEasy, judgeEasyProblems } from "./drop-easy.ts";

/** One line per visit of one problem. */
const visits = (index: number | string, ...scores: number[]): AccuracyLogEntry[] =>
  scores.map((score) => ({ index: [index], score: [score] }));

describe("dropEasy", () => {
  test("strictly above the mean; problems never visited stay", () => {
    const log = [...visits(0, 1, 1, 0.75), ...visits(1, 0.9, 0.9, 0.9), ...visits(2, 1), ...visits(3, 0.875)];
    const { kept, dropped } = dropEasy([0, 1, 2, 3, 4], (problem) => problem, log);
    expect(kept).toEqual([1, 3, 4]);
    expect(dropped.map(({ index, visits: count }) => [index, count])).toEqual([
      [0, 3],
      [2, 1],
    ]);
  });

  test("variants", () => {
    const log = visits("p", 0.5, 1);
    const accuracy = (options: Parameters<typeof judgeEasyProblems>[1]) =>
      judgeEasyProblems(log, options)[0]?.accuracy;
    expect(accuracy({})).toBe(0.75);
    expect(accuracy({ estimate: "last_visit" })).toBe(1);
    expect(accuracy({ estimate: "ema", emaWeight: 0.8 })).toBeCloseTo(0.9, 12);
    expect(accuracy({ offlineAccuracy: new Map([["p", 0]]) })).toBe(0.5);
  });

  test("a least number of visits counts visits of the stage only", () => {
    const options = { minVisits: 2, offlineAccuracy: new Map([["p", 1]]) };
    expect(judgeEasyProblems(visits("p", 1), options)[0]?.dropped).toBe(false);
    expect(judgeEasyProblems(visits("p", 1, 1), options)[0]?.dropped).toBe(true);
  });

  test("options out of range", () => {
    expect(() => judgeEasyProblems([], { threshold: 1.1 })).toThrow("threshold");
    expect(() => judgeEasyProblems([], { emaWeight: 0 })).toThrow("emaWeight");
  });
});
