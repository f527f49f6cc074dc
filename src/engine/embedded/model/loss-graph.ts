/**
 * The per-token loss as graph operators. rl/loss.ts defines the same terms in plain numbers, and a test compares the two.
 * Source: recipe A6; KL estimators as named in verl `core_algos.py`.
 */
import type { LossSpecification, PolicyGradientLoss } from "../../../rl/loss.ts";
import {
  absolute,
  add,
  clip,
  exponential,
  less,
  maximum,
  minimum,
  multiply,
  negate,
  subtract,
  where,
} from "../graph/elementwise.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** Log-ratios beyond this would overflow or dominate a batch; verl clamps at the same place. */
const LOG_RATIO_LIMIT = 20;

/** The clipped surrogate with dual clip. */
function policyGradient(graph: Graph, loss: PolicyGradientLoss, logprobs: Value): Value {
  const advantages = graph.input("advantages", "float32", ["responseRows"]);
  const old = graph.input("old_logprobs", "float32", ["responseRows"]);
  const ratio = exponential(clip(subtract(logprobs, old), -LOG_RATIO_LIMIT, LOG_RATIO_LIMIT));
  const gain = negate(advantages);
  const clipped = clip(ratio, 1 - loss.clipRatioLow, 1 + loss.clipRatioHigh);
  const surrogate = maximum(multiply(gain, ratio), multiply(gain, clipped));
  const bounded = minimum(surrogate, multiply(gain, graph.scalar(loss.clipRatioC)));
  return where(less(advantages, graph.scalar(0)), bounded, surrogate);
}

/** Estimate of KL(policy || reference) per token. */
function klToReference(graph: Graph, loss: PolicyGradientLoss, logprobs: Value): Value {
  const reference = graph.input("reference_logprobs", "float32", ["responseRows"]);
  const difference = subtract(logprobs, reference);
  switch (loss.klEstimator) {
    case "kl":
      return difference;
    case "abs":
      return absolute(difference);
    case "mse":
      return multiply(multiply(difference, difference), graph.scalar(0.5));
    case "low_var_kl": {
      const back = clip(negate(difference), -LOG_RATIO_LIMIT, LOG_RATIO_LIMIT);
      return clip(subtract(subtract(exponential(back), back), graph.scalar(1)), -10, 10);
    }
  }
}

/** Loss of each response row before weighting, shape [responseRows]. */
export function tokenLoss(graph: Graph, loss: LossSpecification, logprobs: Value, entropies: Value): Value {
  if (loss.kind === "cross_entropy") return negate(logprobs);
  let total = policyGradient(graph, loss, logprobs);
  if (loss.klCoefficient !== 0)
    total = add(total, multiply(klToReference(graph, loss, logprobs), graph.scalar(loss.klCoefficient)));
  if (loss.entropyCoefficient !== 0)
    total = subtract(total, multiply(entropies, graph.scalar(loss.entropyCoefficient)));
  return total;
}
