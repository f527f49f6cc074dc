import { describe, expect, it } from "vitest";
import { DataError } from "../../errors.ts";
import { decodePractice, EOS_ID } from "./alphabet.ts";
import { FAMILIES } from "./problem.ts";
import { createProblemSet } from "./splits.ts";
import { createTeacherRollouts, createTeacherSolutions, type TeacherOptions } from "./teacher.ts";

const PROBLEMS = createProblemSet({
  split: "train",
  seed: 4,
  count: 300,
  families: FAMILIES,
  steps: [3, 4, 5],
});
const OPTIONS: TeacherOptions = {
  seed: 1,
  errorRate: 0,
  styles: { full: 1, mid: 1, hasty: 1, direct: 0 },
  shortcutShare: 0.5,
};

describe("the teacher", () => {
  it("is always right without mistakes and always underlines and boxes", () => {
    const solutions = createTeacherSolutions(PROBLEMS, OPTIONS);
    solutions.forEach((solution, i) => {
      expect(solution.correct).toBe(true);
      expect(solution.problemId).toBe(PROBLEMS[i]?.id);
      expect(solution.response).toContain(`\\boxed{${PROBLEMS[i]?.answer}}`);
      expect(solution.response).toMatch(/^\\underline\{/);
    });
  });

  it("marks wrong answers as wrong", () => {
    const solutions = createTeacherSolutions(PROBLEMS, { ...OPTIONS, errorRate: 0.3 });
    solutions.forEach((solution, i) => {
      expect(solution.correct).toBe(solution.response.endsWith(`\\boxed{${PROBLEMS[i]?.answer}}`));
    });
    const right = solutions.filter(({ correct }) => correct).length;
    expect(right).toBeGreaterThan(30);
    expect(right).toBeLessThan(150);
  });

  it("writes the same solution for a problem wherever it stands in the list", () => {
    const whole = createTeacherSolutions(PROBLEMS, OPTIONS);
    expect(createTeacherSolutions(PROBLEMS.slice(100, 110), OPTIONS)).toEqual(whole.slice(100, 110));
  });

  it("gives verified rollouts, both routes of two-route problems among them", () => {
    const rollouts = createTeacherRollouts(PROBLEMS, { seed: 1, solutionsPerProblem: 8 });
    expect(rollouts).toHaveLength(8 * PROBLEMS.length);
    for (const rollout of rollouts) {
      expect(rollout.verdict?.correct).toBe(true);
      expect(decodePractice(rollout.tokens)).toBe(rollout.text);
      expect(rollout.tokens.at(-1)).toBe(EOS_ID);
    }
    const texts = new Map<string, Set<string>>();
    for (const { problemId, text } of rollouts)
      texts.set(problemId, (texts.get(problemId) ?? new Set()).add(text));
    for (const [problemId, different] of texts)
      if (!problemId.startsWith("two-route")) expect(different.size).toBe(1);
    const both = [...texts].filter(
      ([problemId, different]) => problemId.startsWith("two-route") && different.size === 2,
    );
    expect(both.length).toBeGreaterThan(90);
  });

  it("refuses problems that are not practice problems", () => {
    const foreign = [{ id: "x", prompt: "What is 2+2?", answer: "4", source: "other", meta: {} }];
    expect(() => createTeacherSolutions(foreign, OPTIONS)).toThrow(DataError);
    expect(() => createTeacherRollouts(PROBLEMS, { seed: 1, solutionsPerProblem: 0 })).toThrow(RangeError);
  });
});
