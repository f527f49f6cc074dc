/**
 * What an engine differentiates. The specification is data: engines build it into their graphs, and the reference
 * implementation beside it defines every term in plain numbers.
 * Source: GRPO/DAPO as configured by POLARIS (recipe A6): asymmetric clip, dual clip, no KL, no entropy bonus.
 */

/** How the KL to the reference model is estimated per token; names as in verl. */
export type KlEstimator = "kl" | "abs" | "mse" | "low_var_kl";

/** Weighted negative log-likelihood: sum of -weight * logprob. Temperature 1. */
export interface CrossEntropyLoss {
  kind: "cross_entropy";
}

/** Clipped policy gradient with asymmetric and dual clip on log-probabilities at `temperature`. */
export interface PolicyGradientLoss {
  kind: "policy_gradient";
  /** Logits are divided by it, in old and new log-probabilities alike; the rollout temperature. */
  temperature: number;
  /** Lower clip: the ratio is not rewarded below 1 - clipRatioLow. POLARIS 0.2. */
  clipRatioLow: number;
  /** Upper clip. POLARIS 0.28. */
  clipRatioHigh: number;
  /** Dual clip: the loss of a negative advantage is at most -advantage * clipRatioC; must exceed 1. POLARIS 3. */
  clipRatioC: number;
  /** 0 = off (the default). */
  klCoefficient: number;
  klEstimator: KlEstimator;
  /** Weight of the entropy bonus; 0 = off (the default). */
  entropyCoefficient: number;
}

export type LossSpecification = CrossEntropyLoss | PolicyGradientLoss;

/** The settings of the released POLARIS runs; `temperature` has no default because it must equal the rollout's. */
export const POLARIS_CLIP = { clipRatioLow: 0.2, clipRatioHigh: 0.28, clipRatioC: 3 } as const;

/**
 * A policy-gradient specification with the POLARIS values for all that is left out.
 *
 * @throws {RangeError} when a value is out of range
 */
export function policyGradientLoss(
  options: Pick<PolicyGradientLoss, "temperature"> & Partial<PolicyGradientLoss>,
): PolicyGradientLoss {
  const loss: PolicyGradientLoss = {
    ...POLARIS_CLIP,
    klCoefficient: 0,
    klEstimator: "low_var_kl",
    entropyCoefficient: 0,
    ...options,
    kind: "policy_gradient",
  };
  const require = (holds: boolean, name: keyof PolicyGradientLoss, expected: string): void => {
    if (!holds) throw new RangeError(`${name}: expected ${expected}, got ${loss[name]}`);
  };
  require(loss.temperature > 0 && Number.isFinite(loss.temperature), "temperature", "a number above 0");
  require(loss.clipRatioLow >= 0 && loss.clipRatioLow < 1, "clipRatioLow", "0 <= value < 1");
  require(loss.clipRatioHigh >= 0 && Number.isFinite(loss.clipRatioHigh), "clipRatioHigh", "a number from 0");
  require(loss.clipRatioC > 1, "clipRatioC", "a number above 1");
  require(loss.klCoefficient >= 0 && Number.isFinite(loss.klCoefficient), "klCoefficient", "a number from 0");
  require(Number.isFinite(loss.entropyCoefficient), "entropyCoefficient", "a finite number");
  return loss;
}
