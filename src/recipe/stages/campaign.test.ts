import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CampaignDecision } from "../result-files.ts";
import { BASE_STAGE, CAMPAIGN, countingPolicies } from "./testing/campaign-recipe.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
  await bench.run("base", BASE_STAGE);
});
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const decisionsOf = (name: string): CampaignDecision[] =>
  bench
    .read(name, "stages/loop/decisions.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("rounds follow each other, every decision with its numbers, and a stopped campaign ends bit for bit alike", async () => {
  const { stages } = await bench.run("whole", CAMPAIGN);
  const decisions = decisionsOf("whole");
  expect(decisions.map(({ round, decision }) => `${round} ${decision}`)).toEqual([
    "1 length",
    "1 temperature",
    "1 end_of_training",
    "1 drop_easy",
    "2 length",
    "2 temperature",
    "2 end_of_training",
    "2 drop_easy",
    "2 difference_filter",
    "3 length",
    "3 temperature",
    "3 end_of_training",
  ]);
  const of = (round: number, decision: string): CampaignDecision =>
    decisions.find((one) => one.round === round && one.decision === decision) as CampaignDecision;
  const first = of(1, "temperature").choice as number;
  expect([0.8, 1, 1.2]).toContain(first);
  expect(of(2, "temperature").choice).toBeGreaterThanOrEqual(first);
  expect(of(2, "temperature").evidence["target_diversity"]).toBe(of(1, "temperature").evidence["diversity"]);
  expect(of(3, "temperature")).toMatchObject({ choice: 0.9, reason: "given by the recipe" });
  expect(of(2, "length")).toMatchObject({ choice: 13, evidence: { before: 12 } });
  expect(of(1, "end_of_training").evidence["steps"]).toBe(5);
  // The weights of a round are named by it.
  const { models = {}, checkpoint } = stages[0]?.output ?? {};
  expect(Object.keys(models).sort()).toEqual(["best", "last", "round-1", "round-2", "round-3"]);
  const weights = (path: string | undefined): string => bench.read("whole", `${path}/model.safetensors`);
  expect(weights(models["round-3"]) === weights(checkpoint)).toBe(true);
  expect(weights(models["round-1"]) === weights(checkpoint)).toBe(false);
  // What the log of the round says is what was dropped.
  const { kept, too_easy: easy } = of(1, "drop_easy").evidence;
  expect((kept as number) + (easy as number)).toBe(10);

  const lines = bench.metrics("whole");
  const steps = Number(stages[0]?.output.numbers?.["steps"]);
  expect(lines.map(({ step }) => step)).toEqual(Array.from({ length: steps + 1 }, (_, step) => step));
  expect(new Set(lines.map((line) => line["campaign/round"]))).toEqual(new Set([1, 2, 3]));
  expect(lines.at(-1)?.["campaign/temperature"]).toBe(0.9);
  expect(lines.at(-1)?.["campaign/max_new_tokens"]).toBe(13);

  // Once in the middle of every round, and once between training and what follows it. Updates are counted, because
  // progress is told now and then only.
  let resume = false;
  let updates = 0;
  for (const stop of [3, 5, 7, "round 2: training ended", 10]) {
    const controller = new AbortController();
    const interrupted = bench.run("stopped", CAMPAIGN, {
      resume,
      signal: controller.signal,
      open: countingPolicies(() => {
        updates++;
        if (updates === stop) controller.abort();
      }),
      observe: (event) => {
        if (event.event === "stage-note" && typeof stop === "string" && event.text.startsWith(stop))
          controller.abort();
      },
    });
    await expect(interrupted, String(stop)).rejects.toThrow(/stopped/);
    resume = true;
  }
  await bench.run("stopped", CAMPAIGN, { resume: true });
  for (const file of [
    "metrics.jsonl",
    ...["model/model.safetensors", "decisions.jsonl", "consensus.jsonl", "accuracy.jsonl"].map(
      (name) => `stages/loop/${name}`,
    ),
  ])
    expect(bench.read("stopped", file) === bench.read("whole", file), file).toBe(true);
  // No state of a finished part stays behind.
  const rest = readdirSync(join(bench.folder, "runs/stopped/checkpoints/loop"), { recursive: true }).map(
    String,
  );
  expect(rest.filter((name) => /\.(state|partial)$/.test(name))).toEqual([]);
});

test("a stage names the weights of a round, and a round there will not be is refused", async () => {
  const measure = (model: string): string => `${CAMPAIGN}
  - {id: after, kind: temperature_sweep, model: ${model}, problems: "{root}/toy.jsonl", samples_per_problem: 2, ngram: 1, unit: tokens, sampling: {max_new_tokens: 12}, temperatures: [0.9]}
`;
  const { stages } = await bench.run("whole", measure("loop@round-2"), { resume: true });
  expect(stages.map(({ id, skipped }) => [id, skipped])).toEqual([
    ["loop", true],
    ["after", false],
  ]);
  await expect(bench.run("four", measure("loop@round-4"))).rejects.toThrow(/the campaign has 3 rounds/);
  await expect(bench.run("step", measure("loop@step-2"))).rejects.toThrow(/best, last and round-<n>/);
});

