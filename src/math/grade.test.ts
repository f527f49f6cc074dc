import { expect, test } from "vitest";
import { gradeResponse } from "./grade.ts";
import { GRADER_VERSION } from "./version.ts";

test("a verdict names the answer, the reason and the version", () => {
  expect(gradeResponse("05", "\\boxed{05}")).toEqual({
    correct: true,
    answer: "05",
    reason: "equal",
    graderVersion: GRADER_VERSION,
  });
  expect(gradeResponse("50", "...\\boxed{05}")).toMatchObject({
    correct: false,
    answer: "05",
    reason: "unequal",
  });
});

test("truncated is not wrong, and not right either", () => {
  expect(gradeResponse("5", "so \\boxed{", { finishReason: "length" })).toMatchObject({
    correct: false,
    reason: "truncated",
  });
  expect(gradeResponse("5", "so nothing")).toMatchObject({ correct: false, reason: "no_boxed" });
  expect(gradeResponse("5", "\\boxed{5} and", { finishReason: "length" }).correct).toBe(true);
});

test("a grader that fails says so: never a reward, never wrong", () => {
  const broken = {
    toString: (): string => {
      throw new TypeError("gold");
    },
  } as unknown as string;
  expect(gradeResponse(broken, "\\boxed{5}")).toMatchObject({
    correct: null,
    reason: "grader_failed:TypeError",
  });
});

test("compat reproduces the V1 reward with its think-close rule", () => {
  const options = { mode: "compat", extract: "think_close" } as const;
  expect(gradeResponse("5", "<think>x</think> \\boxed{5}", options).correct).toBe(true);
  expect(gradeResponse("5", "\\boxed{5}", options)).toMatchObject({
    correct: false,
    reason: "no_think_close",
  });
  expect(gradeResponse("5", "</think>\\boxed {5}", options).correct).toBe(false);
  expect(gradeResponse("x=5", "</think>\\boxed{y = 5}", options).correct).toBe(true);
  expect(gradeResponse("x=5", "</think>\\boxed{y = 5}", { extract: "think_close" }).correct).toBe(false);
});
