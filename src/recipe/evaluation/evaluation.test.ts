import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Rollout } from "../../types.ts";
import { benchmarkRows } from "../stages/benchmark-scores.ts";
import { compareArms, compareWithReference } from "./comparison.ts";
import type { EvaluationArm } from "./evaluation-file.ts";
import { evaluationShape } from "./evaluation-shape.ts";
import { formatEvaluation } from "./format-evaluation.ts";
import { chooseHardest, summariseHardest } from "./hardest.ts";
import { budgetPoints, defaultLengthEdges, lengthRows } from "./lengths.ts";
import { evaluationMarkdown } from "./markdown.ts";
import { defaultPassAt, responseRows } from "./metrics.ts";
import { diversityOf, recordResponses, votesOf } from "./responses.ts";
import { benchmarkOf, evaluationOf, problemOf } from "./testing.ts";

fc.configureGlobal({ seed: 20260318 });

/** Outcomes with lengths up to a limit; cut responses have exactly that length. */
const responses = fc
  .array(fc.tuple(fc.constantFrom("c", "w", "n", "e", "C", "W"), fc.integer({ min: 1, max: 64 })), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => ({
    outcomes: list.map(([letter]) => letter).join(""),
    tokens: list.map(([letter, length]) => (letter < "a" ? 64 : length)),
  }));
const problems = fc
  .array(responses, { minLength: 2, maxLength: 12 })
  .map((list) => list.map(({ outcomes, tokens }, i) => problemOf(`p${i}`, outcomes, tokens)));

describe("responses", () => {
  const graded = (
    correct: boolean | null,
    answer: string | null,
    finishReason: Rollout["finishReason"],
  ): Rollout =>
    ({
      tokens: [1, 2, 3],
      finishReason,
      verdict: { correct, answer, reason: "", graderVersion: "x" },
    }) as unknown as Rollout;

  test("letters tell right, wrong, boxless, failed and cut apart; equal mathematics is one vote", () => {
    const record = recordResponses([
      graded(true, "1/2", "stop"),
      graded(true, "0.5", "length"),
      graded(false, "3", "stop"),
      graded(false, null, "stop"),
      graded(false, null, "length"),
      graded(null, "3", "stop"),
      { ...graded(true, "1/2", "stop"), tokens: [], lengthTokens: 9 },
    ]);
    expect(record.outcomes).toBe("cCwnNec");
    expect(record.answers).toEqual([0, 0, 1, -1, -1, 1, 0]);
    expect(record.tokens).toEqual([3, 3, 3, 3, 3, 3, 9]);
    expect(votesOf(record)[3]).toEqual({ answer: null, correct: false });
  });
});

describe("length buckets and budgets", () => {
  test("buckets hold every response once", () => {
    fc.assert(
      fc.property(
        problems,
        fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { maxLength: 4 }),
        (list, edges) => {
          const rows = lengthRows(
            list,
            edges.sort((a, b) => a - b),
          );
          const sum = (key: "responses" | "correct" | "truncated"): number =>
            rows.reduce((all, row) => all + row[key], 0);
          expect(sum("responses")).toBe(
            list.reduce((all, problem) => all + (problem.responses?.tokens.length ?? 0), 0),
          );
          expect(sum("correct")).toBe(list.reduce((all, problem) => all + problem.correct, 0));
          expect(sum("truncated")).toBe(list.reduce((all, problem) => all + problem.truncated, 0));
          for (const { responses: count, correct, accuracy } of rows)
            if (count === 0) expect(accuracy).toBeNull();
            else expect(accuracy?.value).toBeCloseTo(correct / count, 12);
        },
      ),
    );
  });

  test("a budget counts what is longer as wrong and truncated; the full limit is the score itself", () => {
    fc.assert(
      fc.property(problems, (list) => {
        const points = budgetPoints(list, 64, [0.25, 0.5, 0.75, 1]);
        for (const [i, point] of points.entries()) {
          const shares = list.map(({ responses: record }) => {
            const { tokens, outcomes } = record as NonNullable<typeof record>;
            const right = tokens.filter(
              (length, j) => length <= point.budgetTokens && /c/i.test(outcomes[j] as string),
            );
            return right.length / tokens.length;
          });
          expect(point.accuracy.value).toBeCloseTo(shares.reduce((a, b) => a + b, 0) / shares.length, 12);
          const before = points[i - 1];
          if (before === undefined) continue;
          expect(point.accuracy.value).toBeGreaterThanOrEqual(before.accuracy.value - 1e-12);
          expect(point.truncated).toBeLessThanOrEqual(before.truncated + 1e-12);
        }
        const full = points.at(-1);
        const avg =
          list.reduce((sum, { correct, responses: r }) => sum + correct / (r?.tokens.length ?? 1), 0) /
          list.length;
        expect(full?.accuracy.value).toBeCloseTo(avg, 12);
      }),
    );
  });

  test("edges: the recipe's where responses may be that long, quarters below", () => {
    expect(defaultLengthEdges(90_000)).toEqual([16_384, 32_768]);
    expect(defaultLengthEdges(112)).toEqual([28, 56, 84]);
    expect(defaultLengthEdges(1)).toEqual([]);
    expect(() => lengthRows([problemOf("a", "c")], [5, 5])).toThrow("ascending");
  });

  test("without the responses of every problem there is nothing to say", () => {
    const { responses: _, ...bare } = problemOf("b", "cw");
    expect(lengthRows([problemOf("a", "cw"), bare], [10])).toEqual([]);
    expect(budgetPoints([bare], 100)).toEqual([]);
  });
});

