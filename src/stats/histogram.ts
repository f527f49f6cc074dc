/**
 * Histograms over fixed edges, for pictures and reports. Pass-rate histograms are rl/difficulty.ts.
 */

export interface Histogram {
  /** Edges, ascending; bin i holds edges[i] <= value < edges[i + 1], the last bin its upper edge too. */
  edges: number[];
  /** Shape [edges - 1]. */
  counts: number[];
  /** Values below the first and above the last edge. */
  below: number;
  above: number;
}

/** `bins` equal bins from `low` to `high`. @throws {RangeError} when the range is empty or bins is not in 1..100000 */
export function equalEdges(low: number, high: number, bins: number): number[] {
  if (!(Number.isFinite(low) && Number.isFinite(high) && high > low))
    throw new RangeError(`equalEdges: expected low < high, got ${low}, ${high}`);
  if (!Number.isInteger(bins) || bins < 1 || bins > 100_000)
    throw new RangeError(`bins: expected 1..100000, got ${bins}`);
  return Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : low + ((high - low) * i) / bins));
}

/**
 * Counts values into bins.
 *
 * @throws {RangeError} when there are fewer than two edges, they do not ascend, or a value is NaN
 */
export function histogram(values: readonly number[], edges: readonly number[]): Histogram {
  if (edges.length < 2) throw new RangeError(`edges: expected two or more, got ${edges.length}`);
  for (let i = 1; i < edges.length; i++)
    if (!((edges[i] as number) > (edges[i - 1] as number)))
      throw new RangeError(`edges: expected ascending values, got ${edges[i]} after ${edges[i - 1]}`);
  const result: Histogram = {
    edges: [...edges],
    counts: new Array<number>(edges.length - 1).fill(0),
    below: 0,
    above: 0,
  };
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) throw new RangeError(`values[${i}]: expected a number, got NaN`);
    const bin = binOf(value, edges);
    if (bin < 0) result.below++;
    else if (bin >= result.counts.length) result.above++;
    else result.counts[bin] = (result.counts[bin] as number) + 1;
  }
  return result;
}

/** Index of the bin of a value: -1 below the first edge, `edges.length - 1` above the last. */
export function binOf(value: number, edges: readonly number[]): number {
  const last = edges.length - 1;
  if (value === edges[last]) return last - 1;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
