/**
 * The rollout store beside plain `.jsonl.gz`: appends in batches of a step, reads of everything, of ranges and by query,
 * bytes per rollout, peak memory. Texts, tokens and verdicts are the practice task's; log-probabilities are drawn.
 * The plain file gets at most a tenth as many rollouts, since it costs more; compare the columns per rollout.
 * Ten million rollouts take two gigabytes of the folder for temporary files. With a folder the store stays there, and a
 * bench that was stopped goes on where it stood.
 * Usage: npm run bench -- rollouts [rollouts, 1000000] [folder]
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatCount, formatTable } from "../src/cli/style.ts";
import { streamRollouts } from "../src/data/rollouts.ts";
import { openRowFile } from "../src/data/row-file.ts";
import { randomStream } from "../src/random.ts";
import { createResponseDocument } from "../src/recipe/practice/documents.ts";
import { FAMILIES } from "../src/recipe/practice/problem.ts";
import { createProblemSet } from "../src/recipe/practice/splits.ts";
import { createTeacherSolutions } from "../src/recipe/practice/teacher.ts";
import { openRolloutReader, openRolloutStore } from "../src/store/rollouts/open.ts";
import type { RolloutQuery } from "../src/store/rollouts/query.ts";
import type { Rollout } from "../src/types.ts";

const ROLLOUTS = 1_000_000;
const SAMPLES = 8;
/** Rollouts of a step, appended at once. */
const STEP = 1024;
/** Steps of the plain file at most: what it costs each is known by then. */
const PLAIN_STEPS = 200;
const SEED = 3;
/** Problems in the pool; larger than any compressor's window, so that repeats of the pool cost as new ones do. */
const PROBLEMS = 512;

/** Rollouts of one sample of every problem, without ids and places. */
function pool(): Rollout[] {
  const random = randomStream(SEED, "bench", "rollouts");
  const problems = createProblemSet({
    split: "train",
    seed: SEED,
    count: PROBLEMS,
    families: FAMILIES,
    steps: [2, 3, 4],
  });
  const solutions = Array.from({ length: SAMPLES }, (_, sample) =>
    createTeacherSolutions(problems, {
      seed: SEED + sample,
      errorRate: 0.3,
      styles: { full: 0.5, mid: 0.3, hasty: 0.2, direct: 0 },
      shortcutShare: 0.5,
    }),
  );
  return problems.flatMap((problem, i) =>
    solutions.map((ofSample, sample): Rollout => {
      const { prompt, response } = ofSample[i]!;
      const { promptTokens, responseTokens } = createResponseDocument(prompt, response);
      const correct = response.includes(`\\boxed{${String(problem.answer)}}`);
      return {
        problemId: problem.id,
        stage: "grpo",
        step: 0,
        sample,
        policyVersion: "grpo/0",
        sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 112 },
        seed: random.uint32(),
        text: response,
        promptTokens: [...promptTokens],
        tokens: [...responseTokens],
        logprobs: Array.from(responseTokens, () => Math.fround(-Math.exp(2 * random.normal() - 3))),
        finishReason: random.uniform() < 0.05 ? "length" : "stop",
        verdict: { correct, answer: "1", reason: correct ? "equal" : "unequal", graderVersion: "math-1" },
        reward: { outcome: Number(correct), process: 0, total: Number(correct), reason: "correct" },
      };
    }),
  );
}

/** The rollouts of a step: a stretch of the pool under other ids. */
function* stepOf(from: readonly Rollout[], step: number): Generator<Rollout> {
  for (let i = 0; i < STEP; i++) {
    const number = step * STEP + i;
    const rollout = from[number % from.length]!;
    const problemId = `${rollout.problemId}-${Math.floor(number / from.length)}`;
    yield { ...rollout, problemId, step, policyVersion: `grpo/${step}`, seed: number };
  }
}

