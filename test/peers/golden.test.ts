/**
 * The golden tensors agree with themselves and with the plain-number definition of the losses: what PyTorch
 * differentiated is what `rl/token-loss.ts` defines. The engine is compared in qwen3-parity.test.ts.
 */
import { describe, expect, test } from "vitest";
import { sequenceLoss } from "../../src/rl/token-loss.ts";
import { goldenNames, logSoftmax, readGolden, relativeError } from "./golden.ts";

test("grouped, multi-head and single-head attention with tied and untied heads are covered", () => {
  expect(goldenNames()).toEqual(["gqa-tied", "gqa-untied", "mha-tied", "mha-untied", "mqa-tied"]);
  const cases = new Set(goldenNames().flatMap((name) => [...readGolden(name).policyLosses.keys()]));
  expect([...cases].sort()).toEqual([
    "policy-t1",
    "policy-t1.4",
    "regularised-abs",
    "regularised-kl",
    "regularised-low_var_kl",
    "regularised-mse",
  ]);
});

describe.each(goldenNames())("%s", (name) => {
  const golden = readGolden(name);

  test("token log-probabilities and entropies are those of the logits at the temperature", () => {
    const v = golden.vocabularySize;
    for (const { specification, sequences } of golden.policyLosses.values())
      for (const [i, { promptTokens, responseTokens, logits }] of golden.sequences.entries()) {
        const rows = responseTokens.map((_, t) => {
          const row = promptTokens.length + t - 1;
          return logSoftmax(logits.slice(row * v, (row + 1) * v).map((z) => z / specification.temperature));
        });
        const logprobs = responseTokens.map((token, t) => rows[t]![token]!);
        const entropies = rows.map((row) => -row.reduce((sum, logp) => sum + Math.exp(logp) * logp, 0));
        expect(relativeError(sequences[i]!.logprobs, logprobs)).toBeLessThan(1e-5);
        expect(relativeError(sequences[i]!.entropies, entropies)).toBeLessThan(1e-5);
      }
  });

  test("cross-entropy is the weighted sum of negative log-probabilities", () => {
    const { sequences } = golden.policyLosses.get("policy-t1")!;
    const total = golden.sequences.reduce(
      (sum, { weights }, i) =>
        sum - weights.reduce((part, weight, t) => part + weight * sequences[i]!.logprobs[t]!, 0),
      0,
    );
    expect(relativeError([golden.crossEntropy.loss], [total])).toBeLessThan(1e-5);
  });

  test.each([...golden.policyLosses.keys()])("%s is the loss that rl/ defines", (key) => {
    const { specification, sequences, loss, clipFraction, approximateKl, entropy } =
      golden.policyLosses.get(key)!;
    const sums = golden.sequences.map(({ weights, advantages }, i) =>
      sequenceLoss(
        Array.from(advantages, (advantage, t) => ({
          advantage,
          logprob: sequences[i]!.logprobs[t]!,
          oldLogprob: sequences[i]!.oldLogprobs[t]!,
          referenceLogprob: sequences[i]!.referenceLogprobs?.[t],
          entropy: sequences[i]!.entropies[t]!,
        })),
        weights,
        specification,
      ),
    );
    const total = (pick: (sum: (typeof sums)[number]) => number): number =>
      sums.reduce((running, sum) => running + pick(sum), 0);
    const tokens = total((sum) => sum.tokens);
    expect(relativeError([loss], [total((sum) => sum.loss)])).toBeLessThan(1e-5);
    expect(clipFraction).toBeCloseTo(total((sum) => sum.clipped) / tokens, 6);
    expect(relativeError([approximateKl], [total((sum) => sum.klSum) / tokens])).toBeLessThan(1e-5);
    const live = golden.sequences.flatMap(({ weights }, i) =>
      Array.from(sequences[i]!.entropies).filter((_, t) => weights[t] !== 0),
    );
    expect(relativeError([entropy], [live.reduce((a, b) => a + b) / live.length])).toBeLessThan(1e-5);
  });
});