describe("rows", () => {
  test("pass@k by hand, maj@k by votes", () => {
    const benchmark = {
      ...benchmarkOf("b", ["ccww", "wwww"]),
      problems: [
        problemOf("p0", "ccww", [1, 1, 1, 1], [0, 0, 1, 2]),
        problemOf("p1", "wwww", [1, 1, 1, 1], [0, 0, 0, 1]),
      ],
    };
    const rows = responseRows(benchmark, { arm: "a", seed: 3 });
    const value = (metric: string) => rows.find((row) => row.metric === metric)?.value;
    // Of the 6 pairs of the first problem one is all wrong.
    expect(value("pass@2")).toBeCloseTo(5 / 12, 12);
    expect(value("pass@4")).toBe(0.5);
    expect(value("maj@4")).toBe(0.5);
    expect(rows.map(({ metric }) => metric)).toEqual(["pass@2", "pass@4", "maj@4"]);
    expect(
      responseRows(benchmark, { arm: "a", seed: 3, passAt: [3, 99], majorityAt: [2] }).map(
        ({ metric }) => metric,
      ),
    ).toEqual(["pass@3", "maj@2"]);
  });

  test("maj@2 of two equal right and two different wrong answers is its expectation over the pairs", () => {
    const benchmark = {
      ...benchmarkOf("b", ["ccww"]),
      problems: [problemOf("p0", "ccww", [1, 1, 1, 1], [0, 0, 1, 2])],
    };
    // Pairs: cc 1, cw four times 1/2, ww 0: mean 1/2.
    const sum = Array.from(
      { length: 200 },
      (_, seed) =>
        responseRows(benchmark, { arm: "a", seed, passAt: [], majorityAt: [2] })[0]?.value as number,
    );
    expect(sum.reduce((a, b) => a + b, 0) / 200).toBeCloseTo(0.5, 1);
  });

  test("distinct-4 of each problem's responses, and its mean over problems", () => {
    // Words abcde give abcd and bcde, words abcdf give abcd and bcdf: three of four grams differ.
    const one = diversityOf([{ text: "a b c d e" }, { text: "a b\nc d f" }]);
    expect(one).toEqual({ distinct4: 0.75 });
    expect(diversityOf([{ text: "a b" }])).toEqual({ distinct4: 0 });
    expect(diversityOf([{ text: "a ".repeat(17 * 1024 * 1024) }])).toEqual({});
    const problems = [
      { ...problemOf("p0", "cw"), ...one },
      { ...problemOf("p1", "cw"), distinct4: 0.25 },
    ];
    const rows = (list: typeof problems) =>
      responseRows({ ...benchmarkOf("b", ["cw", "cw"]), problems: list }, { arm: "a", seed: 1 });
    expect(rows(problems).find(({ metric }) => metric === "distinct_4")?.value).toBeCloseTo(0.5, 12);
    const { distinct4: _, ...bare } = problems[1] as (typeof problems)[0];
    const older = [problems[0], bare] as typeof problems;
    expect(rows(older).some(({ metric }) => metric === "distinct_4")).toBe(false);
    const unspaced = problems.map((problem) => ({ ...problem, distinct4: 0 }));
    expect(rows(unspaced).some(({ metric }) => metric === "distinct_4")).toBe(false);
  });

  test("default k", () => {
    expect(defaultPassAt(32)).toEqual([2, 4, 8, 16, 32]);
    expect(defaultPassAt(6)).toEqual([2, 4, 6]);
    expect(defaultPassAt(1)).toEqual([]);
  });
});

