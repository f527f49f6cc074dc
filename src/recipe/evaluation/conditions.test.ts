import { describe, expect, test } from "vitest";
import { compareConditions } from "./conditions.ts";
import type { EvaluationFile } from "./evaluation-file.ts";
import { evaluationOf } from "./testing.ts";

const base = evaluationOf({ m: { x: ["cw", "cc"], y: ["ww"] } });
const report = (changes: Partial<EvaluationFile>) => {
  const other: EvaluationFile = { ...structuredClone(base), ...changes };
  return compareConditions(
    { file: base, arm: base.arms[0] as EvaluationFile["arms"][0] },
    { file: other, arm: other.arms[0] as EvaluationFile["arms"][0] },
  );
};

describe("compareConditions", () => {
  test("equal conditions, and two arms of one file, are silent; so is another seed", () => {
    expect(report({ seed: 99 })).toEqual({ conflicts: [], notes: [] });
    const arm = base.arms[0] as EvaluationFile["arms"][0];
    expect(compareConditions({ file: base, arm }, { file: base, arm })).toEqual({ conflicts: [], notes: [] });
  });

  test.each([
    ["temperature", { temperature: 0.6 }, "temperature 1 and 0.6"],
    ["topK", { topK: 0 }, "top_k 20 and 0"],
    ["topP", { topP: 0.9 }, "top_p 1 and 0.9"],
    ["minP", { minP: 0.1 }, "min_p 0 and 0.1"],
    ["maxNewTokens", { maxNewTokens: 50 }, "max_new_tokens 100 and 50"],
  ])("another %s", (_, change, conflict) => {
    expect(report({ sampling: { ...base.sampling, ...change } }).conflicts).toEqual([conflict]);
  });

  test("grader and prompt, where the position of a request that is not made does not matter", () => {
    expect(report({ graderVersion: "math-9" }).conflicts).toEqual(["grader version test-1 and math-9"]);
    expect(report({ grader: { mode: "compat", answerFrom: "think_close" } }).conflicts).toEqual([
      "grader.mode strict and compat",
      "grader.answer_from last_boxed and think_close",
    ]);
    expect(report({ prompt: { instruction: "plain", position: "after_suffix" } }).conflicts).toEqual([
      "prompt boxed and plain",
    ]);
    expect(report({ prompt: { instruction: "boxed", position: "system" } }).conflicts).toEqual([]);
    expect(
      report({ prompt: { instruction: "boxed", position: "after_suffix", system: "s".repeat(200) } })
        .conflicts,
    ).toEqual([`prompt.system none and ${"s".repeat(77)}...`]);
  });

  test("sampling of a benchmark of its own is what counts on it", () => {
    const arms = structuredClone(base.arms);
    const own = arms[0]?.benchmarks[1] as EvaluationFile["arms"][0]["benchmarks"][0];
    own.sampling = { ...base.sampling, temperature: 1.45 };
    expect(report({ arms }).conflicts).toEqual(["temperature 1 and 1.45 on y"]);
    // An override that only repeats the evaluation's values is none.
    own.sampling = { ...base.sampling };
    expect(report({ arms }).conflicts).toEqual([]);
  });

  test("other numbers of samples and other problems weaken a comparison and do not forbid it", () => {
    const arms = structuredClone(base.arms);
    (arms[0]?.benchmarks[0] as EvaluationFile["arms"][0]["benchmarks"][0]).samplesPerProblem = 8;
    const { conflicts, notes } = report({
      arms,
      problems: { reference: "other", sha256: "1".repeat(64), count: 3 },
    });
    expect(conflicts).toEqual([]);
    expect(notes).toEqual([
      "x: 2 and 8 samples per problem; avg@k stays comparable, best@k and maj@k do not",
      "the problem sets differ; only problems with the same benchmark and id are compared",
    ]);
  });

  test("an older file does not say", () => {
    const { grader: _, prompt: __, ...older } = structuredClone(base);
    const arm = base.arms[0] as EvaluationFile["arms"][0];
    expect(compareConditions({ file: base, arm }, { file: older, arm })).toEqual({
      conflicts: [],
      notes: ["an older file does not say how its answers were judged and prompted"],
    });
  });
});