/** Runs the bench. */
export async function run(args: readonly string[] = []): Promise<void> {
  const wanted = Number(args[0] ?? ROLLOUTS);
  if (!Number.isInteger(wanted) || wanted < 10 * STEP)
    throw new RangeError(`rollouts: expected ${10 * STEP} or more, got ${args[0]}`);
  const steps = Math.ceil(wanted / STEP);
  const plainSteps = Math.min(PLAIN_STEPS, Math.max(5, Math.ceil(steps / 10)));
  const folder = mkdtempSync(join(tmpdir(), "polaris-bench-rollouts-"));
  const path = args[1] ?? join(folder, "store");
  const table: string[][] = [];
  const memory = (): string => `${formatCount(process.resourceUsage().maxRSS * 1024)}B`;
  /** Wall and processor time of a task; on a busy computer the second is the one to compare. */
  const measure = async (task: string, count: number, work: () => unknown): Promise<void> => {
    const started = performance.now();
    const cpu = process.cpuUsage();
    await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    table.push([
      task,
      String(count),
      seconds.toFixed(2),
      cpuSeconds.toFixed(2),
      ((1e6 * cpuSeconds) / Math.max(1, count)).toFixed(1),
    ]);
    console.error(`${task}: ${cpuSeconds.toFixed(2)} s of processor time, peak memory ${memory()}`);
  };
  try {
    const rollouts = pool();
    const synced = join(folder, "synced");
    const plain = join(folder, "plain.jsonl.gz");
    const all = steps * STEP;
    const store = openRolloutStore(path, { sync: "close" });
    const first = Math.floor(store.length / STEP);
    await measure("store: append, batches of 1024", (steps - first) * STEP, () => {
      for (let step = first; step < steps; step++) store.append(stepOf(rollouts, step));
      store.close();
    });
    await measure("store: open", all, () => openRolloutReader(path).close());
    const reader = openRolloutReader(path);
    const counted = (options: Parameters<typeof reader.read>[0]): number => {
      let count = 0;
      for (const _ of reader.read(options)) count++;
      return count;
    };
    const middle = Math.floor(all / 2);
    await measure("store: a range of 1000", 1000, () => counted({ from: middle, to: middle + 1000 }));
    const step = Math.floor(steps / 2);
    await measure("store: one step", STEP, () => counted({ query: { fromStep: step, toStep: step } }));
    const problemId = [...reader.read({ from: middle, to: middle + 1 })][0]!.rollout.problemId;
    const ofProblem: RolloutQuery = { problemIds: new Set([problemId]) };
    await measure("store: one problem", SAMPLES, () => counted({ query: ofProblem }));
    await measure("store: count the correct and cut", all, () =>
      reader.count({ correct: true, finishReason: "length" }),
    );
    await measure("store: count by stage and step", all, () => reader.tallies());
    const random = randomStream(SEED, "bench", "get");
    await measure("store: get, at random", 50, () => {
      for (let i = 0; i < 50; i++) reader.get(random.integer(all));
    });
    await measure("store: append, synced to disk each batch", plainSteps * STEP, () => {
      const store = openRolloutStore(synced, { sync: "batch" });
      for (let step = 0; step < plainSteps; step++) store.append(stepOf(rollouts, step));
      store.close();
    });
    await measure("plain: write", plainSteps * STEP, () => {
      const file = openRowFile(plain, {});
      for (let step = 0; step < plainSteps; step++)
        for (const rollout of stepOf(rollouts, step)) file.write({ ...rollout });
      file.close();
    });
    await measure("store: read all", all, () => {
      if (counted({}) !== all) throw new Error(`expected ${all} rollouts`);
    });
    await measure("plain: read all", plainSteps * STEP, async () => {
      for await (const _ of streamRollouts(plain));
    });
    console.log(formatTable(table, ["task", "rollouts", "s", "CPU s", "CPU us each"]).join("\n"));
    const { bytes, segments } = reader.size();
    const each = (size: number, count: number): string => (size / count).toFixed(0);
    console.log(
      `bytes per rollout: store ${each(bytes, all)} (${formatCount(bytes)}B in ${segments} segments), ` +
        `plain ${each(statSync(plain).size, plainSteps * STEP)}; ` +
        `tokens ${each(
          rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0),
          rollouts.length,
        )} each`,
    );
    console.log(`peak memory ${memory()}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
