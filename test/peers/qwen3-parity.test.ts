/**
 * The embedded engine against `transformers` and PyTorch on the same checkpoints: logits, losses, per-token
 * log-probabilities and entropies, and the gradient of every parameter. Golden tensors come from golden_qwen3.py, so
 * no Python is needed here. Tolerance 1e-4, relative to the largest magnitude of the tensor compared.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEmbeddedPolicy } from "../../src/engine/embedded/policy.ts";
import type { TrainingSequence } from "../../src/engine/seams.ts";
import {
  type Golden,
  type GoldenLoss,
  goldenNames,
  logSoftmax,
  readGolden,
  relativeError,
} from "./golden.ts";

const TOLERANCE = 1e-4;

type EmbeddedPolicy = Awaited<ReturnType<typeof openEmbeddedPolicy>>;

/** The sequences as the engine takes them; `extra` adds what a policy-gradient loss needs. */
function trainingSequences(
  golden: Golden,
  extra: (i: number) => Partial<TrainingSequence>,
): TrainingSequence[] {
  return golden.sequences.map(({ promptTokens, responseTokens, weights }, i) => ({
    promptTokens,
    responseTokens,
    weights,
    ...extra(i),
  }));
}

/** Compares every accumulated gradient, then clears them with a step of zero length. */
async function expectGradients(policy: EmbeddedPolicy, reference: GoldenLoss): Promise<void> {
  const found = new Map((await policy.gradients()).map((gradient) => [gradient.name, gradient]));
  expect([...found.keys()].sort()).toEqual([...reference.gradients.keys()].sort());
  for (const [name, { shape, values }] of reference.gradients) {
    expect(found.get(name)!.shape, name).toEqual(shape);
    expect(relativeError(found.get(name)!.values, values), name).toBeLessThan(TOLERANCE);
  }
  await policy.optimStep({
    learningRate: 0,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradientNorm: 0,
  });
}

/** One lane packs all sequences into one micro-batch; with two, gradients are also summed over lanes. */
const RUNS: [string, number][] = [
  ...goldenNames().map((name): [string, number] => [name, 1]),
  ["gqa-untied", 2],
];

describe.each(RUNS)("%s on %i lanes equals transformers", (name, lanes) => {
  const golden = readGolden(name);
  let policy: EmbeddedPolicy;

  beforeAll(async () => {
    policy = await openEmbeddedPolicy({
      checkpoint: golden.folder,
      workers: lanes,
      lanes,
      threadsPerWorker: 1,
    });
  });
  afterAll(() => policy?.close());

  test("logits: the whole next-token distribution after every prefix length of the longest sequence", async () => {
    const { promptTokens, responseTokens, logits } = golden.sequences[1]!;
    const tokens = [...promptTokens, ...responseTokens];
    const v = golden.vocabularySize;
    for (const length of [1, 2, 7, tokens.length]) {
      const prefix = tokens.slice(0, length);
      const everyNext = Array.from({ length: v }, (_, token) => ({
        promptTokens: prefix,
        responseTokens: [token],
      }));
      const rows = await policy.logprobs(everyNext, 1);
      const actual = rows.map(({ logprobs }) => logprobs[0]!);
      const expected = logSoftmax(logits.subarray((length - 1) * v, length * v));
      expect(relativeError(actual, expected), `after ${length} tokens`).toBeLessThan(TOLERANCE);
    }
  });

  test("cross-entropy: loss and every gradient", async () => {
    const result = await policy.forwardBackward(
      trainingSequences(golden, () => ({})),
      { kind: "cross_entropy" },
    );
    expect(relativeError([result.loss], [golden.crossEntropy.loss])).toBeLessThan(TOLERANCE);
    await expectGradients(policy, golden.crossEntropy);
  });

  test.each([...golden.policyLosses.keys()])(
    "%s: tokens, loss, statistics and every gradient",
    async (key) => {
      const reference = golden.policyLosses.get(key)!;
      const { specification, sequences } = reference;
      const tokens = await policy.logprobs(golden.sequences, specification.temperature);
      for (const [i, { logprobs, entropies }] of tokens.entries()) {
        expect(relativeError(logprobs, sequences[i]!.logprobs), `log-probabilities ${i}`).toBeLessThan(
          TOLERANCE,
        );
        expect(relativeError(entropies, sequences[i]!.entropies), `entropies ${i}`).toBeLessThan(TOLERANCE);
      }
      const result = await policy.forwardBackward(
        trainingSequences(golden, (i) => ({
          advantages: golden.sequences[i]!.advantages,
          oldLogprobs: sequences[i]!.oldLogprobs,
          referenceLogprobs: sequences[i]!.referenceLogprobs,
        })),
        specification,
      );
      expect(relativeError([result.loss], [reference.loss])).toBeLessThan(TOLERANCE);
      expect(relativeError([result.entropy], [reference.entropy])).toBeLessThan(TOLERANCE);
      expect(relativeError([result.approximateKl], [reference.approximateKl])).toBeLessThan(TOLERANCE);
      // A count over a count: the ratios stay 2 % away from every clip boundary, so rounding flips no token.
      expect(result.clipFraction).toBeCloseTo(reference.clipFraction, 6);
      await expectGradients(policy, reference);
    },
  );
});
