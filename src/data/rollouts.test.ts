import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../errors.ts";
import type { Rollout } from "../types.ts";
import { writeJsonl } from "./jsonl.ts";
import { groupByProblem, parseRollout, readRollouts, streamRollouts, writeRollouts } from "./rollouts.ts";
import { scratchFolder } from "./testing.ts";

function rollout(changes: Partial<Rollout> = {}): Rollout {
  return {
    problemId: "p1",
    stage: "rl",
    step: 3,
    sample: 0,
    policyVersion: "v1",
    sampling: { temperature: 1.2, topK: 20, topP: 1, minP: 0, maxNewTokens: 64 },
    seed: 7,
    text: "\\boxed{1}\u2028",
    promptTokens: [1, 5],
    tokens: [4, 2],
    logprobs: [-0.123456789012345, -1e-30],
    finishReason: "stop",
    verdict: { correct: true, answer: "1", reason: "equal", graderVersion: "g" },
    reward: { outcome: 1, process: 0, total: 1, reason: "correct" },
    ...changes,
  };
}

const { verdict: _verdict, reward: _reward, ...ungraded } = rollout();

describe("files", () => {
  test("every field comes back, numbers to the last bit", async () => {
    const path = join(scratchFolder(), "step-3.jsonl.gz");
    const rollouts = [rollout(), ungraded, rollout({ tokens: [4], logprobs: [], verdict: undefined })];
    writeRollouts(path, rollouts);
    expect(await readRollouts(path)).toEqual(rollouts);
  });

  test("filters: every condition must hold, and an ungraded rollout is neither right nor wrong", async () => {
    const path = join(scratchFolder(), "r.jsonl");
    const wrong = rollout({
      verdict: { correct: false, answer: null, reason: "no_boxed", graderVersion: "g" },
    });
    const failed = rollout({
      verdict: { correct: null, answer: null, reason: "timeout", graderVersion: "g" },
    });
    const all = [
      rollout(),
      rollout({ step: 4, problemId: "p2" }),
      rollout({ stage: "sft", finishReason: "length", policyVersion: "v2" }),
      wrong,
      failed,
      ungraded,
    ];
    writeRollouts(path, all);
    const read = (filter: Parameters<typeof readRollouts>[1]) => readRollouts(path, filter);
    expect(await read({ correct: true })).toHaveLength(3);
    expect(await read({ correct: false })).toEqual([wrong]);
    expect(await read({ fromStep: 4, toStep: 4 })).toEqual([all[1]]);
    expect(await read({ toStep: 3, problemIds: new Set(["p2"]) })).toEqual([]);
    expect(await read({ finishReason: "length", stage: "sft", policyVersion: "v2" })).toEqual([all[2]]);
  });

  test("streaming may stop early; groups keep the order", async () => {
    const path = join(scratchFolder(), "r.jsonl");
    writeRollouts(path, [
      rollout({ problemId: "b" }),
      rollout({ problemId: "a" }),
      rollout({ problemId: "b", sample: 1 }),
    ]);
    for await (const first of streamRollouts(path)) {
      expect(first.problemId).toBe("b");
      break;
    }
    const groups = groupByProblem(await readRollouts(path));
    expect([...groups].map(([id, group]) => [id, group.map((item) => item.sample)])).toEqual([
      ["b", [0, 1]],
      ["a", [0]],
    ]);
  });

  test("a log-probability that is not finite is refused when writing", () => {
    const path = join(scratchFolder(), "r.jsonl");
    expect(() => writeRollouts(path, [rollout({ logprobs: [0, Number.NEGATIVE_INFINITY] })])).toThrow(
      TypeError,
    );
  });

  test("a defective line is named", async () => {
    const path = join(scratchFolder(), "r.jsonl");
    writeJsonl(path, [rollout(), { ...rollout(), tokens: ["4"] }]);
    await expect(readRollouts(path)).rejects.toThrow(`${path}:2: tokens: expected token ids, got ["4"]`);
  });
});

test.each<[string, Record<string, unknown>]>([
  ["problemId", { problemId: 3 }],
  ["text", { text: null }],
  ["step", { step: -1 }],
  ["sample", { sample: 0.5 }],
  ["seed", { seed: "7" }],
  ["sampling", { sampling: { temperature: 1 } }],
  ["sampling", { sampling: null }],
  ["promptTokens", { promptTokens: [-1] }],
  ["logprobs", { logprobs: [null, 0] }],
  ["logprobs", { logprobs: [0] }],
  ["finishReason", { finishReason: "done" }],
  ["verdict", { verdict: null }],
])("a rollout with a wrong %s is refused", (field, change) => {
  const parse = () => parseRollout({ ...rollout(), ...change }, "w");
  expect(parse).toThrow(DataError);
  expect(parse).toThrow(`w: ${field}: expected`);
});
