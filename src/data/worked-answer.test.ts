import { expect, test } from "vitest";
import { gradeResponse } from "../math/index.ts";
import { parseProblemRow } from "./problem-row.ts";
import { workedAnswer } from "./worked-answer.ts";

test.each<[string, string | null]>([
  ["He sold 48/2 = <<48/2=24>>24 clips.\n#### 72", "72"],
  ["#### 1,000 ", "1,000"],
  ["We add: $2+3=\\boxed{5}$.", "5"],
  ["So $x$ is \\boxed{3} or \\boxed{4}.", "3, 4"],
  ["First \\boxed{1}, which is wrong.\n\nInstead it is $\\boxed{\\frac{1}{2}}$.", "\\frac{1}{2}"],
  ["\\boxed{6}", null],
  ["$\\boxed{\\frac{6}{5}}$.", null],
  ["72", null],
  ["#### ", null],
  ["a #### in a line", null],
  ["So it is \\boxed{", null],
])("%j ends in %j", (text, answer) => {
  expect(workedAnswer(text)).toBe(answer);
});

const read = (row: unknown) => parseProblemRow(row, { where: "f:1", source: "s" });

test("rows of GSM8K and MATH: the grader accepts the bare answer, and the working is kept", () => {
  const worked = "Half of 48 is 24.\n48 + 24 = 72.\n#### 72";
  const school = read({ question: "How many?", answer: worked });
  expect(school).toMatchObject({ answer: "72", meta: { solution: worked } });
  expect(gradeResponse(school.answer, "\\boxed{72}").correct).toBe(true);
  const solution = "We add: $2+3=\\boxed{5}$.";
  const math = read({ problem: "Compute 2+3.", solution, level: "Level 1" });
  expect(math).toMatchObject({ answer: "5", meta: { solution, level: "Level 1" } });
  expect(gradeResponse(math.answer, "\\boxed{5}").correct).toBe(true);
  // An answer beside a solution is the answer, and the solution a column like others.
  expect(read({ problem: "Q", answer: "7", solution })).toMatchObject({ answer: "7", meta: { solution } });
  const both = read({ problem: "Q", answer: worked, solution: "by hand" });
  expect(both).toMatchObject({ answer: "72", meta: { solution: "by hand" } });
  const inner = read({ prompt: "Q", reward_model: { ground_truth: worked, style: "rule" } });
  expect(inner).toMatchObject({ answer: "72", meta: { solution: worked, reward_model: { style: "rule" } } });
});