test("a rule that leaves too few problems is not applied, and says so", async () => {
  const recipe = CAMPAIGN.replace("threshold: 0.6}", "threshold: 0}\n    min_problems: 9")
    .replaceAll("temperature: search", "temperature: 1")
    .replace(", difference_filter: true", "")
    .replace(/ {6}- \{temperature: 0.9.*\n/, "");
  await bench.run("few", recipe);
  const dropped = decisionsOf("few").find(({ decision }) => decision === "drop_easy");
  expect(dropped).toMatchObject({ choice: "not applied" });
  expect(dropped?.reason).toMatch(/below min_problems 9/);
  await expect(
    bench.run("lost", CAMPAIGN.replace(/ {4}search:[\s\S]* {4}drop_easy/, "    drop_easy")),
  ).rejects.toThrow(/search says not how/);
});

test("the length alarm ends a round whose responses are cut while accuracy falls; the next has the longer limit", async () => {
  // An entropy bonus unlearns to stop: responses run into the limit and fewer are right.
  const recipe = (second: string): string => `
  - id: loop
    kind: campaign
    model: "{root}/runs/base/stages/sft/model"
    problems: "{root}/toy.jsonl"
    train:
      steps: 40
      batch_size: 10
      samples_per_problem: 4
      sampling: {max_new_tokens: 10}
      optimizer: {learning_rate: 0.1}
      loss: {entropy_coefficient: 5}
      zero_advantage: {strategy: keep, on_gate: ignore}
      length_alarm: {window: 2, accuracy_loss: 0.05, stop: true}
      keep_rollouts: 0
    rounds:
      - {temperature: 1}
      - ${second}
`;
  const told: string[] = [];
  await bench.run("alarm", recipe("{max_new_tokens: 20, steps: 2}"), {
    observe: (event) => {
      if (event.event === "stage-note") told.push(event.text);
    },
  });
  const decisions = decisionsOf("alarm");
  const end = decisions.find(({ decision }) => decision === "end_of_training") as CampaignDecision;
  expect(end.choice).toBe("length_too_short");
  expect(end.reason).toMatch(/^responses are cut at 10 tokens and accuracy fell from [\d.]+% to [\d.]+%$/);
  expect(end.evidence["steps"]).toBeLessThan(40);
  expect(end.evidence["accuracy_end"]).toBeLessThan(end.evidence["accuracy_start"] as number);
  expect(end.evidence["clip_ratio_end"]).toBeGreaterThan(end.evidence["clip_ratio_start"] as number);
  expect(end.evidence["length_too_short"]).toBe(1);
  const length = decisions.filter(({ decision }) => decision === "length")[1];
  expect(length).toMatchObject({
    choice: 20,
    reason: "given by the recipe",
    evidence: { before: 10, length_too_short: 1 },
  });
  const lines = bench.metrics("alarm");
  const second = lines.filter((line) => line["campaign/round"] === 2);
  expect(second[0]?.step).toBe((end.evidence["steps"] as number) + 1);
  expect(second.map((line) => Number(line["response_length/max"]) > 10)).toContain(true);
  expect(told.join("\n")).toMatch(/round 1, train: step \d+: responses are cut at 10 tokens/);

  // Without a longer limit the campaign goes on as declared, and says what is wrong with that.
  await bench.run("alarm", recipe("{steps: 2}"), { resume: true });
  expect(decisionsOf("alarm").filter(({ decision }) => decision === "length")[1]).toMatchObject({
    choice: 10,
    reason: expect.stringMatching(/were cut while accuracy fell: give this round a larger max_new_tokens/),
  });
  const { rounds } = JSON.parse(bench.read("alarm", "stages/loop/decisions.json"));
  expect(rounds.map(({ stopped }: { stopped: string }) => stopped)).toEqual(["length_too_short", "steps"]);
});

test("a round takes the temperature a sweep before the campaign chose, and says so", async () => {
  const recipe = (round: string): string => `
  - {id: probe, kind: temperature_sweep, model: "{root}/runs/base/stages/sft/model", problems: "{root}/toy.jsonl", samples_per_problem: 4, ngram: 1, unit: tokens, sampling: {max_new_tokens: 12}, temperatures: [0.9]}
${CAMPAIGN.replace(/ {4}search:[\s\S]* {4}drop_easy/, "    drop_easy").replace(/rounds:[\s\S]*/, `rounds:\n      - ${round}\n`)}`;
  const { stages } = await bench.run("from", recipe("{temperature_from: probe, steps: 1}"));
  const [sweep] = stages;
  expect(decisionsOf("from").find(({ decision }) => decision === "temperature")).toEqual({
    round: 1,
    decision: "temperature",
    choice: 0.9,
    reason: "chosen by probe",
    evidence: {
      accuracy: sweep?.output.numbers?.["accuracy"],
      diversity: sweep?.output.numbers?.["diversity"],
    },
  });
  expect(bench.metrics("from").at(-1)?.["campaign/temperature"]).toBe(0.9);
  await expect(bench.run("both", recipe("{temperature_from: probe, temperature: 1}"))).rejects.toThrow(
    /temperature or temperature_from, got both/,
  );
  await expect(bench.run("loose", recipe("{temperature_from: prob}"))).rejects.toThrow(/did you mean/i);
});
