import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { InterruptedError } from "../../errors.ts";
import { loadTokenizer } from "../../text/load-tokenizer.ts";
import { TabularPolicy } from "../stages/testing/tabular-policy.ts";
import type { Curriculum } from "./curriculum.ts";
import { CLEAN, FACTS_ONLY } from "./documents.ts";
import { type PretrainStep, runCurriculum } from "./pretrain.ts";
import { practiceTokenizerFiles } from "./tokenizer-files.ts";

const folder = mkdtempSync(join(tmpdir(), "polaris-curriculum-"));
for (const [name, content] of Object.entries(practiceTokenizerFiles()))
  writeFileSync(join(folder, name), content);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const phase = { documentsPerStep: 16, learningRate: 0.1, warmupSteps: 5, finalShare: 0.1 };
const CURRICULUM: Curriculum = {
  model: "practice-small",
  seed: 5,
  phases: [
    { ...phase, name: "facts", steps: 30, mixture: FACTS_ONLY },
    {
      ...phase,
      name: "hasty",
      steps: 60,
      mixture: { ...CLEAN, styles: { full: 0, mid: 0, hasty: 1, direct: 0 } },
    },
  ],
};

/** Trains a fresh policy and returns its steps. */
async function train(signal?: AbortSignal): Promise<PretrainStep[]> {
  const policy = new TabularPolicy({ tokenizer: loadTokenizer(folder), seed: 1 });
  const steps: PretrainStep[] = [];
  await runCurriculum({
    policy,
    curriculum: CURRICULUM,
    scratch: join(folder, "scratch"),
    signal,
    onStep: (step) => void steps.push(step),
  });
  return steps;
}

describe("running a curriculum", () => {
  it("goes through the phases in order and learns in each", async () => {
    const steps = await train();
    expect(steps.map(({ phase: name, step }) => `${name} ${step}`)).toEqual(
      CURRICULUM.phases.flatMap(({ name, steps: count }) =>
        Array.from({ length: count }, (_, i) => `${name} ${i + 1}`),
      ),
    );
    const mean = (part: PretrainStep[]) => part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    // A table over three tokens learns the format, not the values: the loss falls to what the digits cost.
    expect(mean(steps.slice(80))).toBeLessThan(0.6 * mean(steps.slice(30, 40)));
    expect(steps[0]?.loss).toBeGreaterThan(2);
  });

  it("repeats itself bit for bit", async () => {
    expect(await train()).toEqual(await train());
  });

  it("stops when asked to", async () => {
    await expect(train(AbortSignal.abort())).rejects.toThrow(InterruptedError);
  });
});
