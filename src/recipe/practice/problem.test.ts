import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { encodePractice } from "./alphabet.ts";
import { canonicalPrompt, drawProgram, FAMILIES, MAX_STEPS, problemOf, promptHash } from "./problem.ts";
import { formatPrompt, solveProgram } from "./program.ts";

describe("practice problems", () => {
  it("keeps what the families promise", () => {
    const random = randomStream(5, "families");
    let equations = 0;
    let multiplications = 0;
    let forward = 0;
    for (let i = 0; i < 400; i++) {
      const inverse = drawProgram(random, "inverse", 5);
      equations += inverse.statements.filter(({ text }) => text[1] !== "=" || text.length !== 5).length;
      const chain = drawProgram(random, "chain", 5);
      forward += chain.statements.length;
      multiplications += chain.statements.filter(({ text }) => text.includes("*")).length;
      expect(new Set(chain.statements.map(({ definition }) => definition.variable)).size).toBe(5);
      const twice = drawProgram(random, "two-route", 5).statements.map(
        ({ definition }) => definition.variable,
      );
      expect([twice.length, new Set(twice).size]).toEqual([6, 5]);
    }
    expect(equations / 2000).toBeGreaterThan(0.66);
    expect(equations / 2000).toBeLessThan(0.74);
    expect(multiplications / forward).toBeGreaterThan(0.12);
    expect(multiplications / forward).toBeLessThan(0.18);
  });

  it("asks for the last two results, and two digits answer it", () => {
    const program = drawProgram(randomStream(6, "question"), "chain", 4);
    const order = [...solveProgram(program).keys()];
    expect(program.question).toEqual(order.slice(-2));
    expect(problemOf(program, "chain", 4).answer).toMatch(/^[0-9]{2}$/);
  });

  it("names a problem by family, steps and prompt, and writes it in the alphabet", () => {
    const random = randomStream(8, "records");
    for (const family of FAMILIES)
      for (let steps = 1; steps <= MAX_STEPS; steps++) {
        const problem = problemOf(drawProgram(random, family, steps), family, steps);
        expect(problem.id).toBe(`${family}-${steps}-${promptHash(problem.prompt).slice(0, 12)}`);
        expect(problem.meta).toEqual({ family, steps });
        expect(encodePractice(problem.prompt).length).toBeLessThanOrEqual(128);
      }
  });

  it("takes prompts that differ in letters alone for the same problem", () => {
    expect(canonicalPrompt("g=9;j=g+4;gj?:")).toBe("a=9;b=a+4;ab?:");
    expect(promptHash("g=9;j=g+4;gj?:")).toBe(promptHash("c=9;d=c+4;cd?:"));
    expect(promptHash("g=9;j=g+4;gj?:")).not.toBe(promptHash("g=9;j=4+g;gj?:"));
  });

  it("is a function of the stream", () => {
    const draw = (seed: number) => formatPrompt(drawProgram(randomStream(seed, "same"), "inverse", 6));
    expect(draw(1)).toBe(draw(1));
    expect(draw(1)).not.toBe(draw(2));
  });

  it.each([0, 10, 1.5, Number.NaN])("refuses %s steps", (steps) => {
    expect(() => drawProgram(randomStream(1, "bad"), "chain", steps)).toThrow(RangeError);
  });
});
