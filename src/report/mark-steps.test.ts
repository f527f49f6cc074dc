import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markSteps } from "./mark-steps.ts";

const kinds = (text: string): string[] => markSteps(text).map(({ kind, text: part }) => `${kind}:${part}`);

describe("markSteps", () => {
  it("marks steps and the boxed answer and keeps the text between them", () => {
    expect(kinds("so \\underline{a=3} and \\boxed{50}.")).toEqual([
      "text:so ",
      "step:\\underline{a=3}",
      "text: and ",
      "boxed:\\boxed{50}",
      "text:.",
    ]);
  });

  it("matches nested and escaped braces", () => {
    expect(kinds("\\underline{\\frac{1}{2}}")).toEqual(["step:\\underline{\\frac{1}{2}}"]);
    expect(kinds("\\underline{\\{1\\}}")).toEqual(["step:\\underline{\\{1\\}}"]);
    expect(kinds("\\underline{a \\boxed{1}}")).toEqual(["step:\\underline{a \\boxed{1}}"]);
  });

  it("leaves unclosed marks as text", () => {
    expect(kinds("\\underline{a \\boxed{1")).toEqual(["text:\\underline{a \\boxed{1"]);
    expect(kinds("\\underline{a \\boxed{1}")).toEqual(["text:\\underline{a ", "boxed:\\boxed{1}"]);
  });

  it("loses no character of any text", () => {
    const piece = fc.constantFrom("\\underline", "\\boxed", "{", "}", "\\", " ", "a", "\\{", "\n");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("");
        expect(
          markSteps(text)
            .map((segment) => segment.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });

  it("takes linear time on unclosed marks", () => {
    // Quadratic work on these 550,000 characters would run into the limit.
    markSteps("\\underline{".repeat(50_000));
  }, 20_000);
});
