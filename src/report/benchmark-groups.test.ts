import { describe, expect, it } from "vitest";
import type { EvaluationBenchmark, EvaluationFile } from "../recipe/result-files.ts";
import {
  armDifferences,
  comparisonsOf,
  findCell,
  groupBenchmarks,
  meanAccuracy,
  regimeOf,
  splitArms,
} from "./benchmark-groups.ts";

const SAMPLING = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 64 };

function benchmark(name: string, correct: number[], samplesPerProblem = 4): EvaluationBenchmark {
  return {
    benchmark: name,
    samplesPerProblem,
    problems: correct.map((count, i) => ({
      id: `p${i}`,
      correct: count,
      truncated: 1,
      noBoxed: 0,
      graderErrors: 0,
      meanTokens: 10 + i,
    })),
  };
}

function evaluation(
  stage: string,
  arms: Record<string, EvaluationBenchmark[]>,
  changes: Partial<EvaluationFile> = {},
): EvaluationFile {
  return {
    stage,
    seed: 1,
    sampling: SAMPLING,
    graderVersion: "1",
    arms: Object.entries(arms).map(([arm, benchmarks]) => ({ arm, model: arm, benchmarks })),
    rows: [],
    ...changes,
  };
}

describe("regimeOf", () => {
  it("knows long chains by their name only", () => {
    expect(["chain-long", "long", "inverse_sparse", "sparse", "grpo_sparse"].map(regimeOf)).toEqual(
      Array(5).fill("sparse"),
    );
    expect(["chain", "two-route", "along", "longest", "AIME25"].map(regimeOf)).toEqual(
      Array(5).fill("short"),
    );
  });
});

describe("groupBenchmarks", () => {
  it("keeps the regimes apart and joins evaluations made under the same conditions", () => {
    const groups = groupBenchmarks([
      evaluation("small", { sft: [benchmark("chain", [1, 2]), benchmark("chain-long", [0, 1])] }),
      evaluation("large", { large: [benchmark("chain", [3, 4])] }),
    ]);
    expect(groups.map(({ regime, stages, arms }) => [regime, stages, arms])).toEqual([
      ["short", ["small", "large"], ["sft", "large"]],
      ["sparse", ["small"], ["sft"]],
    ]);
    expect(splitArms(groups[0]!)).toEqual({ ladder: ["sft"], large: ["large"] });
  });

  it("never joins other seeds, samplings or graders, nor two measurements of one arm", () => {
    const first = evaluation("a", { sft: [benchmark("chain", [1, 2])] });
    for (const changes of [
      { seed: 2 },
      { graderVersion: "2" },
      { sampling: { ...SAMPLING, temperature: 0.6 } },
      { arms: first.arms },
    ]) {
      const other = { ...evaluation("b", { grpo: [benchmark("chain", [1, 2])] }), ...changes };
      expect(groupBenchmarks([first, other]).length).toBe(2);
    }
  });

  it("takes the stage's own row where there is one, and counts where there is none", () => {
    const row = {
      arm: "sft",
      benchmark: "chain",
      metric: "avg@4",
      value: 0.375,
      low: 0.1,
      high: 0.7,
      problems: 2,
      samples: 4,
      seed: 1,
    };
    const arms = { sft: [benchmark("chain", [1, 2])] };
    const [withRow] = groupBenchmarks([evaluation("a", arms, { rows: [row] })]);
    expect(findCell(withRow!, "sft", "chain")?.accuracy).toEqual({ value: 0.375, low: 0.1, high: 0.7 });
    const [without] = groupBenchmarks([evaluation("a", arms)]);
    const cell = findCell(without!, "sft", "chain");
    expect(cell?.accuracy.value).toBeCloseTo(0.375, 12);
    expect(cell).toMatchObject({ problems: 2, samples: 4, truncated: 0.25, meanTokens: 10.5 });
  });
});

describe("meanAccuracy", () => {
  it("weights benchmarks equally whatever their size, and needs all of them", () => {
    const [group] = groupBenchmarks([
      evaluation("a", {
        sft: [benchmark("chain", [4, 4, 4, 4]), benchmark("inverse", [0, 0])],
        grpo: [benchmark("chain", [4, 4, 4, 4])],
      }),
    ]);
    expect(meanAccuracy(group!, "sft")?.value).toBeCloseTo(0.5, 12);
    expect(meanAccuracy(group!, "grpo")).toBeUndefined();
  });
});

describe("armDifferences", () => {
  const before = [0, 1, 2, 3, 0, 1, 2, 3];
  const after = before.map((count) => count + 1);

  it("pairs by problem: a constant gain on scattered problems has no spread", () => {
    const [group] = groupBenchmarks([
      evaluation("a", { sft: [benchmark("chain", before)], grpo: [benchmark("chain", after)] }),
    ]);
    const [difference] = armDifferences(group!, "grpo", "sft");
    expect(difference).toMatchObject({
      arm: "grpo",
      reference: "sft",
      benchmark: "chain",
      problems: 8,
      samples: 4,
    });
    expect(difference?.value).toBeCloseTo(0.25, 12);
    expect(difference!.high - difference!.low).toBeLessThan(1e-9);
    expect(armDifferences(group!, "sft", "grpo")[0]?.value).toBeCloseTo(-0.25, 12);
  });

  it("uses only problems both arms have, and adds a mean when every benchmark has both", () => {
    const shorter = benchmark("chain", after);
    shorter.problems = shorter.problems.slice(2);
    const [group] = groupBenchmarks([
      evaluation("a", {
        sft: [benchmark("chain", before), benchmark("inverse", [0, 4])],
        grpo: [shorter, benchmark("inverse", [4, 4])],
      }),
    ]);
    const differences = armDifferences(group!, "grpo", "sft");
    expect(differences.map(({ benchmark: name, problems }) => [name, problems])).toEqual([
      ["chain", 6],
      ["inverse", 2],
      ["mean", 8],
    ]);
    expect(differences[2]?.value).toBeCloseTo((0.25 + 0.5) / 2, 12);
  });

  it("is empty when the arms share no problem", () => {
    const other = benchmark("chain", [1]);
    other.problems[0]!.id = "elsewhere";
    const [group] = groupBenchmarks([evaluation("a", { sft: [benchmark("chain", [1])], grpo: [other] })]);
    expect(armDifferences(group!, "grpo", "sft")).toEqual([]);
  });
});

describe("comparisonsOf", () => {
  it("lists the recipe's questions for the arms that are there", () => {
    const arms = Object.fromEntries(
      ["merged@0.5", "core", "large", "grpo", "mine"].map((arm) => [arm, [benchmark("chain", [1, 2])]]),
    );
    const [group] = groupBenchmarks([evaluation("a", arms)]);
    expect(group?.arms).toEqual(["grpo", "core", "mine", "large", "merged@0.5"]);
    expect(comparisonsOf(group!)).toEqual([
      ["core", "grpo"],
      ["merged@0.5", "large"],
    ]);
  });
});
