/**
 * AdamW over flat vectors, in plain TypeScript: one pass that keeps no intermediate vector.
 * Source: Loshchilov and Hutter, arXiv:1711.05101; arithmetic as `torch.optim.AdamW` and `clip_grad_norm_`.
 */
import type { OptimizerParameters, OptimStepResult } from "../seams.ts";

/** Vectors the optimiser owns; all of one length. */
export interface OptimizerState {
  parameters: Float32Array;
  firstMoments: Float32Array;
  secondMoments: Float32Array;
}

/** Keeps the clip factor finite for a zero gradient, as PyTorch does. */
const NORM_EPSILON = 1e-6;

/** Sums the lanes' gradients, in lane order, into the first lane. */
export function reduceLanes(lanes: readonly Float32Array[]): Float32Array {
  const [total, ...rest] = lanes as [Float32Array, ...Float32Array[]];
  for (const lane of rest)
    for (let i = 0; i < total.length; i++) total[i] = (total[i] as number) + (lane[i] as number);
  return total;
}

/**
 * One step: clip by global norm, decay, update. Nothing changes when the gradient norm is not finite.
 *
 * @param step 1 for the first update of these moments
 */
export function adamWStep(
  state: OptimizerState,
  gradient: Float32Array,
  options: OptimizerParameters,
  step: number,
): OptimStepResult {
  const { parameters: p, firstMoments: m, secondMoments: v } = state;
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += (gradient[i] as number) * (gradient[i] as number);
  const gradientNorm = Math.sqrt(squares);
  if (!Number.isFinite(gradientNorm)) return { gradientNorm, skipped: true };
  const limit = options.maxGradientNorm;
  const factor = limit > 0 ? Math.min(1, limit / (gradientNorm + NORM_EPSILON)) : 1;
  const { beta1, beta2, epsilon, learningRate, weightDecay } = options;
  const decay = 1 - learningRate * weightDecay;
  const stepSize = learningRate / (1 - beta1 ** step);
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < gradient.length; i++) {
    const g = (gradient[i] as number) * factor;
    const first = beta1 * (m[i] as number) + (1 - beta1) * g;
    const second = beta2 * (v[i] as number) + (1 - beta2) * g * g;
    m[i] = first;
    v[i] = second;
    p[i] = (p[i] as number) * decay - (stepSize * first) / (Math.sqrt(second) / rootCorrection + epsilon);
  }
  return { gradientNorm, skipped: false };
}
