import { describe, expect, test } from "vitest";
import { BOXED_SUFFIX, instructQuestion, stripInstructions, UNDERLINE_INSTRUCTION } from "./prompts.ts";

describe("instructions", () => {
  test("the exact strings of the recipe", () => {
    expect(instructQuestion("Q", "plain")).toBe("Q");
    expect(instructQuestion("Q", "boxed")).toBe(
      "Q Let's think step by step and output the final answer within \\boxed{}.",
    );
    expect(instructQuestion("Q", "boxed_and_underline")).toBe(
      "Q Let's think step by step and output the final answer within \\boxed{}. " +
        "Since your reasoning process will be evaluated step-by-step via intermediate results, " +
        "you must enclose important intermediate results leading to the final answer within \\underline{}.",
    );
  });

  test("stripping undoes adding, and only at the end", () => {
    for (const instruction of ["plain", "boxed", "boxed_and_underline"] as const)
      expect(stripInstructions(instructQuestion("What is 1+1?", instruction))).toBe("What is 1+1?");
    const quoted = `He said:${BOXED_SUFFIX} Why?`;
    expect(stripInstructions(quoted)).toBe(quoted);
    expect(stripInstructions(`Q\n${UNDERLINE_INSTRUCTION}\n`)).toBe("Q");
  });
});
