/** Smoothing of noisy curves, for stage rules and pictures. */

/**
 * Mean of the last `window` values at each position; the first positions average what there is.
 *
 * @returns shape [values]
 */
export function movingAverage(values: readonly number[], window: number): number[] {
  if (!Number.isInteger(window) || window < 1)
    throw new RangeError(`window: expected 1 or more, got ${window}`);
  return values.map((_, i) => {
    const part = values.slice(Math.max(0, i - window + 1), i + 1);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/**
 * Exponential moving average with the start-up bias taken out, so that the first value is itself.
 *
 * @param weight of the newest value, in (0, 1]
 * @returns shape [values]
 */
export function exponentialAverage(values: readonly number[], weight: number): number[] {
  if (!(weight > 0 && weight <= 1)) throw new RangeError(`weight: expected 0 < value <= 1, got ${weight}`);
  let sum = 0;
  let total = 0;
  return values.map((value) => {
    sum = (1 - weight) * sum + weight * value;
    total = (1 - weight) * total + weight;
    return sum / total;
  });
}
