/** Reasons and rates of calibrated problems where the grader failed on some responses. */
import { expect, test } from "vitest";
import { calibrateSchema } from "../../config/stages/calibrate.ts";
import type { Problem } from "../../types.ts";
import { addOutcome, createOutcomes, describeOutcomes } from "./response-outcomes.ts";
import { selectByDifficulty } from "./select.ts";

const problem = (id: string): Problem => ({
  id,
  prompt: `question ${id}`,
  answer: "1",
  source: "s",
  meta: {},
});
const rules = (filter: object) =>
  calibrateSchema.parse({
    model: "m",
    problems: "p",
    sampling: { maxNewTokens: 8 },
    samplesPerProblem: 4,
    filter,
  });

function reasons(counts: Record<string, [correct: number, graderErrors: number]>, filter: object) {
  const { kept, drops } = selectByDifficulty(
    Object.keys(counts).map(problem),
    new Map(Object.entries(counts).map(([id, [correct, graderErrors]]) => [id, { correct, graderErrors }])),
    rules(filter),
    "calibrate",
  );
  const dropped = drops.reasons.flatMap(({ reason, examples }) => examples.map(({ id }) => [id, reason]));
  return { kept: kept.map(({ id, meta }) => [id, meta["pass_rate"]]), dropped: Object.fromEntries(dropped) };
}

test("a failure of the grader drops a problem only where either verdict would", () => {
  const counts: Parameters<typeof reasons>[0] = {
    all: [0, 4],
    half: [0, 1],
    one: [1, 1],
    four: [4, 0],
    none: [0, 0],
  };
  expect(reasons(counts, { dropUnsolved: true, maxPassRate: 0.5 })).toEqual({
    kept: [
      ["half", 0],
      ["one", 0.25],
    ],
    dropped: { all: "ungraded", four: "solved", none: "too_hard" },
  });
});

test("between two reasons of one side the problem still goes", () => {
  // Three right and one unknown: too easy or solved, out either way.
  const { dropped, kept } = reasons({ three: [3, 1] }, { maxPassRate: 0.5 });
  expect([dropped, kept]).toEqual([{ three: "too_easy" }, []]);
});

test("responses are counted by how they ended", () => {
  const outcomes = createOutcomes();
  const verdict = (correct: boolean | null, answer: string | null, reason: string) => ({
    correct,
    answer,
    reason,
    graderVersion: "1",
  });
  addOutcome(outcomes, { verdict: verdict(true, "1", "equal"), finishReason: "stop", text: "1" });
  addOutcome(outcomes, { verdict: verdict(true, "1", "equal"), finishReason: "length", text: "1 and" });
  addOutcome(outcomes, { verdict: verdict(false, null, "truncated"), finishReason: "length", text: "so" });
  addOutcome(outcomes, { verdict: verdict(false, null, "empty"), finishReason: "stop", text: " \n" });
  addOutcome(outcomes, { verdict: verdict(false, null, "no_boxed"), finishReason: "stop", text: "x" });
  addOutcome(outcomes, {
    verdict: verdict(null, "1", "grader_failed:RangeError"),
    finishReason: "stop",
    text: "x",
  });
  expect(outcomes).toEqual({ responses: 6, correct: 2, truncated: 2, unboxed: 2, empty: 1, graderErrors: 1 });
  expect(describeOutcomes(outcomes).join("; ")).toMatch(
    /33\.3% cut at the token limit; 33\.3% ended without.*16\.7% empty; the grader failed on 1/,
  );
  expect(describeOutcomes(createOutcomes())).toEqual([]);
});
