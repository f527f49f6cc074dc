import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { FAMILIES, promptHash } from "./problem.ts";
import { formatPrompt, parsePrompt, programAnswer } from "./program.ts";
import { createProblemSet, drawProgramOfSplit, SPLITS, splitOfPrompt } from "./splits.ts";

describe("practice splits", () => {
  it("share no prompt, whatever the seeds and sizes, and repeat none", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer({ min: 1, max: 60 }), (seedA, seedB, count) => {
        const hashes = SPLITS.flatMap((split, i) =>
          createProblemSet({
            split,
            seed: i % 2 === 0 ? seedA : seedB,
            count,
            families: FAMILIES,
            steps: [1, 2, 3],
          }).map(({ prompt }) => promptHash(prompt)),
        );
        expect(new Set(hashes).size).toBe(3 * count);
      }),
      { numRuns: 25, seed: 5 },
    );
  });

  it("holds about 80, 10 and 10 of a hundred draws", () => {
    const counts = { train: 0, validation: 0, held_out: 0 };
    const random = randomStream(1, "shares");
    const draw = () => formatPrompt(drawProgramOfSplit(random, random.pick(SPLITS), "chain", 3));
    for (let i = 0; i < 50; i++) expect(SPLITS).toContain(splitOfPrompt(draw()));
    for (const problem of createProblemSet({
      split: "train",
      seed: 2,
      count: 50,
      families: FAMILIES,
      steps: [4],
    }))
      expect(splitOfPrompt(problem.prompt)).toBe("train");
    // Independent of the drawing functions: prompts that differ in one constant fall anywhere.
    for (let i = 0; i < 900; i++) {
      const [a, b, c] = [1 + (i % 9), 1 + (Math.floor(i / 9) % 9), 1 + (Math.floor(i / 81) % 9)];
      counts[splitOfPrompt(`g=${a};j=g+${b};c=j${i < 729 ? "+" : "-"}${c};jc?:`)]++;
    }
    expect(counts.train).toBeGreaterThan(650);
    expect(counts.validation).toBeGreaterThan(55);
    expect(counts.held_out).toBeGreaterThan(55);
  });

  it("carries the exact answer, the family in turn and the number of steps", () => {
    const problems = createProblemSet({
      split: "held_out",
      seed: 9,
      count: 90,
      families: FAMILIES,
      steps: [2, 5],
    });
    problems.forEach((problem, i) => {
      expect(problem.source).toBe(FAMILIES[i % 3]);
      expect([2, 5]).toContain(problem.meta["steps"]);
      expect(problem.answer).toBe(programAnswer(parsePrompt(problem.prompt)));
    });
    expect(new Set(problems.map(({ id }) => id)).size).toBe(90);
  });

  it("grows: a larger set begins with the smaller one", () => {
    const set = (count: number) =>
      createProblemSet({ split: "train", seed: 3, count, families: ["chain"], steps: [2, 3] });
    expect(set(40).slice(0, 15)).toEqual(set(15));
  });

  it("gives up with one line when a split does not hold that many", () => {
    const ask = () =>
      createProblemSet({ split: "held_out", seed: 1, count: 500, families: ["chain"], steps: [1] });
    expect(ask).toThrow(ConfigError);
    expect(ask).toThrow(/expected 500 different problems of the split held_out, found \d+/);
    expect(() => createProblemSet({ split: "train", seed: 1, count: 1, families: [], steps: [1] })).toThrow(
      ConfigError,
    );
  });
});
