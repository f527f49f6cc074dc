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