describe("comparisons", () => {
  const file = evaluationOf({
    base: { x: ["wwww", "ccww", "wwww"], y: ["cwww"] },
    good: { x: ["cccc", "ccww", "cwww"], y: ["cwww"] },
  });

  test("one entry per benchmark and one over all, weighted equally", () => {
    const list = compareWithReference(file.arms, "base", { seed: 1 });
    expect(
      list.map(({ arm, benchmark, wins, losses, ties }) => [arm, benchmark, wins, losses, ties]),
    ).toEqual([
      ["good", "x", 2, 0, 1],
      ["good", "y", 0, 0, 1],
      ["good", "mean", 2, 0, 2],
    ]);
    expect(list[0]?.value).toBeCloseTo(1.25 / 3, 12);
    expect(list[2]?.value).toBeCloseTo(1.25 / 6, 12);
    for (const { low, value, high, p } of list) {
      expect(low <= value && value <= high).toBe(true);
      expect(p).toBeGreaterThan(0);
      expect(p).toBeLessThanOrEqual(1);
    }
    // Two changed problems, both better: two of the four sign patterns are as extreme.
    expect(list[0]?.p).toBeCloseTo(0.5, 1);
    expect(() => compareWithReference(file.arms, "none", { seed: 1 })).toThrow("name of an arm");
  });

  test("antisymmetric, and empty without a shared problem", () => {
    const [base, good] = file.arms as [(typeof file.arms)[0], (typeof file.arms)[0]];
    const forward = compareArms(good, base, { seed: 1 });
    const backward = compareArms(base, good, { seed: 1 });
    for (const [i, entry] of forward.entries()) {
      expect(backward[i]?.value).toBeCloseTo(-entry.value, 12);
      expect(backward[i]?.p).toBe(entry.p);
    }
    expect(compareArms(good, { arm: "z", benchmarks: [benchmarkOf("other", ["c"])] }, { seed: 1 })).toEqual(
      [],
    );
  });
});

describe("hardest problems", () => {
  test("chosen by one set of samples, judged by the other", () => {
    const chosenBy = evaluationOf({ base: { x: ["cccc", "wwww", "cwww"], y: ["ccww", "wwww"] } }).arms[0];
    const chosen = chooseHardest(chosenBy as NonNullable<typeof chosenBy>, {
      count: 2,
      scope: "pooled",
      seed: 1,
    }).sort((a, b) => a.benchmark.localeCompare(b.benchmark));
    expect(chosen.map(({ benchmark, id }) => `${benchmark}/${id}`)).toEqual(["x/p1", "y/p1"]);
    const perBenchmark = chooseHardest(chosenBy as NonNullable<typeof chosenBy>, {
      count: 1,
      scope: "per_benchmark",
      seed: 1,
    });
    expect(perBenchmark.map(({ benchmark }) => benchmark)).toEqual(["x", "y"]);
    const fresh = evaluationOf({
      base: { x: ["wwww", "ccww", "wwww"], y: ["wwww", "wwww"] },
      good: { x: ["wwww", "cccc", "wwww"], y: ["wwww", "ccww"] },
    }).arms;
    const study = summariseHardest({
      reference: "base",
      scope: "pooled",
      samplesPerProblem: 4,
      problems: chosen,
      fresh,
      seed: 1,
    });
    expect(study.regression).toEqual({ selectedOn: 0, fresh: 0.25 });
    expect(study.arms.map(({ accuracies }) => accuracies)).toEqual([
      [0.5, 0],
      [1, 0.5],
    ]);
    expect(study.arms[0]?.comparison).toBeNull();
    expect(study.arms[1]?.comparison).toMatchObject({ value: 0.5, problems: 2, wins: 2 });
  });

  test("among equals the choice is random and repeatable, not the file's order", () => {
    const zeros = new Array<string>(12).fill("wwww");
    const [base] = evaluationOf({ base: { x: zeros, y: zeros } }).arms as [EvaluationArm];
    const pick = (seed: number) => chooseHardest(base, { count: 12, scope: "pooled", seed });
    expect(pick(1)).toEqual(pick(1));
    expect(pick(1)).not.toEqual(pick(2));
    expect(new Set(pick(1).map(({ benchmark }) => benchmark)).size).toBe(2);
  });

  test("lacking fresh samples is a mistake of the caller", () => {
    const problems = [{ benchmark: "x", id: "p9", selectedOn: 0 }];
    const { arms: fresh } = evaluationOf({ base: { x: ["c"] } });
    const options = {
      reference: "base",
      scope: "pooled" as const,
      samplesPerProblem: 1,
      problems,
      fresh,
      seed: 1,
    };
    expect(() => summariseHardest(options)).toThrow("fresh samples of p9");
  });
});

