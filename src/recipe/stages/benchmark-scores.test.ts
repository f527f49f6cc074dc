import { describe, expect, test } from "vitest";
import type { Rollout } from "../../types.ts";
import { benchmarkRows, countBenchmarks, meanAccuracy } from "./benchmark-scores.ts";
import { toyProblems, toyRollout } from "./testing/toy-task.ts";

const [first, second] = toyProblems() as [
  ReturnType<typeof toyProblems>[0],
  ReturnType<typeof toyProblems>[0],
];

function graded(
  correct: boolean | null,
  answer: string | null,
  finishReason: "stop" | "length" = "stop",
): Rollout {
  return {
    ...toyRollout(first, "1"),
    finishReason,
    verdict: { correct, answer, reason: "", graderVersion: "x" },
  };
}

describe("countBenchmarks", () => {
  const groups = [
    [graded(true, "1"), graded(false, null, "length"), graded(false, null), graded(null, "1")],
    [graded(true, "1"), graded(true, "1"), graded(true, "1"), graded(false, "2")],
  ];

  test("counts truncated, unboxed and ungradable apart from wrong", () => {
    const [benchmark] = countBenchmarks([first, second], groups, 4);
    expect(benchmark?.problems[0]).toMatchObject({
      correct: 1,
      truncated: 1,
      noBoxed: 1,
      graderErrors: 1,
      steps: 1,
    });
    expect(benchmark?.problems[1]).toMatchObject({ correct: 3, truncated: 0, noBoxed: 0, graderErrors: 0 });
  });

  test("rows are means over problems with their sample counts", () => {
    const [benchmark] = countBenchmarks([first, second], groups, 4);
    const rows = benchmarkRows(benchmark as NonNullable<typeof benchmark>, "sft", 9);
    const value = (metric: string) => rows.find((row) => row.metric === metric);
    expect(value("avg@4")).toMatchObject({
      arm: "sft",
      benchmark: "toy",
      value: 0.5,
      problems: 2,
      samples: 4,
      seed: 9,
    });
    expect(value("best@4")?.value).toBe(1);
    expect(value("truncated")?.value).toBe(0.125);
    expect(value("format_error")?.value).toBe(0.125);
    expect(value("grader_error")?.value).toBe(0.125);
    expect(value("length_tokens")?.value).toBe(toyRollout(first, "1").tokens.length);
  });

  test("benchmarks weigh the same in the mean, whatever their size", () => {
    const other = { ...second, source: "other" };
    const benchmarks = countBenchmarks([first, second, other], [...groups, [graded(false, "2")]], 1);
    expect(benchmarks.map(({ benchmark }) => benchmark)).toEqual(["toy", "other"]);
    expect(
      meanAccuracy(countBenchmarks([first, other], [[graded(true, "1")], [graded(false, "2")]], 1)),
    ).toBe(0.5);
  });
});
