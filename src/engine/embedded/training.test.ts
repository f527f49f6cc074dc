/** Training on the embedded engine: packing never changes a gradient, AdamW, saving and loading, refusals. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { policyGradientLoss } from "../../rl/loss.ts";
import type { OptimizerParameters, TrainingSequence } from "../seams.ts";
import { adamWStep } from "./optimizer.ts";
import { type EmbeddedPolicy, openEmbeddedPolicy } from "./policy.ts";

const CHECKPOINT = "test/peers/golden/gqa-tied";
const OTHER_ARCHITECTURE = "test/peers/golden/mha-untied";
const OPTIMIZER: OptimizerParameters = {
  learningRate: 1e-2,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxGradientNorm: 1,
};

let policy: EmbeddedPolicy;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "polaris-engine-"));
  policy = await openEmbeddedPolicy({ checkpoint: CHECKPOINT, workers: 2, lanes: 2, microBatchRows: 60 });
});
afterAll(async () => {
  await policy.close();
  rmSync(scratch, { recursive: true });
});

/** Groups of responses to shared prompts, of many lengths; prompts of one token among them. */
function batch(seed: number): TrainingSequence[] {
  const random = randomStream(seed, "training test");
  const token = () => 3 + random.integer(30);
  return [1, 7, 3, 12].flatMap((promptLength, group) => {
    const promptTokens = Array.from({ length: promptLength }, token);
    return Array.from({ length: 1 + group * 2 }, () => {
      const length = 1 + random.integer(14);
      return {
        promptTokens,
        responseTokens: Array.from({ length }, token),
        weights: Float32Array.from({ length }, () => random.uniform()),
        advantages: new Float32Array(length).fill(random.normal()),
        oldLogprobs: Float32Array.from({ length }, () => -3 + random.normal()),
      };
    });
  });
}

async function flatGradient(of: EmbeddedPolicy): Promise<number[]> {
  return (await of.gradients()).flatMap(({ values }) => Array.from(values));
}

