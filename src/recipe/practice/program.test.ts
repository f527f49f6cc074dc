import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { drawProgram, FAMILIES } from "./problem.ts";
import {
  applyOperator,
  formatPrompt,
  invertEquation,
  parsePrompt,
  programAnswer,
  programRoutes,
  solveProgram,
} from "./program.ts";

/**
 * An independent solver: tries every assignment of digits, one statement at a time, and keeps those that satisfy the
 * statement as written. Knows nothing of definitions or inversion.
 */
function solveByTrial(prompt: string): string[] {
  const lines = prompt.split(";");
  let assignments: Record<string, number>[] = [{}];
  for (const line of lines.slice(0, -1)) {
    const letters = [...new Set(line.match(/[a-j]/g) ?? [])];
    for (const letter of letters)
      assignments = assignments.flatMap((values) =>
        letter in values
          ? [values]
          : Array.from({ length: 10 }, (_, digit) => ({ ...values, [letter]: digit })),
      );
    assignments = assignments.filter((values) => {
      const side = (text: string): number => {
        const [, left, operator, right] = /^(.)(?:([-+*])(.))?$/.exec(text) as RegExpExecArray;
        const value = (operand: string): number => values[operand] ?? Number(operand);
        if (operator === undefined) return value(left as string) % 10;
        const [a, b] = [value(left as string), value(right as string)];
        return (((operator === "+" ? a + b : operator === "-" ? a - b : a * b) % 10) + 10) % 10;
      };
      const [left, right] = line.split("=") as [string, string];
      return side(left) === side(right);
    });
  }
  const question = (lines.at(-1) as string).slice(0, 2);
  return [...new Set(assignments.map((values) => [...question].map((letter) => values[letter]).join("")))];
}

describe("practice programs", () => {
  it("solves the example of the docs", () => {
    expect(programAnswer(parsePrompt("g=9;j=g+4;a=5+j;c=a-3;e=c*6;ce?:"))).toBe("50");
  });

  it("agrees with trial of every digit, for every family and length", () => {
    const random = randomStream(7, "program-test");
    for (const family of FAMILIES)
      for (let steps = 1; steps <= 9; steps++)
        for (let i = 0; i < 20; i++) {
          const program = drawProgram(random, family, steps);
          expect(solveByTrial(formatPrompt(program))).toEqual([programAnswer(program)]);
        }
  });

  it("reads its own prompts back", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(...FAMILIES),
        fc.integer({ min: 1, max: 9 }),
        (seed, family, steps) => {
          const program = drawProgram(randomStream(seed, "round-trip"), family, steps);
          expect(parsePrompt(formatPrompt(program))).toEqual(program);
        },
      ),
      { numRuns: 300, seed: 11 },
    );
  });

  it("inverts equations so that they hold", () => {
    for (const [left, right] of [
      ["x", "4"],
      ["4", "x"],
    ] as const)
      for (const operator of ["+", "-"] as const)
        for (let result = 0; result < 10; result++) {
          const found = invertEquation(left, operator, right, String(result), "x");
          const x = applyOperator(Number(found.left), found.operator, Number(found.right));
          const value = (operand: string): number => (operand === "x" ? x : Number(operand));
          expect(applyOperator(value(left), operator, value(right))).toBe(result);
        }
    expect(() => invertEquation("x", "+", "x", "3", "x")).toThrow(RangeError);
  });

  it("offers both routes of a two-route problem, equal in answer and different in length", () => {
    const random = randomStream(3, "routes");
    for (let steps = 3; steps <= 9; steps++) {
      const program = drawProgram(random, "two-route", steps);
      const routes = programRoutes(program);
      expect(routes.map((route) => route.length)).toEqual([steps, steps - 1]);
      for (const route of routes)
        expect(
          programAnswer({ ...program, statements: route.map((definition) => ({ text: "", definition })) }),
        ).toBe(programAnswer(program));
    }
    expect(programRoutes(drawProgram(random, "two-route", 2))).toHaveLength(1);
  });

  it.each([
    ["", "given value"],
    ["what is 1+1?", "given value"],
    ["g=9;j=k+4;gj?:", "cannot read statement"],
    ["g=9;gx?:", "question"],
    ["g=9;gj?:", "question"],
    [`g=9;${"a=g+1;".repeat(30)}ga?:`, "at most 128 characters"],
    ["g=9;a+b=g;ga?:", "cannot read statement"],
  ])("refuses %j", (prompt, reason) => {
    expect(() => parsePrompt(prompt)).toThrow(DataError);
    expect(() => parsePrompt(prompt)).toThrow(reason);
  });

  it("refuses definitions that contradict each other", () => {
    expect(() => solveProgram(parsePrompt("g=9;a=g+1;a=g+2;ga?:"))).toThrow(/contradicts/);
  });
});
