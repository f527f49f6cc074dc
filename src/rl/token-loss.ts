/**
 * The loss of one token in plain numbers, with its derivative: the definition that engines' graphs are checked
 * against. Not used to train; no tensors, no aggregation (see aggregation.ts).
 * Source: recipe A6; PPO clip (arXiv:1707.06347), dual clip (arXiv:1912.09729), asymmetric clip (DAPO,
 * arXiv:2503.14476); KL estimators k1, k2, k3 with the clamps of verl `core_algos.py`.
 */
import type { KlEstimator, LossSpecification, PolicyGradientLoss } from "./loss.ts";

/** Bound of the log-ratio inside the `low_var_kl` exponential, and of its value; both as in verl. */
const LOW_VAR_KL_EXPONENT_LIMIT = 20;
const LOW_VAR_KL_VALUE_LIMIT = 10;

/** A value and its derivative with respect to the token's log-probability. */
export interface Differentiated {
  value: number;
  derivative: number;
}

/** What the policy-gradient loss of one token is computed from. Log-probabilities are at the loss temperature. */
export interface TokenLossInput {
  logprob: number;
  /** Under the weights that began the step. */
  oldLogprob: number;
  advantage: number;
  /** Under the reference model; needed when `klCoefficient` is not 0. */
  referenceLogprob?: number;
  /** Entropy of the token's distribution in nats; needed when `entropyCoefficient` is not 0. */
  entropy?: number;
}

/** Which bound is in force: `upper` and `lower` are the ratio clips, `dual` the bound for negative advantages. */
export type ClipBound = "none" | "lower" | "upper" | "dual";

export interface TokenLoss {
  /** Policy term + klCoefficient * KL - entropyCoefficient * entropy. */
  loss: number;
  /**
   * Derivative with respect to the log-probability. The entropy bonus is not in it: entropy is a function of the
   * whole distribution, so its derivative belongs to the logits.
   */
  derivative: number;
  policy: number;
  kl: number;
  /** exp(logprob - oldLogprob). */
  ratio: number;
  /** Not `none` exactly when the clip cuts the gradient of the policy term. */
  clip: ClipBound;
}

/**
 * Clipped policy-gradient term of one token with ratio r and advantage A:
 * `max(-A r, -A clamp(r, 1 - low, 1 + high))`, and for A < 0 at most `-A c`.
 * At a bound itself the unclipped branch is in force, as `clamp` and `max` differentiate in PyTorch. Later verl, and
 * engines after it, clamp the log-ratio to -20..20 before the exponential: a difference of at most |A| exp(-20).
 *
 * @param logRatio logprob - oldLogprob
 */
export function clippedPolicyTerm(
  logRatio: number,
  advantage: number,
  bounds: Pick<PolicyGradientLoss, "clipRatioLow" | "clipRatioHigh" | "clipRatioC">,
): Differentiated & { ratio: number; clip: ClipBound } {
  const ratio = Math.exp(logRatio);
  if (advantage === 0) return { value: 0, derivative: 0, ratio, clip: "none" };
  const lowest = 1 - bounds.clipRatioLow;
  const highest = 1 + bounds.clipRatioHigh;
  if (advantage > 0 && ratio > highest)
    return { value: -advantage * highest, derivative: 0, ratio, clip: "upper" };
  if (advantage < 0 && ratio < lowest)
    return { value: -advantage * lowest, derivative: 0, ratio, clip: "lower" };
  if (advantage < 0 && ratio > bounds.clipRatioC)
    return { value: -advantage * bounds.clipRatioC, derivative: 0, ratio, clip: "dual" };
  return { value: -advantage * ratio, derivative: -advantage * ratio, ratio, clip: "none" };
}

/**
 * KL(policy, reference) of one token, estimated from its two log-probabilities.
 * `kl` = k1, can be negative; `abs`; `mse` = k2, half the square; `low_var_kl` = k3, never negative.
 */