const largest = (values: number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("packed training", () => {
  it("sums the same gradient whether sequences share batches and prompts or come one by one", async () => {
    const sequences = batch(1);
    const loss = policyGradientLoss({ temperature: 1.4 });
    await policy.load(CHECKPOINT);
    const together = await policy.forwardBackward(sequences, loss);
    const packed = await flatGradient(policy);
    await policy.load(CHECKPOINT);
    let sum = 0;
    for (const sequence of sequences) sum += (await policy.forwardBackward([sequence], loss)).loss;
    const single = await flatGradient(policy);
    expect(Math.abs(together.loss - sum)).toBeLessThan(1e-4 * Math.abs(sum));
    const scale = largest(single);
    expect(largest(packed.map((value, i) => value - (single[i] as number)))).toBeLessThan(1e-5 * scale);
    const promptRows = 1 + 7 + 3 + 12 - 4;
    const responseRows = sequences.reduce((n, { responseTokens }) => n + responseTokens.length, 0);
    // Each prompt once per micro-batch at most, plus two dummy rows per micro-batch: nothing is padding.
    expect(together.computedTokens).toBeLessThan(2 * promptRows + responseRows + 12);
  });

  it("gives equal bits for one and two workers", async () => {
    const sequences = batch(2);
    const states: Float32Array[] = [];
    for (const workers of [1, 2]) {
      const other = await openEmbeddedPolicy({
        checkpoint: CHECKPOINT,
        workers,
        lanes: 2,
        microBatchRows: 60,
      });
      for (let step = 0; step < 3; step++) {
        await other.forwardBackward(sequences, { kind: "cross_entropy" });
        await other.optimStep(OPTIMIZER);
      }
      states.push(other.parameters());
      await other.close();
    }
    expect(states[0]).toEqual(states[1]);
  });

  it("learns, and continues bit for bit from a saved optimiser", async () => {
    const sequences = batch(3);
    const step = async (): Promise<number> => {
      const { loss } = await policy.forwardBackward(sequences, { kind: "cross_entropy" });
      await policy.optimStep(OPTIMIZER);
      return loss;
    };
    await policy.load(CHECKPOINT);
    const first = await step();
    for (let i = 0; i < 4; i++) await step();
    await policy.save(join(scratch, "middle"), { optimizer: true });
    const losses = [await step(), await step()];
    const end = policy.parameters();
    expect(losses[1] as number).toBeLessThan(0.8 * first);
    await policy.load(join(scratch, "middle"), { optimizer: true });
    expect([await step(), await step()]).toEqual(losses);
    expect(policy.parameters()).toEqual(end);
    // Without the moments it is another run.
    await policy.load(join(scratch, "middle"));
    await step();
    expect(await step()).not.toEqual(losses[1]);
  });

  it("saves a complete checkpoint though the folder it was loaded from is gone", async () => {
    cpSync(CHECKPOINT, join(scratch, "vanishing"), { recursive: true });
    await policy.load(join(scratch, "vanishing"));
    rmSync(join(scratch, "vanishing"), { recursive: true });
    await policy.save(join(scratch, "kept"));
    for (const name of ["tokenizer.json", "tokenizer_config.json"])
      expect(readFileSync(join(scratch, "kept", name)), name).toEqual(readFileSync(join(CHECKPOINT, name)));
    await policy.load(join(scratch, "kept"));
  });

  it("changes architecture on load and keeps working", async () => {
    await policy.load(OTHER_ARCHITECTURE);
    const { loss } = await policy.forwardBackward(batch(4), { kind: "cross_entropy" });
    expect(Number.isFinite(loss)).toBe(true);
    await policy.load(CHECKPOINT);
  });

  it("skips the update when the gradient is not finite", async () => {
    await policy.load(CHECKPOINT);
    const before = policy.parameters();
    const [sequence] = batch(5) as [TrainingSequence];
    await policy.forwardBackward([{ ...sequence, weights: sequence.weights.map(() => Number.NaN) }], {
      kind: "cross_entropy",
    });
    const result = await policy.optimStep(OPTIMIZER);
    expect(result.skipped).toBe(true);
    expect(policy.parameters()).toEqual(before);
    await policy.forwardBackward([sequence], { kind: "cross_entropy" });
    expect((await policy.optimStep(OPTIMIZER)).skipped).toBe(false);
  });

  it("refuses empty sequences, missing columns and corrupt files in one line", async () => {
    await expect(
      policy.forwardBackward([{ promptTokens: [], responseTokens: [1], weights: new Float32Array(1) }], {
        kind: "cross_entropy",
      }),
    ).rejects.toThrow(/non-empty prompt/);
    const [sequence] = batch(6) as [TrainingSequence];
    await expect(
      policy.forwardBackward(
        [{ ...sequence, oldLogprobs: undefined }],
        policyGradientLoss({ temperature: 1 }),
      ),
    ).rejects.toThrow(/needs "oldLogprobs"/);
    cpSync(CHECKPOINT, join(scratch, "corrupt"), { recursive: true });
    truncateSync(join(scratch, "corrupt", "model.safetensors"), 5000);
    await expect(policy.load(join(scratch, "corrupt"))).rejects.toThrow(/model\.safetensors/);
    cpSync(CHECKPOINT, join(scratch, "alien"), { recursive: true });
    const config = JSON.parse(readFileSync(join(scratch, "alien", "config.json"), "utf8"));
    writeFileSync(join(scratch, "alien", "config.json"), JSON.stringify({ ...config, model_type: "llama" }));
    await expect(policy.load(join(scratch, "alien"))).rejects.toThrow(/Qwen3ForCausalLM/);
    // The model loaded before is still there.
    expect(Number.isFinite((await policy.forwardBackward([sequence], { kind: "cross_entropy" })).loss)).toBe(
      true,
    );
  });
});

describe("AdamW", () => {
  it("follows the published recursion, by hand for two steps", () => {
    const state = {
      parameters: Float32Array.of(1, -2),
      firstMoments: new Float32Array(2),
      secondMoments: new Float32Array(2),
    };
    const options = { ...OPTIMIZER, maxGradientNorm: 0 };
    const gradients = [
      [0.5, -1],
      [0.25, 2],
    ];
    const expected = [1, -2];
    const m = [0, 0];
    const v = [0, 0];
    gradients.forEach((gradient, t) => {
      adamWStep(state, Float32Array.from(gradient), options, t + 1);
      gradient.forEach((g, i) => {
        m[i] = 0.9 * (m[i] as number) + 0.1 * g;
        v[i] = 0.99 * (v[i] as number) + 0.01 * g * g;
        const mean = (m[i] as number) / (1 - 0.9 ** (t + 1));
        const square = (v[i] as number) / (1 - 0.99 ** (t + 1));
        expected[i] = (expected[i] as number) * (1 - 1e-3) - (1e-2 * mean) / (Math.sqrt(square) + 1e-8);
      });
    });
    state.parameters.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 6);
    });
  });

  it("clips to the global norm", () => {
    const state = () => ({
      parameters: new Float32Array(2),
      firstMoments: new Float32Array(2),
      secondMoments: new Float32Array(2),
    });
    const clipped = state();
    const result = adamWStep(clipped, Float32Array.of(30, 40), OPTIMIZER, 1);
    expect(result.gradientNorm).toBeCloseTo(50, 4);
    expect(clipped.firstMoments[0]).toBeCloseTo(0.1 * (30 / 50), 6);
  });
});
