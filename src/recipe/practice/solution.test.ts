import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { drawProgram, FAMILIES } from "./problem.ts";
import { parsePrompt, programAnswer } from "./program.ts";
import { type SolutionOptions, writeSolution } from "./solution.ts";

const EXAMPLE = parsePrompt("g=9;j=g+4;a=5+j;c=a-3;e=c*6;ce?:");
const PERFECT: SolutionOptions = { style: "full", errorRate: 0, markup: true, boxed: true, shortcutShare: 0 };
const write = (options: Partial<SolutionOptions>, name = "x") =>
  writeSolution(EXAMPLE, { ...PERFECT, ...options }, randomStream(1, name));

describe("practice solutions", () => {
  it("writes the four styles", () => {
    expect(write({}).text).toBe(
      "\\underline{j=g+4=9+4=3}\\underline{a=5+j=5+3=8}\\underline{c=a-3=8-3=5}\\underline{e=c*6=5*6=0}\\boxed{50}",
    );
    expect(write({ style: "mid" }).text).toBe(
      "\\underline{j=9+4=3}\\underline{a=5+3=8}\\underline{c=8-3=5}\\underline{e=5*6=0}\\boxed{50}",
    );
    expect(write({ style: "hasty", markup: false }).text).toBe("j=3;a=8;c=5;e=0;\\boxed{50}");
    expect(write({ style: "direct", boxed: false }).text).toBe("50");
  });

  it("propagates a wrong step: every later step computes with the wrong digit", () => {
    const random = randomStream(2, "mistakes");
    for (let i = 0; i < 200; i++) {
      const solution = writeSolution(drawProgram(random, "chain", 5), { ...PERFECT, errorRate: 0.3 }, random);
      const values = new Map<string, string>();
      const steps = [...solution.text.matchAll(/\\underline\{(.)=(.)(.)(.)=(.)(.)(.)=(.)\}/g)];
      expect(steps).toHaveLength(5);
      for (const [
        ,
        variable,
        left,
        ,
        right,
        leftDigit,
        ,
        rightDigit,
        result,
      ] of steps as unknown as string[][]) {
        for (const [operand, digit] of [
          [left, leftDigit],
          [right, rightDigit],
        ] as [string, string][])
          if (values.has(operand)) expect(digit).toBe(values.get(operand));
        values.set(variable as string, result as string);
      }
      expect(solution.text.endsWith(`\\boxed{${[...values.values()].slice(-2).join("")}}`)).toBe(true);
      if (solution.mistakes === 0) expect(solution.correct).toBe(true);
    }
  });

  it("makes mistakes at the stated rate", () => {
    const random = randomStream(3, "rate");
    let mistakes = 0;
    for (let i = 0; i < 1000; i++)
      mistakes += writeSolution(EXAMPLE, { ...PERFECT, errorRate: 0.25 }, random).mistakes;
    expect(mistakes / 4000).toBeGreaterThan(0.23);
    expect(mistakes / 4000).toBeLessThan(0.27);
  });

  it("is correct without mistakes, on every route", () => {
    const random = randomStream(4, "routes");
    for (const family of FAMILIES)
      for (let i = 0; i < 100; i++) {
        const program = drawProgram(random, family, 3 + random.integer(4));
        const solution = writeSolution(program, { ...PERFECT, shortcutShare: 1 }, random);
        expect(solution).toMatchObject({ correct: true, answer: programAnswer(program), mistakes: 0 });
      }
  });

  it("takes the second route when asked to", () => {
    const program = drawProgram(randomStream(5, "detour"), "two-route", 5);
    const steps = (shortcutShare: number) =>
      writeSolution(program, { ...PERFECT, shortcutShare }, randomStream(1, "d")).text.split("\\underline")
        .length - 1;
    expect([steps(0), steps(1)]).toEqual([5, 4]);
  });
});
