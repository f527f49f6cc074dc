/**
 * A run whose disk fills up at any moment: it ends with one line that says what to do, and continued when there is room it
 * leaves the bytes of an undisturbed run.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openaiEngineSchema } from "../config/engine.ts";
import { graderSchema, samplingSchema } from "../config/stages/common.ts";
import { readRollouts } from "../data/rollouts.ts";
import { isGeneration, startDialectServer } from "../engine/openai/testing/dialect-server.ts";
import { PolarisError } from "../errors.ts";
import { openSmallDisk, smallDisksWork } from "../store/testing/small-disk.ts";
import { journalOf, sampleFile } from "./sample-file.ts";
import { createWorkbench, type Workbench } from "./stages/testing/recipe-run.ts";
import { toyProblems } from "./stages/testing/toy-task.ts";

const works = smallDisksWork();
let bench: Workbench;
beforeAll(async () => {
  bench = await createWorkbench();
}, 60_000);
afterAll(() => rmSync(bench.folder, { recursive: true, force: true }));

const recipe = (keys: string): string => `
  - {id: sft, kind: sft, model: "{root}/model", data: ["{root}/mixed.jsonl.gz"], problems: "{root}/toy.jsonl",
     batch_size: 10, epochs: 20, optimizer: {learning_rate: 0.1}, schedule: {kind: constant}}
  - {id: calibrate, kind: calibrate, model: sft, problems: "{root}/toy.jsonl", samples_per_problem: 4,
     sampling: {max_new_tokens: 12}, filter: {drop_solved: false}${keys}}
  - {id: rl, kind: rl, model: sft, problems: calibrate, steps: 6, batch_size: 10, samples_per_problem: 4,
     sampling: {max_new_tokens: 12}, checkpoint_every: 2, zero_advantage: {on_gate: ignore}, keep_rollouts: 1${keys}}
`;

/** Everything a run leaves that does not tell the time, by path. */
function left(folder: string, inside = ""): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const entry of readdirSync(join(folder, inside), { withFileTypes: true })) {
    const path = join(inside, entry.name);
    if (entry.isDirectory()) for (const [name, bytes] of left(folder, path)) found.set(name, bytes);
    else if (!/^(ledger\.db.*|environment\.json|timings\.jsonl|summary\.json|recipe\.yaml)$/.test(path))
      found.set(path, readFileSync(join(folder, path)));
  }
  return found;
}

describe.skipIf(!works)("a run on a disk that fills up", () => {
  test.each(["files", "store"])(
    "goes on to the same bytes, rollouts in %s",
    async (format) => {
      const stages = recipe(format === "store" ? ", rollout_format: store" : "");
      await bench.run(`whole-${format}`, stages);
      const whole = left(join(bench.folder, "runs", `whole-${format}`));
      const disk = openSmallDisk(2 ** 23);
      const runFolder = join(disk.folder, "run");
      const refused = new Set<string>();
      let events = 0;
      // Fuller from attempt to attempt, and later in the run.
      for (const [after, leave] of [
        [2, 100_000],
        [4, 0],
        [6, 60_000],
        [8, 4096],
        [10, 20_000],
      ] as const) {
        events = 0;
        const running = bench.run(`full-${format}`, stages, {
          runFolder,
          resume: true,
          observe: () => {
            if (++events === after) disk.fill(leave);
          },
        });
        const error = await running.then(
          () => null,
          (cause) => cause,
        );
        disk.free();
        if (error === null) continue;
        expect(error).toBeInstanceOf(PolarisError);
        const { message, hint } = error as PolarisError;
        expect(message).toMatch(/cannot write \S+: (no space left on the disk|the disk reports an error)$/);
        expect(message).not.toContain("\n");
        expect(hint).toMatch(/--resume/);
        refused.add(message);
      }
      expect(refused.size).toBeGreaterThan(1);
      await bench.run(`full-${format}`, stages, { runFolder, resume: true });
      const resumed = left(runFolder);
      expect([...resumed.keys()].sort()).toEqual([...whole.keys()].sort());
      for (const [path, bytes] of whole)
        expect(isDeepStrictEqual(resumed.get(path), bytes), `${path} of ${format}`).toBe(true);
    },
    120_000,
  );
});

test.skipIf(!works)(
  "responses of a server are kept until the disk is full, and none is asked for again",
  async () => {
    const server = await startDialectServer({
      dialect: "llama_cpp",
      respond: () => ({ text: `${"so ".repeat(400)}\\boxed{3}` }),
    });
    try {
      const disk = openSmallDisk(2 ** 21);
      const out = join(disk.folder, "rollouts.jsonl.gz");
      const draw = () =>
        sampleFile({
          problems: toyProblems(),
          engine: openaiEngineSchema.parse({ kind: "openai", baseUrl: server.url, concurrency: 4 }),
          model: "default",
          sampling: samplingSchema.parse({ maxNewTokens: 2000 }),
          samplesPerProblem: 4,
          prompt: "plain",
          grader: graderSchema.parse({}),
          seed: 1,
          out,
        });
      const asked = (): number => server.requests.filter(isGeneration).length;
      disk.fill(200_000);
      await expect(draw()).rejects.toThrow(/^cannot write \S+journal\.jsonl: no space left on the disk$/);
      expect(existsSync(out)).toBe(false);
      const kept = readFileSync(journalOf(out), "utf8").trim().split("\n").length - 1;
      expect(kept).toBeGreaterThan(2);
      expect(kept).toBeLessThan(40);
      disk.free();
      const before = asked();
      expect(await draw()).toMatchObject({ responses: 40, problems: 10 });
      expect(asked() - before).toBe(40 - kept);
      expect(await readRollouts(out)).toHaveLength(40);
      expect(readdirSync(disk.folder)).toEqual(["rollouts.jsonl.gz"]);
    } finally {
      await server.close();
    }
  },
  120_000,
);
