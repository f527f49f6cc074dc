import { describe, expect, it } from "vitest";
import { readRun, type StepMetrics } from "./read-run.ts";
import { scratchRun } from "./testing/scratch-run.ts";
import { createTrainingRuns, seriesOf, summarizeTraining, type TrainingRun } from "./training-runs.ts";

function run(values: Record<string, number>[], firstStep = 0): TrainingRun {
  const steps = values.map(
    (entry, i): StepMetrics => ({ stage: "core", step: firstStep + i, values: entry }),
  );
  return { stage: "core", arm: "core", filters: [], regime: "short", offset: 10, steps };
}

describe("createTrainingRuns", () => {
  it("orders RL stages by the recipe and lets a run continue where its weights come from", () => {
    const records = readRun(scratchRun());
    const runs = createTrainingRuns(records, (stage) => stage);
    expect(runs.map(({ stage, offset, filters }) => [stage, offset, filters])).toEqual([
      ["grpo", 0, []],
      ["core", 0, []],
      ["filtered", 100, ["difference"]],
      ["high", 100, ["difference_high"]],
    ]);
  });

  it("counts a continued run from the next step when steps begin at 1", () => {
    const records = readRun(scratchRun());
    const shifted = {
      ...records,
      metrics: records.metrics.map((step) => ({ ...step, step: step.step + 1 })),
    };
    const filtered = createTrainingRuns(shifted, (stage) => stage).find(({ stage }) => stage === "filtered");
    expect(filtered?.offset).toBe(100);
    expect(seriesOf(filtered!, "accuracy")[0]?.step).toBe(101);
  });

  it("leaves supervised stages out and orders steps", () => {
    const records = readRun(scratchRun({ omit: ["metrics.jsonl"] }));
    const metrics: StepMetrics[] = [
      { stage: "sft", step: 0, values: { loss: 2 } },
      { stage: "grpo", step: 1, values: { accuracy: 0.2 } },
      { stage: "grpo", step: 0, values: { accuracy: 0.1 } },
    ];
    const runs = createTrainingRuns({ ...records, metrics }, (stage) => stage);
    expect(runs.map(({ stage, steps }) => [stage, steps.map(({ step }) => step)])).toEqual([
      ["grpo", [0, 1]],
    ]);
  });
});

describe("summarizeTraining", () => {
  it("averages the ends over at most a fifth of the run and sums totals", () => {
    const values = Array.from({ length: 20 }, (_, i) => ({ accuracy: i / 20, "tokens/sampled": 100 }));
    const summary = summarizeTraining(run(values));
    expect(summary).toMatchObject({ steps: 20, window: 4, totals: { "tokens/sampled": 2000 } });
    expect(summary.first["accuracy"]).toBeCloseTo((0 + 1 + 2 + 3) / 4 / 20, 12);
    expect(summary.last["accuracy"]).toBeCloseTo((16 + 17 + 18 + 19) / 4 / 20, 12);
    expect(summary.first).not.toHaveProperty("entropy");
  });

  it("takes ten steps of a long run and one of a very short one", () => {
    expect(summarizeTraining(run(Array(300).fill({ accuracy: 1 }))).window).toBe(10);
    expect(summarizeTraining(run([{ accuracy: 1 }])).window).toBe(1);
  });
});

describe("seriesOf", () => {
  it("shifts by the offset and leaves gaps out", () => {
    const series = seriesOf(run([{ a: 1 }, {}, { a: 3 }]), "a");
    expect(series).toEqual([
      { step: 10, value: 1 },
      { step: 12, value: 3 },
    ]);
    expect(seriesOf(run([{ a: 1 }]), "a", false)[0]?.step).toBe(0);
  });
});
