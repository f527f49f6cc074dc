import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTokenizer } from "../../text/load-tokenizer.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import { createExamples, type ExampleOptions } from "./examples.ts";
import { fineTuneSteps } from "./fine-tune.ts";
import { writeTabularModel } from "./testing/tabular-policy.ts";
import { toyProblems, toyRollout } from "./testing/toy-task.ts";

let folder: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "polaris-examples-"));
  await writeTabularModel(folder, 1);
  tokenizer = loadTokenizer(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const problems = toyProblems();
const right = problems.map((problem) => toyRollout(problem, String(problem.answer)));

function create(overrides: Partial<ExampleOptions>) {
  return createExamples({
    problems,
    rollouts: right,
    filter: { requireCorrect: false, requireFinished: true, minSpans: 0 },
    grader: { mode: "strict", answerFrom: "last_boxed" },
    maxTokens: 100,
    promptOf: (problem) => `<bos>${problem.prompt}`,
    tokenizer,
    sameTokens: false,
    ...overrides,
  });
}

test("encoding the text gives the tokens the rollout carries", () => {
  const encoded = create({});
  expect(encoded.counts.kept).toBe(10);
  expect(encoded.examples).toEqual(create({ sameTokens: true }).examples);
});

test("every reason to leave a response out is counted", () => {
  const first = right[0] as (typeof right)[number];
  const rollouts = [
    { ...first, finishReason: "length" as const },
    { ...first, text: " " },
    { ...toyRollout(problems[1] as (typeof problems)[number], "5") },
    { ...(right[2] as typeof first), text: "\\boxed{7}" },
    { ...(right[3] as typeof first) },
    { ...first, problemId: "stranger" },
  ];
  const filter = { requireCorrect: true, requireFinished: true, minSpans: 1 };
  expect(create({ rollouts, filter }).counts).toEqual({
    kept: 1,
    unknownProblem: 1,
    unfinished: 2,
    incorrect: 1,
    withoutFormat: 1,
    tooLong: 0,
  });
  expect(create({ maxTokens: 5 }).counts).toMatchObject({ kept: 0, tooLong: 10 });
});

test("a truncated response, where allowed, has no end token", () => {
  const rollouts = [{ ...(right[0] as (typeof right)[number]), finishReason: "length" as const }];
  const filter = { requireCorrect: false, requireFinished: false, minSpans: 0 };
  expect(create({ rollouts, filter }).examples[0]?.responseTokens).not.toContain(tokenizer.eosTokenId);
});

test("steps are whole batches of the epochs, within the cap", () => {
  const config = { batchSize: 4, epochs: 1.5, checkpointEvery: 0 } as Parameters<typeof fineTuneSteps>[0];
  expect(fineTuneSteps(config, 10)).toBe(15);
  expect(fineTuneSteps({ ...config, maxSteps: 6 }, 10)).toBe(6);
  expect(fineTuneSteps({ ...config, epochs: 0.01 }, 10)).toBe(1);
});
