/** Means over the weighted response tokens of a batch: entropy, clipped share, KL to the weights that began the step. */
import type { LossSpecification, PolicyGradientLoss } from "../../rl/loss.ts";
import type { ForwardBackwardResult, LogprobResult, TrainingSequence } from "../seams.ts";

type TokenMetrics = Pick<ForwardBackwardResult, "tokens" | "entropy" | "clipFraction" | "approximateKl">;

/** True when the clip or the dual clip stops this token's gradient. */
function isClipped(loss: PolicyGradientLoss, advantage: number, logRatio: number): boolean {
  const ratio = Math.exp(logRatio);
  if (advantage > 0) return ratio > 1 + loss.clipRatioHigh;
  return advantage < 0 && (ratio < 1 - loss.clipRatioLow || ratio > loss.clipRatioC);
}

/** Metrics of one forwardBackward call. */
export function summarizeTokens(
  sequences: readonly TrainingSequence[],
  results: readonly LogprobResult[],
  loss: LossSpecification,
): TokenMetrics {
  let tokens = 0;
  let entropy = 0;
  let clipped = 0;
  let kl = 0;
  sequences.forEach((sequence, s) => {
    const { logprobs, entropies } = results[s] as LogprobResult;
    for (let t = 0; t < sequence.weights.length; t++) {
      if (sequence.weights[t] === 0) continue;
      tokens += 1;
      entropy += entropies[t] as number;
      if (loss.kind !== "policy_gradient") continue;
      const logRatio = (logprobs[t] as number) - (sequence.oldLogprobs?.[t] as number);
      kl -= logRatio;
      if (isClipped(loss, sequence.advantages?.[t] as number, logRatio)) clipped += 1;
    }
  });
  const mean = (sum: number): number => (tokens === 0 ? 0 : sum / tokens);
  return { tokens, entropy: mean(entropy), clipFraction: mean(clipped), approximateKl: mean(kl) };
}
