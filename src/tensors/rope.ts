/**
 * Inverse frequencies of rotary position embeddings, plain or scaled by YaRN. Pair i of a head is rotated by
 * position * frequency[i]; cos and sin are then multiplied by the attention scale.
 * Source: RoFormer, arXiv:2104.09864; YaRN, arXiv:2309.00071, section 3.2; recipe A9.
 */
import type { YarnScaling } from "./rope-scaling.ts";

export interface RotaryOptions {
  /** Even. */
  headDim: number;
  /** Base of the frequencies, `rope_theta`. */
  theta: number;
  /** null or left out = unscaled. */
  scaling?: YarnScaling | null;
}

/** What cos and sin tables are built from. */
export interface RotaryFrequencies {
  /** Radians per position; shape [headDim / 2], falling. */
  inverseFrequencies: Float64Array;
  /** cos and sin are multiplied by it. */
  attentionScale: number;
}

/** Dimensions between which YaRN passes from keeping a frequency to dividing it by the factor. */
export interface YarnRange {
  low: number;
  high: number;
}

/**
 * Index range of the YaRN ramp: pairs below `low` turn often enough within the original length to be kept, pairs
 * above `high` are interpolated in full.
 */
export function yarnRange(headDim: number, theta: number, scaling: YarnScaling): YarnRange {
  const pairOf = (rotations: number): number =>
    (headDim * Math.log(scaling.originalMaxPositionEmbeddings / (2 * Math.PI * rotations))) /
    (2 * Math.log(theta));
  return {
    low: Math.max(Math.floor(pairOf(scaling.betaFast)), 0),
    high: Math.min(Math.ceil(pairOf(scaling.betaSlow)), headDim - 1),
  };
}

/**
 * Frequencies and attention scale of a rotary embedding.
 * @throws {RangeError} when headDim is not even and positive, or theta not above 1
 */
export function rotaryFrequencies(options: RotaryOptions): RotaryFrequencies {
  const { headDim, theta, scaling = null } = options;
  if (!(Number.isInteger(headDim) && headDim > 0 && headDim % 2 === 0))
    throw new RangeError(`head dimension: expected a positive even number, got ${headDim}`);
  if (!(theta > 1)) throw new RangeError(`rotary base: expected more than 1, got ${theta}`);
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (scaling === null) return { inverseFrequencies: plain, attentionScale: 1 };
  const { low, high } = yarnRange(headDim, theta, scaling);
  // Equal ends would divide by zero; transformers and vLLM widen them by this much too.
  const width = Math.max(high - low, 0.001);
  const inverseFrequencies = plain.map((frequency, i) => {
    const ramp = Math.min(Math.max((i - low) / width, 0), 1);
    return (frequency / scaling.factor) * ramp + frequency * (1 - ramp);
  });
  return { inverseFrequencies, attentionScale: scaling.attentionScale };
}
