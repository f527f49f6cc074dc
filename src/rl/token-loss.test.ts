import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KlEstimator, PolicyGradientLoss } from "./loss.ts";
import { policyGradientLoss } from "./loss.ts";
import {
  clippedPolicyTerm,
  policyGradientTokenLoss,
  sequenceLoss,
  tokenKl,
  tokenLoss,
} from "./token-loss.ts";

fc.configureGlobal({ seed: 20260318 });

const base = policyGradientLoss({ temperature: 1 });
const logprob = fc.double({ min: -8, max: 0, noNaN: true });
const advantage = fc.double({ min: -3, max: 3, noNaN: true });

/** The formula of the recipe, written with min and max only. */
function formula(ratio: number, a: number, loss: PolicyGradientLoss): number {
  const clamped = Math.min(1 + loss.clipRatioHigh, Math.max(1 - loss.clipRatioLow, ratio));
  const larger = Math.max(-a * ratio, -a * clamped);
  return a < 0 ? Math.min(larger, -a * loss.clipRatioC) : larger;
}

describe("policy term", () => {
  test("equals the formula", () => {
    fc.assert(
      fc.property(logprob, logprob, advantage, (now, old, a) => {
        const { value } = clippedPolicyTerm(now - old, a, base);
        expect(value).toBeCloseTo(formula(Math.exp(now - old), a, base), 9);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[number, number, string]>([
    [1, 1.5, "upper"],
    [1, 1.27, "none"],
    [1, 0.1, "none"],
    [-1, 0.5, "lower"],
    [-1, 2.9, "none"],
    [-1, 4, "dual"],
    [0, 9, "none"],
  ])("advantage %f at ratio %f: bound %s", (a, ratio, clip) => {
    const result = clippedPolicyTerm(Math.log(ratio), a, base);
    expect(result.clip).toBe(clip);
    expect(result.derivative === 0).toBe(clip !== "none" || a === 0);
  });

  test("never lets an overflowing ratio become NaN or an unbounded penalty", () => {
    expect(clippedPolicyTerm(1000, -2, base)).toMatchObject({ value: 6, derivative: 0 });
    expect(clippedPolicyTerm(1000, 2, base)).toMatchObject({ value: -2.56, derivative: 0 });
    expect(clippedPolicyTerm(-1000, 2, base).value).toBeCloseTo(0, 12);
    expect(clippedPolicyTerm(1000, 0, base)).toMatchObject({ value: 0, derivative: 0 });
  });
});

test("derivatives agree with central differences, KL term included", () => {
  const estimators: KlEstimator[] = ["kl", "abs", "mse", "low_var_kl"];
  fc.assert(
    fc.property(
      logprob,
      logprob,
      logprob,
      advantage,
      fc.constantFrom(...estimators),
      (now, old, reference, a, klEstimator) => {
        const loss = { ...base, klCoefficient: 0.3, klEstimator };
        const at = (value: number): number =>
          policyGradientTokenLoss(
            { logprob: value, oldLogprob: old, advantage: a, referenceLogprob: reference },
            loss,
          ).loss;
        const h = 1e-6;
        // Kinks have no derivative to compare with.
        const kinks = [Math.log(0.8), Math.log(1.28), Math.log(3)].map((edge) => old + edge);
        fc.pre(kinks.every((kink) => Math.abs(now - kink) > 1e-4));
        fc.pre(Math.abs(now - reference) > 1e-4);
        // low_var_kl reaches its bound of 10 where exp(x) - 1 - x = 10, x = 2.5268.
        fc.pre(Math.abs(reference - now - 2.52681) > 1e-3);
        const numeric = (at(now + h) - at(now - h)) / (2 * h);
        const { derivative } = policyGradientTokenLoss(
          { logprob: now, oldLogprob: old, advantage: a, referenceLogprob: reference },
          loss,
        );
        expect(Math.abs(derivative - numeric)).toBeLessThan(1e-5 * (1 + Math.abs(numeric)));
      },
    ),
    { numRuns: 1000 },
  );
});

describe("KL estimators", () => {
  test("values", () => {
    expect(tokenKl(-1, -2, "kl")).toEqual({ value: 1, derivative: 1 });
    expect(tokenKl(-2, -1, "abs")).toEqual({ value: 1, derivative: -1 });
    expect(tokenKl(-1, -3, "mse")).toEqual({ value: 2, derivative: 2 });
    expect(tokenKl(-1, -2, "low_var_kl").value).toBeCloseTo(Math.exp(-1) - 1 + 1, 12);
    expect(tokenKl(-30, 0, "low_var_kl")).toEqual({ value: 10, derivative: 0 });
  });

  test("low_var_kl is never negative and averages to the divergence", () => {
    fc.assert(
      fc.property(logprob, logprob, (now, reference) => {
        expect(tokenKl(now, reference, "low_var_kl").value).toBeGreaterThanOrEqual(0);
      }),
    );
    const policy = [0.5, 0.3, 0.2];
    const reference = [0.4, 0.4, 0.2];
    const expectation = (estimator: KlEstimator): number =>
      policy.reduce(
        (sum, p, i) => sum + p * tokenKl(Math.log(p), Math.log(reference[i] as number), estimator).value,
        0,
      );
    expect(expectation("low_var_kl")).toBeCloseTo(expectation("kl"), 12);
  });
});

test("terms that are on need their input", () => {
  const token = { logprob: -1, oldLogprob: -1, advantage: 1 };
  expect(() => policyGradientTokenLoss(token, { ...base, klCoefficient: 0.1 })).toThrow(TypeError);
  expect(() => policyGradientTokenLoss(token, { ...base, entropyCoefficient: 0.1 })).toThrow(TypeError);
  const bonus = policyGradientTokenLoss({ ...token, entropy: 2 }, { ...base, entropyCoefficient: 0.1 });
  expect(bonus.loss).toBeCloseTo(-1 - 0.2, 12);
  expect(bonus.derivative).toBeCloseTo(-1, 12);
});

test("sequence sums leave masked tokens out", () => {
  const tokens = [
    { logprob: -1, oldLogprob: -1, advantage: 2 },
    { logprob: -1, oldLogprob: -5, advantage: 2 },
    { logprob: -1, oldLogprob: -5, advantage: 2 },
  ];
  const result = sequenceLoss(tokens, [0.5, 0, 0.25], base);
  expect(result.loss).toBeCloseTo(0.5 * -2 + 0.25 * -2.56, 12);
  expect([...result.derivatives]).toEqual([-1, 0, 0]);
  expect(result).toMatchObject({ tokens: 2, clipped: 1, klSum: -4 });
  expect(() => sequenceLoss(tokens, [1], base)).toThrow(RangeError);
});

test("cross-entropy is the negative log-probability", () => {
  expect(tokenLoss({ logprob: -0.7, oldLogprob: 0, advantage: 0 }, { kind: "cross_entropy" })).toMatchObject({
    loss: 0.7,
    derivative: -1,
  });
});

test("specifications are checked", () => {
  expect(policyGradientLoss({ temperature: 1.4 })).toMatchObject({
    clipRatioLow: 0.2,
    clipRatioHigh: 0.28,
    clipRatioC: 3,
    klCoefficient: 0,
    entropyCoefficient: 0,
  });
  expect(() => policyGradientLoss({ temperature: 0 })).toThrow("temperature");
  expect(() => policyGradientLoss({ temperature: 1, clipRatioC: 1 })).toThrow("clipRatioC");
  expect(() => policyGradientLoss({ temperature: 1, clipRatioLow: 1 })).toThrow("clipRatioLow");
});