export function tokenKl(logprob: number, referenceLogprob: number, estimator: KlEstimator): Differentiated {
  const difference = logprob - referenceLogprob;
  switch (estimator) {
    case "kl":
      return { value: difference, derivative: 1 };
    case "abs":
      return { value: Math.abs(difference), derivative: Math.sign(difference) };
    case "mse":
      return { value: 0.5 * difference * difference, derivative: difference };
    case "low_var_kl": {
      const limit = LOW_VAR_KL_EXPONENT_LIMIT;
      const exponent = Math.min(limit, Math.max(-limit, -difference));
      // expm1 keeps the digits where policy and reference nearly agree and exp(x) - 1 - x cancels.
      const value = Math.expm1(exponent) - exponent;
      if (value > LOW_VAR_KL_VALUE_LIMIT) return { value: LOW_VAR_KL_VALUE_LIMIT, derivative: 0 };
      return { value, derivative: -difference === exponent ? -Math.expm1(exponent) : 0 };
    }
  }
}

/**
 * Policy-gradient loss of one token.
 *
 * @throws {TypeError} when a term that is on lacks its input
 */
export function policyGradientTokenLoss(input: TokenLossInput, loss: PolicyGradientLoss): TokenLoss {
  const term = clippedPolicyTerm(input.logprob - input.oldLogprob, input.advantage, loss);
  const result: TokenLoss = {
    loss: term.value,
    derivative: term.derivative,
    policy: term.value,
    kl: 0,
    ratio: term.ratio,
    clip: term.clip,
  };
  if (loss.klCoefficient !== 0) {
    if (input.referenceLogprob === undefined)
      throw new TypeError("policyGradientTokenLoss: klCoefficient is not 0, but referenceLogprob is missing");
    const kl = tokenKl(input.logprob, input.referenceLogprob, loss.klEstimator);
    result.kl = kl.value;
    result.loss += loss.klCoefficient * kl.value;
    result.derivative += loss.klCoefficient * kl.derivative;
  }
  if (loss.entropyCoefficient !== 0) {
    if (input.entropy === undefined)
      throw new TypeError("policyGradientTokenLoss: entropyCoefficient is not 0, but entropy is missing");
    result.loss -= loss.entropyCoefficient * input.entropy;
  }
  return result;
}

/** Loss of one token under either specification; cross-entropy is the negative log-probability. */
export function tokenLoss(input: TokenLossInput, loss: LossSpecification): TokenLoss {
  if (loss.kind === "policy_gradient") return policyGradientTokenLoss(input, loss);
  const value = -input.logprob;
  return { loss: value, derivative: -1, policy: value, kl: 0, ratio: 1, clip: "none" };
}

/**
 * Sums over one sequence what an engine reports: weighted loss, its gradient, and the diagnostics.
 * Masked tokens (weight 0) count nowhere.
 *
 * @param weights shape [response], aggregation included
 */
export function sequenceLoss(
  tokens: readonly TokenLossInput[],
  weights: ArrayLike<number>,
  loss: LossSpecification,
): { loss: number; derivatives: Float64Array; tokens: number; clipped: number; klSum: number } {
  if (tokens.length !== weights.length)
    throw new RangeError(`sequenceLoss: expected ${tokens.length} weights, got ${weights.length}`);
  const derivatives = new Float64Array(tokens.length);
  let sum = 0;
  let counted = 0;
  let clipped = 0;
  let klSum = 0;
  for (const [i, token] of tokens.entries()) {
    const weight = weights[i] as number;
    if (weight === 0) continue;
    const result = tokenLoss(token, loss);
    sum += weight * result.loss;
    derivatives[i] = weight * result.derivative;
    counted++;
    if (result.clip !== "none") clipped++;
    if (loss.kind === "policy_gradient") klSum += token.oldLogprob - token.logprob;
  }
  return { loss: sum, derivatives, tokens: counted, clipped, klSum };
}
