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
  for (const stop of [3, 5, 7, "round 2: end of training", 10]) {
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
