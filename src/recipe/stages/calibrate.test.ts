/** Calibration through the real runner where things go wrong: silent models, kills, and what is seen meanwhile. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PassRateFile } from "../result-files.ts";
import type { RunEvent } from "../run-events.ts";
import { createWorkbench, type Workbench } from "./testing/recipe-run.ts";
import { openTabularPolicy } from "./testing/tabular-policy.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const stage = (extra = ""): string =>
  `  - {id: rates, kind: calibrate, model: "{root}/model", problems: "{root}/toy.jsonl", sampling: {temperature: 1, max_new_tokens: 12}${extra}}\n`;

test("a model that answers nothing is told apart from hard problems", async () => {
  const notes: string[] = [];
  await bench.run("silent", stage(), {
    observe: (event) => {
      if (event.event === "stage-note") notes.push(event.text);
    },
    open: async (checkpoint) => {
      const policy = await openTabularPolicy(checkpoint);
      const sample = policy.sample.bind(policy);
      policy.sample = async (...given) =>
        (await sample(...given)).map((group) =>
          group.map((one) => ({ ...one, text: "", tokens: [], logprobs: [], finishReason: "stop" as const })),
        );
      return policy;
    },
  });
  const file = JSON.parse(bench.read("silent", "stages/rates/pass-rates.json")) as PassRateFile;
  expect(file.outcomes).toEqual({
    responses: 80,
    correct: 0,
    truncated: 0,
    unboxed: 80,
    empty: 80,
    graderErrors: 0,
  });
  expect(notes.join("\n")).toMatch(
    /100\.0% ended without a boxed answer; 100\.0% empty\nno response to any problem/,
  );
});

/** Four problems a chunk, so three chunks. */
const MANY = ", samples_per_problem: 512";

test("after a kill only the chunks that are missing are drawn, with the same bytes; ends of the histogram are shown", async () => {
  const shown: Record<string, number>[] = [];
  await bench.run("whole", stage(MANY), {
    observe: (event: RunEvent) => {
      if (event.event === "stage-progress") shown.push(event.values ?? {});
    },
  });
  expect(shown.at(-1)).toMatchObject({ accuracy: expect.any(Number), never_solved: expect.any(Number) });
  expect(shown.at(-1)).toHaveProperty("always_solved");
  let calls = 0;
  const counting = (failAt: number) => async (checkpoint: string) => {
    const policy = await openTabularPolicy(checkpoint);
    const sample = policy.sample.bind(policy);
    policy.sample = async (...given) =>
      ++calls === failAt ? Promise.reject(new Error("power cut")) : sample(...given);
    return policy;
  };
  await expect(bench.run("cut", stage(MANY), { open: counting(2) })).rejects.toThrow(/power cut/);
  calls = 0;
  await bench.run("cut", stage(MANY), { resume: true, open: counting(-1) });
  expect(calls).toBe(2);
  for (const name of ["pass-rates.json", "problems.jsonl", "rollouts.jsonl.gz"]) {
    const bytes = (run: string): Buffer =>
      readFileSync(join(bench.folder, "runs", run, "stages/rates", name));
    expect(bytes("cut").equals(bytes("whole")), name).toBe(true);
  }
});

test("another filter or grader uses the responses there are; another draw does not", async () => {
  const draws = { calls: 0 };
  const open = async (checkpoint: string) => {
    const policy = await openTabularPolicy(checkpoint);
    const sample = policy.sample.bind(policy);
    policy.sample = (...given) => {
      draws.calls++;
      return sample(...given);
    };
    return policy;
  };
  const changed = stage(", filter: {max_pass_rate: 0.5}, grader: {mode: compat}");
  await bench.run("fresh", changed);
  await bench.run("again", stage(), { open });
  expect(draws.calls).toBeGreaterThan(0);
  draws.calls = 0;
  await bench.run("again", changed, { open, resume: true });
  expect(draws.calls).toBe(0);
  for (const name of ["pass-rates.json", "problems.jsonl", "drops.json", "rollouts.jsonl.gz"]) {
    const bytes = (run: string): Buffer =>
      readFileSync(join(bench.folder, "runs", run, "stages/rates", name));
    expect(bytes("again").equals(bytes("fresh")), name).toBe(true);
  }
  expect(existsSync(join(bench.folder, "runs/again/checkpoints/rates/previous"))).toBe(false);
  await bench.run("again", stage(", seed: 9"), { open, resume: true });
  expect(draws.calls).toBeGreaterThan(0);
});

test("stopped while it uses earlier responses, a stage still has them", async () => {
  await bench.run("kept", stage());
  const changed = stage(", filter: {max_pass_rate: 0.5}");
  const stopped = bench.run("kept", changed, {
    resume: true,
    observe: (event) => {
      if (event.event === "stage-start") {
        // As a kill would, after the earlier outputs were set aside.
        throw new Error("power cut");
      }
    },
  });
  await expect(stopped).rejects.toThrow(/power cut/);
  expect(existsSync(join(bench.folder, "runs/kept/checkpoints/rates/previous/rollouts.jsonl.gz"))).toBe(true);
  const notes: string[] = [];
  await bench.run("kept", changed, {
    resume: true,
    observe: (event) => {
      if (event.event === "stage-note") notes.push(event.text);
    },
  });
  expect(notes.join()).toContain("10 of 10 problems from stored responses");
});
