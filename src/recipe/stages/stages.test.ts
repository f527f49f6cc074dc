import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readProblems } from "../../data/problems.ts";
import { readRollouts } from "../../data/rollouts.ts";
import type {
  AlphaFile,
  DifferenceFile,
  EvaluationFile,
  PassRateFile,
  SamplesFile,
  SimilarityFile,
} from "../result-files.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";
import { openTabularPolicy } from "./testing/tabular-policy.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run(
    "base",
    sft("{root}/mixed.jsonl.gz", 60) + sft("{root}/right.jsonl.gz", 60).replace("id: sft", "id: good"),
  );
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const SAMPLING = "sampling: {temperature: 1, max_new_tokens: 12}";
/** Trained on a right and a wrong response each: right about half of the time. */
const HALF = "{root}/runs/base/stages/sft/model";
/** Trained on right responses only. */
const GOOD = "{root}/runs/base/stages/good/model";

function sft(data: string, epochs: number): string {
  return `
  - id: sft
    kind: sft
    model: "{root}/model"
    data: ["${data}"]
    problems: "{root}/toy.jsonl"
    batch_size: 10
    epochs: ${epochs}
    optimizer: {learning_rate: 0.1}
    schedule: {kind: constant}
`;
}

const json = <File>(name: string, file: string): File => JSON.parse(bench.read(name, file)) as File;
const path = (name: string, file: string): string => join(bench.folder, "runs", name, file);