describe("the file", () => {
  const file = evaluationOf({ "ba|se\n": { aime24: ["cw", "ww"] }, good: { aime24: ["cc", "cw"] } });
  const full = {
    ...file,
    comparisons: compareWithReference(file.arms, "ba|se\n", { seed: 1 }),
    rows: file.arms.flatMap(({ arm, benchmarks }) =>
      benchmarks.flatMap((benchmark) => responseRows(benchmark, { arm, seed: 1 })),
    ),
  };

  test("is accepted by its own shape and refused when an outcome is missing", () => {
    expect(evaluationShape.parse(JSON.parse(JSON.stringify(full)))).toEqual(full);
    const broken = structuredClone(full);
    (broken.arms[0]?.benchmarks[0]?.problems[0]?.responses as { outcomes: string }).outcomes = "c";
    expect(evaluationShape.safeParse(broken).success).toBe(false);
  });

  test("as text: a response's numbers on one line, everything back", () => {
    const text = formatEvaluation({ ...full, stage: "a [\n1,\n2] b" });
    expect(JSON.parse(text)).toEqual({ ...full, stage: "a [\n1,\n2] b" });
    expect(text).toContain('"tokens": [10,20]');
  });

  test("as Markdown: names cannot break the table, the paper stands beside AIME24", () => {
    const text = evaluationMarkdown(full);
    expect(text).toContain("ba\\|se ");
    expect(text).toContain("POLARIS-4B-Preview");
    expect(text).toContain("AIME24 avg@32");
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .every((line) => line.endsWith("|")),
    ).toBe(true);
    expect(text).toMatch(/\*\*this run: good\*\* \|/);
    expect(evaluationMarkdown(evaluationOf({ a: { chain: ["c"] } }))).not.toContain("POLARIS");
  });

  test("as Markdown: several benchmarks have an overview; a trial says so and is not set beside the paper", () => {
    const two = evaluationOf({ a: { aime24: ["cw", "cc"], chain: ["ww", "cw"] } });
    const rows = two.arms.flatMap(({ arm, benchmarks }) =>
      benchmarks.flatMap((benchmark) => [
        ...benchmarkRows(benchmark, arm, 1),
        ...responseRows(benchmark, { arm, seed: 1 }),
      ]),
    );
    const whole = {
      ...two,
      rows,
      arms: two.arms.map((arm) => ({ ...arm, mean: { value: 0.5, low: 0.4, high: 0.6 } })),
    };
    const text = evaluationMarkdown(whole);
    expect(text).toContain("| arm | aime24 | chain | mean, equal weight |\n| --- | ---: | ---: | ---: |");
    expect(text).toMatch(
      /\| a \| 75\.0 \([^|]*\) avg@2 \| 25\.0 \([^|]*\) avg@2 \| 50\.0 \(40\.0 to 60\.0\) \|/,
    );
    expect(text).toMatch(
      /\| arm \| avg@2 \| pass@2 \| maj@2 \| solve_none \| solve_all \| truncated \| format_error \| tokens \|/,
    );
    // 32 samples stand behind the paper's number, 2 behind this one.
    expect(text).toMatch(/this run: a\*\* \| 75\.0 \([^|]*\) avg@2 \|/);
    expect(text).not.toContain("trial");
    const trial = evaluationMarkdown({
      ...whole,
      problems: { reference: "x", sha256: "0".repeat(64), count: 4, limit: 2 },
    });
    expect(trial).toContain("**A trial: only the first 2 problems of each benchmark were asked.");
    expect(trial).not.toContain("POLARIS-4B");
  });
});
