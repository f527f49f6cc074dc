import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeProblems } from "../../../data/problems.ts";
import { readRollouts } from "../../../data/rollouts.ts";
import { GRADER_VERSION } from "../../../math/index.ts";
import { hashPath } from "../../../store/canonical.ts";
import type { EvaluationFile } from "../../evaluation/evaluation-file.ts";
import { readEvaluation } from "../../evaluation/read-evaluation.ts";
import { createWorkbench, type Workbench } from "../testing/recipe-run.ts";
import { openTabularPolicy } from "../testing/tabular-policy.ts";
import { toyProblems } from "../testing/toy-task.ts";
import { settingsOf } from "./draws.ts";

const SAMPLING = "sampling: {temperature: 1, max_new_tokens: 12}";

let bench: Workbench;
const path = (name: string, file: string): string => join(bench.folder, "runs", name, file);
const evaluation = (name: string): EvaluationFile => readEvaluation(path(name, "evaluations/eval.json"));

beforeAll(async () => {
  bench = await createWorkbench();
  // A model that knows its toys in part, and the toys as two benchmarks of different size.
  await bench.run(
    "half",
    `  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl", epochs: 40, batch_size: 10, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}`,
  );
  const problems = toyProblems().map((problem, i) => ({ ...problem, source: i < 7 ? "seven" : "three" }));
  writeProblems(join(bench.folder, "two.jsonl"), problems);
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const stage = (extra: string): string => `
  - id: eval
    kind: evaluate
    arms: [{arm: base, model: "{root}/model"}, {arm: half, model: "{root}/runs/half/stages/sft/model"}]
    problems: "{root}/two.jsonl"
    samples_per_problem: 8
    ${SAMPLING}
    ${extra}
`;

describe("evaluate stage, layout 2", () => {
  test("the file says what was asked of whom, how, and how every response went", async () => {
    await bench.run("full", stage("keep_rollouts: all"));
    const file = evaluation("full");
    expect(file).toMatchObject({
      layout: 2,
      seed: 3,
      graderVersion: GRADER_VERSION,
      grader: { mode: "strict", answerFrom: "last_boxed" },
      prompt: { instruction: "plain", position: "after_suffix" },
      problems: { count: 10 },
      reference: "base",
      hardest: null,
    });
    expect(file.arms[0]?.modelSha256).toBe(await hashPath(join(bench.folder, "model")));
    expect(file.arms[1]?.modelSha256).not.toBe(file.arms[0]?.modelSha256);
    for (const [i, { benchmarks }] of file.arms.entries()) {
      expect(benchmarks.map(({ benchmark, problems }) => [benchmark, problems.length])).toEqual([
        ["seven", 7],
        ["three", 3],
      ]);
      const rollouts = await readRollouts(path("full", `stages/eval/rollouts-${i}.jsonl.gz`));
      expect(rollouts).toHaveLength(80);
      for (const problem of benchmarks.flatMap((benchmark) => benchmark.problems)) {
        const own = rollouts.filter(({ problemId }) => problemId === problem.id);
        const { tokens, outcomes } = problem.responses as NonNullable<typeof problem.responses>;
        expect(tokens).toEqual(own.map((rollout) => rollout.tokens.length));
        expect([...outcomes].map((letter) => /c/i.test(letter))).toEqual(
          own.map(({ verdict }) => verdict?.correct),
        );
        expect([...outcomes].map((letter) => letter < "a")).toEqual(
          own.map(({ finishReason }) => finishReason === "length"),
        );
      }
    }
    const metrics = new Set(file.rows.map(({ metric }) => metric));
    for (const metric of [
      "avg@8",
      "pass@2",
      "pass@8",
      "maj@8",
      "best@8",
      "solve_none",
      "solve_all",
      "truncated",
      "format_error",
      "length_tokens",
    ])
      expect(metrics, metric).toContain(metric);
    expect(file.comparisons?.map(({ arm, benchmark }) => `${arm} ${benchmark}`)).toEqual([
      "half seven",
      "half three",
      "half mean",
    ]);
    expect(file.comparisons?.at(-1)?.value).toBeGreaterThan(0.1);
    const markdown = readFileSync(path("full", "stages/eval/evaluation.md"), "utf8");
    expect(markdown).toContain("## Against base");
    expect(existsSync(path("full", "checkpoints/eval/arm-0-0.jsonl.gz"))).toBe(false);
  });

  test("a shorter budget computed afterwards is what a run with that limit would have scored", async () => {
    await bench.run("short", stage("").replace("max_new_tokens: 12", "max_new_tokens: 6"));
    const [long, short] = [evaluation("full"), evaluation("short")];
    for (const [i, { benchmarks }] of long.arms.entries())
      for (const [b, { budgets }] of benchmarks.entries()) {
        const point = budgets?.find(({ budgetTokens }) => budgetTokens === 6);
        const real = short.arms[i]?.benchmarks[b];
        // Cut responses that had written their box already are right in the real run and wrong after the fact.
        const finished = real?.problems.map(
          ({ responses }) => [...(responses?.outcomes ?? "")].filter((letter) => letter === "c").length / 8,
        ) as number[];
        expect(point?.accuracy.value).toBeCloseTo(
          finished.reduce((sum, one) => sum + one, 0) / finished.length,
          12,
        );
        const cut = real?.problems.reduce((sum, { truncated }) => sum + truncated, 0) as number;
        expect(point?.truncated).toBeCloseTo(cut / ((real?.problems.length as number) * 8), 12);
        expect(budgets?.at(-1)?.accuracy.value).toBeCloseTo(
          long.rows.find(
            (row) =>
              row.arm === long.arms[i]?.arm &&
              row.benchmark === benchmarks[b]?.benchmark &&
              row.metric === "avg@8",
          )?.value as number,
          12,
        );
      }
  });

  test("one benchmark may be drawn in another way; the other stays as it was, draw by draw", async () => {
    await bench.run(
      "over",
      stage(
        "overrides: [{benchmarks: [three], samples_per_problem: 4, sampling: {temperature: 0.5, top_k: 5}}]",
      ),
    );
    const [plain, changed] = [evaluation("full"), evaluation("over")];
    const [seven, three] = (changed.arms[1] as EvaluationFile["arms"][0]).benchmarks as [
      (typeof changed.arms)[0]["benchmarks"][0],
      (typeof changed.arms)[0]["benchmarks"][0],
    ];
    expect(seven).toEqual(plain.arms[1]?.benchmarks[0]);
    expect(three.samplesPerProblem).toBe(4);
    expect(three.sampling).toEqual({ temperature: 0.5, topK: 5, topP: 1, minP: 0, maxNewTokens: 12 });
    expect(three.problems[0]?.responses?.tokens).toHaveLength(4);
    expect(changed.rows.some(({ benchmark, metric }) => benchmark === "three" && metric === "avg@4")).toBe(
      true,
    );
    await expect(
      bench.run("over-typo", stage("overrides: [{benchmarks: [tree], samples_per_problem: 4}]")),
    ).rejects.toThrow(/one of the benchmarks seven, three, got tree.*three/);
  });

  test("problems of several references are asked in their order; a limit takes the first of each benchmark", async () => {
    const list = (extra: string): string =>
      stage(extra).replace(
        'problems: "{root}/two.jsonl"',
        'problems: ["{root}/two.jsonl", "{root}/toy.jsonl"]',
      );
    await bench.run("list", list("limit: 2"));
    const [one, both] = [evaluation("full"), evaluation("list")];
    expect(both.problems).toMatchObject({ count: 6, limit: 2 });
    expect(both.problems?.reference).toMatch(/two\.jsonl, .*toy\.jsonl$/);
    const sets = both.arms[0]?.benchmarks ?? [];
    expect(sets.map(({ benchmark, problems }) => [benchmark, problems.length])).toEqual([
      ["seven", 2],
      ["three", 2],
      ["toy", 2],
    ]);
    // The same draws as in the whole evaluation; the same question asked again has an id of its own.
    expect(sets[0]?.problems).toEqual(one.arms[0]?.benchmarks[0]?.problems.slice(0, 2));
    expect(sets[2]?.problems[0]?.id).toBe(`${sets[0]?.problems[0]?.id}-2`);
    for (const { benchmarks, mean } of both.arms) {
      const means = benchmarks.map(
        ({ problems }) => problems.reduce((sum, { correct }) => sum + correct / 8, 0) / problems.length,
      );
      expect(mean?.value).toBeCloseTo(means.reduce((sum, value) => sum + value, 0) / 3, 12);
      expect((mean?.value ?? 1) < (mean?.high ?? 0)).toBe(true);
    }
    // Nothing was left out: no trial.
    await bench.run("ample", stage("limit: 99"));
    expect(evaluation("ample").problems).toEqual(one.problems);
    await expect(bench.run("nofile", list("").replace("toy.jsonl", "toys.jsonl"))).rejects.toThrow(
      /no such file or folder: .*toys\.jsonl/,
    );
  });

  test("an override may use the paper's name of a benchmark", () => {
    const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 9 };
    const config = {
      sampling,
      samplesPerProblem: 4,
      overrides: [{ benchmarks: ["AIME 2024"], samplesPerProblem: 32, sampling: {} }],
    };
    expect(settingsOf(config, "test-math-aime24").samplesPerProblem).toBe(32);
    expect(settingsOf(config, "test-math-aime25").samplesPerProblem).toBe(4);
  });

  test("the hardest problems are judged by fresh samples of every arm", async () => {
    await bench.run("hard", stage("hardest: {count: 4, samples_per_problem: 16}\n    reference: half"));
    const { hardest, arms } = evaluation("hard");
    expect(hardest).toMatchObject({ reference: "half", scope: "pooled", samplesPerProblem: 16 });
    expect(hardest?.problems).toHaveLength(4);
    const half = arms[1]?.benchmarks.flatMap(({ problems }) => problems) ?? [];
    const chosen = hardest?.problems.map(({ selectedOn }) => selectedOn) as number[];
    const accuracies = half.map(({ correct }) => correct / 8).sort((a, b) => a - b);
    expect(chosen).toEqual(accuracies.slice(0, 4));
    const fresh = hardest?.arms.find(({ arm }) => arm === "half");
    for (const accuracy of fresh?.accuracies ?? []) expect(Number.isInteger(accuracy * 16)).toBe(true);
    // Other draws than the first ones: the same seeds would repeat the selection's luck.
    expect(fresh?.accuracies).not.toEqual(chosen);
    expect(hardest?.arms.map(({ arm, comparison }) => [arm, comparison?.reference ?? null])).toEqual([
      ["half", null],
      ["base", "half"],
    ]);
  });

  test("hardest problems of another reference, among some of the arms", async () => {
    await bench.run("hard-some", stage("hardest: {count: 2, reference: half, arms: [half]}"));
    const { hardest, reference } = evaluation("hard-some");
    expect(reference).toBe("base");
    expect(hardest?.reference).toBe("half");
    expect(hardest?.arms.map(({ arm }) => arm)).toEqual(["half"]);
    await expect(bench.run("hard-typo", stage("hardest: {arms: [halff]}"))).rejects.toThrow(
      /hardest: expected arms among base, half, got halff.*half/,
    );
  });

  test("draws only what is missing after a kill, hardest problems included, with the same bytes", async () => {
    const text = stage("hardest: {count: 3}\n    keep_rollouts: all");
    await bench.run("whole", text);
    let calls = 0;
    const failing = async (checkpoint: string) => {
      const policy = await openTabularPolicy(checkpoint);
      const sample = policy.sample.bind(policy);
      policy.sample = async (...given) =>
        ++calls === 4 ? Promise.reject(new Error("power cut")) : sample(...given);
      return policy;
    };
    await expect(bench.run("cut", text, { open: failing })).rejects.toThrow(/power cut/);
    await bench.run("cut", text, { resume: true });
    for (const file of [
      "evaluations/eval.json",
      "stages/eval/rollouts-1.jsonl.gz",
      "stages/eval/samples.json",
    ])
      expect(readFileSync(path("cut", file)).equals(readFileSync(path("whole", file))), file).toBe(true);
  });

  test("rope_scaling lays YaRN on a copy and says so; a model without a length needs one", async () => {
    const scaled = (rope: string): string =>
      stage("").replace(
        '{arm: half, model: "{root}/runs/half/stages/sft/model"}',
        `{arm: long, model: "{root}/model", rope_scaling: ${rope}}`,
      );
    const before = readFileSync(join(bench.folder, "model/config.json"), "utf8");
    let seen: Record<string, unknown> | undefined;
    await bench.run("yarn", scaled("{factor: 2, original_length: 64}"), {
      open: async (checkpoint) => {
        const policy = await openTabularPolicy(checkpoint);
        const load = policy.load.bind(policy);
        policy.load = async (folder, options) => {
          if (folder.endsWith("arm-1-scaled"))
            seen = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
          return load(folder, options);
        };
        return policy;
      },
    });
    expect(seen).toMatchObject({
      max_position_embeddings: 128,
      rope_scaling: { rope_type: "yarn", factor: 2, original_max_position_embeddings: 64 },
    });
    expect(evaluation("yarn").arms.map(({ ropeScaling }) => ropeScaling)).toEqual([
      null,
      {
        factor: 2,
        originalLength: 64,
        attentionScale: 1,
        betaFast: 32,
        betaSlow: 1,
        maxPositionEmbeddings: 128,
      },
    ]);
    expect(readFileSync(join(bench.folder, "model/config.json"), "utf8")).toBe(before);
    expect(existsSync(path("yarn", "checkpoints/eval/arm-1-scaled"))).toBe(false);
    await expect(bench.run("yarn-bare", scaled("{factor: 2}"))).rejects.toThrow(
      /original_length: expected the length/,
    );
    const reversed = scaled("{factor: 2, original_length: 64, beta_fast: 1, beta_slow: 2}");
    await expect(bench.run("yarn-betas", reversed)).rejects.toThrow(
      /beta_fast: expected at least beta_slow 2, got 1/,
    );
  });

  test("a reference that is no arm is refused before anything is drawn", async () => {
    await expect(bench.run("nobody", stage("reference: bass"))).rejects.toThrow(
      /one of the arms base, half, got bass.*base/,
    );
  });
});

describe("readEvaluation", () => {
  test("one line for each way a file can be wrong", () => {
    const file = join(bench.folder, "x.json");
    expect(() => readEvaluation(file)).toThrow(/no such file/);
    writeFileSync(file, "{");
    expect(() => readEvaluation(file)).toThrow(/no complete JSON/);
    writeFileSync(file, `{"stage": "a", "seed": "b"}`);
    expect(() => readEvaluation(file)).toThrow(/expected an evaluation file: seed/);
  });
});
