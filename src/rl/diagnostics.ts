/**
 * Signs of a sick run: entropy that collapses or explodes, and a sampler whose log-probabilities differ from the
 * trainer's. Numbers in, verdicts out; thresholds are this project's and named as such.
 * Source: recipe B8 (entropy, mismatch; cf. arXiv:2510.26788), B9 (collapse on high-difference problems).
 */

/** One value of an entropy curve, in nats. */
export interface EntropyPoint {
  step: number;
  entropy: number;
}

export interface EntropyAlarm {
  state: "too_few_steps" | "steady" | "collapsing" | "exploding";
  start: number;
  end: number;
  /** end / start. */
  ratio: number;
}

export interface EntropyAlarmOptions {
  /** Steps averaged at the start and at the end. */
  window?: number;
  /** Collapsing below this share of the start. The published collapse goes from .36 to .20 nats, .56. */
  collapseRatio?: number;
  /** Exploding above this multiple of the start; entropy bonuses can do that. */
  explodeRatio?: number;
}

/**
 * Compares the end of an entropy curve with its start.
 *
 * @param curve in ascending order of steps
 */
export function entropyAlarm(
  curve: readonly EntropyPoint[],
  options: EntropyAlarmOptions = {},
): EntropyAlarm {
  const { window = 10, collapseRatio = 0.6, explodeRatio = 2.5 } = options;
  if (!Number.isInteger(window) || window < 1)
    throw new RangeError(`window: expected 1 or more, got ${window}`);
  const mean = (part: readonly EntropyPoint[]): number =>
    part.reduce((sum, point) => sum + point.entropy, 0) / Math.max(1, part.length);
  const start = mean(curve.slice(0, window));
  const end = mean(curve.slice(-window));
  const ratio = start === 0 ? 1 : end / start;
  if (curve.length < 2 * window) return { state: "too_few_steps", start, end, ratio };
  const state = ratio < collapseRatio ? "collapsing" : ratio > explodeRatio ? "exploding" : "steady";
  return { state, start, end, ratio };
}

/** How far two log-probabilities of the same tokens are apart. */
export interface LogprobMismatch {
  tokens: number;
  meanAbsolute: number;
  maxAbsolute: number;
  /** Estimates of KL(sampler, trainer) in nats per token: k1 unbiased, k3 never negative. */
  k1: number;
  k3: number;
  /** Pearson correlation of the token probabilities; 1 when either does not vary. */
  correlation: number;
  /** (sum w)^2 / (n sum w^2) for w = trainer / sampler probability: 1 = every token counts in full. */
  effectiveShare: number;
}

/**
 * Compares the sampler's with the trainer's log-probabilities of the sampled tokens.
 *
 * @param sampler shape [tokens]
 * @param trainer shape [tokens]
 * @throws {RangeError} when lengths differ, there is no token, or a value is not finite
 */
export function logprobMismatch(sampler: ArrayLike<number>, trainer: ArrayLike<number>): LogprobMismatch {
  const count = sampler.length;
  if (count === 0 || trainer.length !== count)
    throw new RangeError(
      `logprobMismatch: expected equal lengths above 0, got ${count} and ${trainer.length}`,
    );
  const result = { tokens: count, meanAbsolute: 0, maxAbsolute: 0, k1: 0, k3: 0 };
  let weights = 0;
  let squares = 0;
  // Sums for the correlation are centred on the first token, which keeps digits where probabilities crowd near 1.
  const [p0, q0] = [Math.exp(sampler[0] as number), Math.exp(trainer[0] as number)];
  let [sp, sq, spp, sqq, spq] = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const difference = (sampler[i] as number) - (trainer[i] as number);
    if (!Number.isFinite(difference))
      throw new RangeError(`token ${i}: expected finite values, got ${sampler[i]}, ${trainer[i]}`);
    result.meanAbsolute += Math.abs(difference) / count;
    result.maxAbsolute = Math.max(result.maxAbsolute, Math.abs(difference));
    result.k1 += difference / count;
    result.k3 += (Math.expm1(-difference) + difference) / count;
    const weight = Math.exp(-difference);
    weights += weight;
    squares += weight * weight;
    const p = Math.exp(sampler[i] as number) - p0;
    const q = Math.exp(trainer[i] as number) - q0;
    sp += p;
    sq += q;
    spp += p * p;
    sqq += q * q;
    spq += p * q;
  }
  const [varianceP, varianceQ] = [spp - (sp * sp) / count, sqq - (sq * sq) / count];
  const covariance = spq - (sp * sq) / count;
  const varies = varianceP > 0 && varianceQ > 0;
  return {
    ...result,
    correlation: varies ? covariance / Math.sqrt(varianceP * varianceQ) : 1,
    effectiveShare: Number.isFinite(squares) ? (weights * weights) / (count * squares) : 0,
  };
}
