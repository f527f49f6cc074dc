import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Answer } from "../../types.ts";
import { gradeResponse } from "../grade.ts";
import { verify } from "../verify.ts";
import {
  compatExtract,
  compatReward,
  mathdEqual,
  mathdNormalize,
  sympyEqual,
  sympyNormalize,
} from "./index.ts";

const GOLDEN = new URL("../../../../shared/golden/golden_grading.json", import.meta.url);

interface Golden {
  extract_answer: [string, string | null][];
  mathd_normalize: [string, string][];
  sympy_normalize: [string, string][];
  grade: { given: string; truth: string; mathd: boolean; sympy: boolean; verl_boxed: boolean }[];
  reward: [string, Answer | null, boolean][];
}

test.skipIf(!existsSync(GOLDEN))("every row written by the original grader is reproduced", () => {
  const golden = JSON.parse(readFileSync(GOLDEN, "utf8")) as Golden;
  const wrong: unknown[] = [];
  const check = (ok: boolean, row: unknown): void => {
    if (!ok) wrong.push(row);
  };
  for (const [text, answer] of golden.extract_answer) check(compatExtract(text) === answer, text);
  for (const [text, normal] of golden.mathd_normalize)
    check(mathdNormalize(text) === normal, [text, mathdNormalize(text)]);
  for (const [text, normal] of golden.sympy_normalize)
    check(sympyNormalize(text) === normal, [text, sympyNormalize(text)]);
  for (const row of golden.grade) {
    check(mathdEqual(row.truth, row.given) === row.mathd, { ...row, test: "mathd" });
    check(sympyEqual(row.truth, row.given) === row.sympy, { ...row, test: "sympy" });
    const verdict = gradeResponse(row.truth, `so \\boxed{${row.given}}`, { mode: "compat" });
    check(verdict.correct === row.verl_boxed, { ...row, test: "boxed" });
  }
  for (const [response, gold, correct] of golden.reward)
    check(compatReward(response, gold) === correct, [response, gold]);
  expect(wrong).toEqual([]);
});

test("the golden-ratio fault is reproduced in compat and absent in strict mode", () => {
  const [a, b] = ["\\frac{1+\\sqrt{5}}{2}", "1+\\frac{\\sqrt{5}}{2}"];
  expect(verify(a, b, { mode: "compat" }).equal).toBe(true);
  expect(verify(a, b).equal).toBe(false);
  expect(verify(a, "\\frac{\\sqrt{5}+1}{2}").equal).toBe(true);
});

test("hostile input returns", () => {
  for (const text of [
    "\\frac".repeat(800),
    "{".repeat(3000),
    "(".repeat(3000),
    "9^9^9^9",
    "\\sqrt".repeat(500),
  ]) {
    expect(verify(text, "1", { mode: "compat" }).equal).toBe(false);
    expect(verify("1", text, { mode: "compat" }).equal).toBe(false);
  }
});