describe("problems stage", () => {
  test("draws practice splits without common prompts and keeps benchmark names", async () => {
    await bench.run(
      "splits",
      ["train", "validation", "held_out"]
        .map(
          (split) =>
            `  - {id: ${split}, kind: problems, sources: [{from: practice, benchmarks: [chain, inverse], split: ${split}, count: 30}]}`,
        )
        .join("\n"),
    );
    const prompts: string[] = [];
    for (const split of ["train", "validation", "held_out"]) {
      const problems = await readProblems(path("splits", `stages/${split}/problems.jsonl`));
      expect(new Set(problems.map(({ source }) => source))).toEqual(new Set(["chain", "inverse"]));
      expect(problems.length).toBeGreaterThan(50);
      prompts.push(...problems.map(({ prompt }) => prompt));
    }
    expect(new Set(prompts).size).toBe(prompts.length);
  });

  test("drops what an rl stage's accuracy log shows to be easy", async () => {
    await bench.run(
      "easy",
      `
  - {id: rl, kind: rl, model: "${GOOD}", problems: "{root}/toy.jsonl", steps: 2, batch_size: 10, samples_per_problem: 4, ${SAMPLING}, zero_advantage: {on_gate: count}}
  - {id: left, kind: problems, sources: [{from: reference, problems: "{root}/toy.jsonl"}], drop_easy: {stage: rl, threshold: 0.7}}
`,
    );
    const log = bench
      .read("easy", "stages/rl/accuracy.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { index: string[]; score: number[] });
    const mean = (id: string): number => {
      const scores = log.flatMap(({ index, score }) =>
        index.includes(id) ? [score[index.indexOf(id)] as number] : [],
      );
      return scores.reduce((sum, score) => sum + score, 0) / scores.length;
    };
    const left = (await readProblems(path("easy", "stages/left/problems.jsonl"))).map(({ id }) => id);
    const all = (await readProblems(join(bench.folder, "toy.jsonl"))).map(({ id }) => id);
    expect(left).toEqual(all.filter((id) => !(mean(id) > 0.7)));
    expect(left.length).toBeLessThan(all.length);
  });
});

describe("teacher stage", () => {
  test("writes graded solutions with mistakes, or verified ones only", async () => {
    const { stages } = await bench.run(
      "teach",
      `
  - {id: train, kind: problems, sources: [{from: practice, benchmarks: [chain], split: train, count: 40}]}
  - {id: noisy, kind: teacher, problems: train, error_rate: 0.4, styles: {full: 1, hasty: 1}}
  - {id: gold, kind: teacher, problems: train, error_rate: 0.4, solutions_per_problem: 3, keep: correct}
`,
    );
    const noisy = await readRollouts(path("teach", "stages/noisy/rollouts.jsonl.gz"));
    const gold = await readRollouts(path("teach", "stages/gold/rollouts.jsonl.gz"));
    expect(noisy).toHaveLength(40);
    const share = noisy.filter((rollout) => rollout.verdict?.correct === true).length / 40;
    expect(share).toBeGreaterThan(0.05);
    expect(share).toBeLessThan(0.7);
    expect(stages[1]?.output.numbers?.["correct_share"]).toBeCloseTo(share, 12);
    expect(gold.length).toBeGreaterThan(0);
    expect(gold.length).toBeLessThan(120);
    expect(gold.every((rollout) => rollout.verdict?.correct === true)).toBe(true);
  });
});

describe("sft stage", () => {
  test("learns the responses it is given", async () => {
    const lines = bench.metrics("base").filter((line) => line.stage === "good");
    expect(Number(lines[0]?.loss)).toBeGreaterThan(2);
    expect(Number(lines.at(-1)?.loss)).toBeLessThan(0.4);
  });

  test("filters by correctness and format, and says when nothing is left", async () => {
    const { stages } = await bench.run(
      "filtered",
      `${sft("{root}/mixed.jsonl.gz", 1)}    filter: {require_correct: true, min_spans: 1}\n`,
    );
    expect(stages[0]?.output.numbers).toMatchObject({ examples: 10, left_out: 10, steps: 1 });
    await expect(
      bench.run("nothing", `${sft("{root}/mixed.jsonl.gz", 1)}    filter: {min_spans: 2}\n`),
    ).rejects.toThrow(/no response is left/);
  });
});

describe("calibrate stage", () => {
  const calibrate = (model: string, extra = ""): string => `
  - {id: calibrate, kind: calibrate, model: "${model}", problems: "{root}/toy.jsonl", samples_per_problem: 8, ${SAMPLING}${extra}}
`;

  test("pass rates agree with the rollouts it keeps, and 8 of 8 is dropped", async () => {
    await bench.run("calibrate", calibrate(GOOD));
    const file = json<PassRateFile>("calibrate", "stages/calibrate/pass-rates.json");
    const rollouts = await readRollouts(path("calibrate", "stages/calibrate/rollouts.jsonl.gz"));
    expect(rollouts).toHaveLength(80);
    expect(file.counts.reduce((sum, count) => sum + count, 0)).toBe(10);
    for (const { id, passRate } of file.problems) {
      const own = rollouts.filter((rollout) => rollout.problemId === id);
      expect(passRate).toBe(own.filter((rollout) => rollout.verdict?.correct).length / 8);
    }
    const kept = await readProblems(path("calibrate", "stages/calibrate/problems.jsonl"));
    const solved = file.problems.filter(({ passRate }) => passRate === 1).length;
    expect(solved).toBeGreaterThan(0);
    expect(kept).toHaveLength(10 - solved);
    expect(kept[0]?.meta["pass_rate"]).toBeLessThan(1);
    expect(existsSync(path("calibrate", "checkpoints/calibrate/calibrate-0.jsonl.gz"))).toBe(false);
  });

  test("draws only what is missing after an interruption, with the same result", async () => {
    await bench.run("again-whole", calibrate(HALF, ", keep_rollouts: correct"));
    const text = readFileSync(path("again-whole", "stages/calibrate/rollouts.jsonl.gz"));
    await expect(
      bench.run("again", calibrate(HALF, ", keep_rollouts: correct"), {
        open: async (checkpoint) => {
          const policy = await openTabularPolicy(checkpoint);
          policy.sample = async () => Promise.reject(new Error("power cut"));
          return policy;
        },
      }),
    ).rejects.toThrow(/power cut/);
    await bench.run("again", calibrate(HALF, ", keep_rollouts: correct"), { resume: true });
    expect(readFileSync(path("again", "stages/calibrate/rollouts.jsonl.gz")).equals(text)).toBe(true);
  });

  test("refuses an engine that cannot draw as asked", async () => {
    await expect(
      bench.run("top-p", calibrate(HALF).replace("max_new_tokens: 12", "max_new_tokens: 12, top_p: 0.9")),
    ).rejects.toThrow(/lacks top-p/);
  });
});

describe("evaluate stage", () => {
  test("ranks arms on the same draws, with rows, counts and samples that agree", async () => {
    await bench.run(
      "evaluate",
      `
  - id: eval
    kind: evaluate
    arms: [{arm: base, model: "{root}/model"}, {arm: sft, model: "${HALF}"}, {arm: good, model: "${GOOD}"}]
    problems: "{root}/toy.jsonl"
    samples_per_problem: 8
    ${SAMPLING}
    show_samples: 2
`,
    );
    const file = json<EvaluationFile>("evaluate", "evaluations/eval.json");
    const value = (arm: string): number =>
      file.rows.find((row) => row.arm === arm && row.metric === "avg@8")?.value as number;
    expect(value("base")).toBeLessThan(0.1);
    expect(value("sft")).toBeGreaterThan(value("base") + 0.1);
    expect(value("good")).toBeGreaterThan(value("sft") + 0.1);
    for (const { arm, benchmarks } of file.arms) {
      const [toy] = benchmarks;
      expect(toy?.benchmark).toBe("toy");
      const correct = toy?.problems.reduce((sum, problem) => sum + problem.correct, 0) as number;
      expect(value(arm)).toBeCloseTo(correct / 80, 12);
      for (const row of file.rows) expect(row.low <= row.value && row.value <= row.high).toBe(true);
    }
    const { samples } = json<SamplesFile>("evaluate", "stages/eval/samples.json");
    expect(samples).toHaveLength(6);
    expect(samples.slice(0, 2).map(({ prompt }) => prompt)).toEqual(
      samples.slice(2, 4).map(({ prompt }) => prompt),
    );
  });

  test("refuses two arms of one name", async () => {
    const arms = `[{arm: x, model: "${HALF}"}, {arm: x, model: "${GOOD}"}]`;
    await expect(
      bench.run(
        "twice",
        `  - {id: eval, kind: evaluate, arms: ${arms}, problems: "{root}/toy.jsonl", ${SAMPLING}}`,
      ),
    ).rejects.toThrow(/different names/);
  });
});

describe("distill and merge stages", () => {
  test("a student learns its teacher's samples, and the sweep has the ends in the right order", async () => {
    await bench.run(
      "distill",
      `
  - {id: student, kind: distill, teacher: "${GOOD}", student: "{root}/other", problems: "{root}/toy.jsonl", samples_per_problem: 8, ${SAMPLING}, batch_size: 10, epochs: 20, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
  - {id: merged, kind: merge, base: "{root}/other", other: student, alpha: best, sweep: {alphas: [0, 0.5, 1], problems: "{root}/toy.jsonl", samples_per_problem: 4, ${SAMPLING}}}
  - {id: fixed, kind: merge, base: "{root}/other", other: student, alpha: 1}
`,
    );
    const { points, chosen } = json<AlphaFile>("distill", "stages/merged/alpha.json");
    const value = (i: number): number =>
      points[i]?.rows.find(({ metric }) => metric === "avg@4")?.value as number;
    expect(points.map(({ alpha }) => alpha)).toEqual([0, 0.5, 1]);
    expect(value(0)).toBeGreaterThan(0.3);
    expect(value(2)).toBeLessThan(0.1);
    expect(value([0, 0.5, 1].indexOf(chosen))).toBe(Math.max(value(0), value(1), value(2)));
    const base = readFileSync(join(bench.folder, "other/model.safetensors"));
    expect(readFileSync(path("distill", "stages/fixed/model/model.safetensors")).equals(base)).toBe(true);
  });

  test("the best alpha needs a sweep", async () => {
    const text = `  - {id: m, kind: merge, base: "{root}/model", other: "{root}/other", alpha: best}`;
    await expect(bench.run("no-sweep", text)).rejects.toThrow(/needs a sweep/);
  });
});

describe("difference_filter stage", () => {
  test("keeps what it says it keeps and measures similarity", async () => {
    await bench.run(
      "difference",
      `
  - {id: low, kind: difference_filter, problems: "{root}/toy.jsonl", model: "${HALF}", samples_per_problem: 16, ${SAMPLING}, min_steps: 0, keep_undetermined: true}
  - {id: again, kind: difference_filter, problems: "{root}/toy.jsonl", rollouts: low, mode: curriculum, min_steps: 0, keep_undetermined: true}
`,
    );
    const file = json<DifferenceFile>("difference", "stages/low/difference.json");
    const kept = (await readProblems(path("difference", "stages/low/problems.jsonl"))).map(({ id }) => id);
    expect(new Set(kept)).toEqual(
      new Set(file.problems.filter((problem) => problem.kept).map(({ id }) => id)),
    );
    expect(file.counts.kept + file.counts.dropped).toBe(10);
    const study = json<SimilarityFile>("difference", "stages/low/similarity.json");
    // Right responses share their one step, wrong ones of this model too: two digits were taught.
    expect(study.withFinalAnswer.correctCorrect.value).toBeGreaterThan(
      study.withFinalAnswer.correctIncorrect.value,
    );
    expect(study.withFinalAnswer.correctCorrect.pairs).toBeGreaterThan(10);
    const again = json<DifferenceFile>("difference", "stages/again/difference.json");
    expect(again.problems.map(({ overlap }) => overlap)).toEqual(file.problems.map(({ overlap }) => overlap));
  });

  test("needs either a model or rollouts", async () => {
    const text = `  - {id: low, kind: difference_filter, problems: "{root}/toy.jsonl"}`;
    await expect(bench.run("neither", text)).rejects.toThrow(/either model or rollouts/);
  });
});
