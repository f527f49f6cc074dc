import { describe, expect, test } from "vitest";
import { afterThink, extractAnswer } from "./extract.ts";

describe("last_boxed", () => {
  test.each([
    ["The answer is \\boxed{5}.", "5"],
    ["\\boxed{1} then \\boxed{2}", "2"],
    ["\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"],
    ["\\boxed{\\{1,2\\}}", "\\{1,2\\}"],
    ["\\boxed {4}", "4"],
    ["\\boxed 7", "7"],
    ["\\fbox{3}", "3"],
    ["\\boxed{ 12 }", "12"],
    ["\\boxed{x = \\boxed{4}}", "x = \\boxed{4}"],
    ["first \\boxed{9}, then \\boxed{unclosed", "9"],
  ])("%s", (response, answer) => {
    expect(extractAnswer(response)).toEqual({ answer, reason: "boxed" });
  });

  test.each([
    ["no box", "no_boxed"],
    ["", "empty"],
    [" \n", "empty"],
    ["\\boxed{unclosed", "unclosed_boxed"],
    ["\\boxed{}", "empty_boxed"],
    ["\\boxedx{5}", "no_boxed"],
  ])("%s has no answer: %s", (response, reason) => {
    expect(extractAnswer(response)).toEqual({ answer: null, reason });
  });
});

test("a cut response without an answer is truncated, with one it is not", () => {
  expect(extractAnswer("so \\boxed{5", { finishReason: "length" }).reason).toBe("truncated");
  expect(extractAnswer("thinking", { finishReason: "cancelled" }).reason).toBe("truncated");
  expect(extractAnswer("\\boxed{5} and", { finishReason: "length" })).toEqual({
    answer: "5",
    reason: "boxed",
  });
});

test("think_close reads between the first and the second </think>", () => {
  const mode = "think_close" as const;
  expect(extractAnswer("<think>\\boxed{1}</think> \\boxed{2}", { mode }).answer).toBe("2");
  expect(extractAnswer("a</think>\\boxed{4}</think>\\boxed{5}", { mode }).answer).toBe("4");
  expect(extractAnswer("\\boxed{5}", { mode })).toEqual({ answer: null, reason: "no_think_close" });
  expect(afterThink("x")).toBeNull();
});

test("several boxes are one answer only as an opt-in, and only as one enumeration", () => {
  const boxes = "all" as const;
  expect(extractAnswer("\\boxed{1} and \\boxed{-2}", { boxes })).toEqual({
    answer: "1, -2",
    reason: "boxes",
  });
  expect(extractAnswer("\\boxed{1}? No: \\boxed{2}", { boxes }).answer).toBe("2");
  expect(extractAnswer("\\boxed{1}\n\nNext part.\n\n\\boxed{2}", { boxes }).answer).toBe("2");
});

test("prose is an opt-in", () => {
  expect(extractAnswer("The answer is 42.").answer).toBeNull();
  const prose = true;
  expect(extractAnswer("The answer is 42.", { prose })).toEqual({ answer: "42", reason: "prose" });
  expect(extractAnswer("Final Answer: The largest $n$ is 34.", { prose }).answer).toBe("34");
  expect(extractAnswer("so $x = 3$ holds", { prose }).answer).toBe("x = 3");
});

test("hostile responses return long before the limit of this test", () => {
  for (const text of [
    "\\boxed{".repeat(50_000),
    "{".repeat(400_000),
    "\\boxed".repeat(60_000),
    "$".repeat(300_000),
  ])
    extractAnswer(text, { prose: true, boxes: "all" });
}, 20_000);
