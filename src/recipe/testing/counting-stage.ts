/**
 * A small real stage for tests of the runner, the ledger and the CLI: sums random draws step by step, keeps metrics,
 * rollout files and a checkpoint, and resumes. It stands for a training stage without needing an engine.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../data/atomic.ts";
import { InterruptedError } from "../../errors.ts";
import { type RandomState, randomStream } from "../../random.ts";
import type { StageKind } from "../stage.ts";

export const countingSchema = z.strictObject({
  steps: z.int().min(1).max(100_000).default(10).describe("steps to count"),
  checkpointEvery: z.int().min(1).default(3).describe("steps between checkpoints"),
  from: z.array(z.string()).default([]).describe("stages or paths whose sums are added"),
  stepMs: z.number().min(0).max(1000).default(0).describe("time one step takes"),
});

export type CountingConfig = z.infer<typeof countingSchema>;

interface Saved {
  step: number;
  sum: number;
  random: RandomState;
}

/**
 * @param onStep called after each step's metrics and before its checkpoint; a test throws or aborts here
 */
export function createCountingStage(
  onStep: (stage: string, step: number) => void | Promise<void> = () => {},
  version = 1,
): StageKind<CountingConfig> {
  return {
    kind: "count",
    version,
    schema: countingSchema,
    inputs: (config) => config.from,
    async run(config, context) {
      const random = randomStream(context.seed, "count", context.id);
      const savedPath = join(context.checkpointFolder, "state.json");
      let step = 0;
      let sum = 0;
      for (const reference of config.from)
        sum += Number(
          readFileSync(join(context.runFolder, context.output(reference).files!["sum"]!), "utf8"),
        );
      if (existsSync(savedPath)) {
        const saved = JSON.parse(readFileSync(savedPath, "utf8")) as Saved;
        ({ step, sum } = saved);
        random.restore(saved.random);
        context.metrics.rewind(step);
      }
      mkdirSync(join(context.runFolder, "rollouts", context.id), { recursive: true });
      while (step < config.steps) {
        step++;
        const draw = random.normal();
        sum += draw;
        if (config.stepMs > 0) await new Promise((done) => setTimeout(done, config.stepMs));
        writeFileAtomic(join(context.runFolder, "rollouts", context.id, `step-${step}.txt`), `${draw}\n`);
        context.metrics.write(step, { draw, sum });
        context.metrics.timing(step, { seconds: performance.now() });
        context.progress.tokens(1);
        context.progress.update(step, config.steps, { sum });
        await onStep(context.id, step);
        if (step % config.checkpointEvery === 0 || context.signal.aborted)
          writeFileAtomic(savedPath, JSON.stringify({ step, sum, random: random.state() } satisfies Saved));
        if (context.signal.aborted && step < config.steps)
          throw new InterruptedError(`after step ${step} of ${config.steps}`);
      }
      const path = join(context.folder, "sum.txt");
      writeFileAtomic(path, `${sum}\n`);
      return { files: { sum: path }, numbers: { sum } };
    },
  };
}
