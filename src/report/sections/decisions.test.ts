import { expect, test } from "vitest";
import type { CampaignDecision, DecisionsFile } from "../../recipe/result-files.ts";
import { htmlText } from "../html.ts";
import { decisionsTable, describeEvidence } from "./decisions.ts";

const words = (markup: string): string =>
  markup
    .replace(/<[^>]+>/g, " ")
    .replaceAll("\u00a0", " ")
    .replace(/\s+/g, " ");

const ended: CampaignDecision = {
  round: 1,
  decision: "end_of_training",
  choice: "length_too_short",
  reason: "responses are cut",
  evidence: {
    steps: 12,
    steps_since_best: 12,
    accuracy_start: 0.7,
    accuracy_end: 0.55,
    entropy_start: 0.2951,
    entropy_end: 0.104,
    length_end: 37.9,
    clip_ratio_start: 0.14,
    clip_ratio_end: 0.125,
    length_too_short: 1,
    something_new: 0.123456,
  },
};

test("evidence is said with units, ends as arrows, and nothing is left out", () => {
  expect(describeEvidence(ended)).toBe(
    "12 steps, accuracy 70.0% → 55.0%, entropy 0.295 → 0.104 nats, length 38 tokens, cut 14.0% → 12.5%, something new 0.1235, responses cut while accuracy falls",
  );
  expect(
    describeEvidence({
      round: 2,
      decision: "temperature",
      choice: 1.4,
      reason: "",
      evidence: { temperature: 1.4, diversity: 0.45, target_diversity: 0.47, tried: 3, robust_to: 1.4 },
    }),
  ).toBe("diversity 45.0%, to reach 47.0%, robust zone to 1.4, 3 tried");
});

test("a row per decision; text stays text", () => {
  const file: DecisionsFile = {
    stage: "loop",
    decisions: [
      { round: 1, decision: "length", choice: 39936, reason: "given by the recipe", evidence: {} },
      ended,
      {
        round: 1,
        decision: "drop_easy",
        choice: "8 of 10 problems kept",
        reason: "<b>above</b> 0.9",
        evidence: { too_easy: 2 },
      },
    ],
    rounds: [],
  };
  const page = htmlText(decisionsTable(file, false));
  expect(words(page)).toContain("1 response limit 39,936 tokens given by the recipe");
  expect(words(page)).toContain("1 training ended limit too short responses are cut 12 steps");
  expect(words(page)).toContain("1 easy problems 8 of 10 problems kept");
  expect(words(page)).toContain("checkpoints/loop/decisions.jsonl");
  expect(page).not.toContain("<b>above");
});
