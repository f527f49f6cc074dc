/**
 * Accuracy by response length, and what a shorter context budget would have scored, from one long run.
 * Source: recipe A9 (buckets at 16K and 32K; a response longer than the budget counts as wrong).
 */

/** One graded response. */
export interface LengthSample {
  problemId: string;
  lengthTokens: number;
  correct: boolean;
}

export interface LengthBucket {
  /** Tokens, from <= length < to; the last bucket has no upper end. */
  from: number;
  to: number;
  samples: number;
  correct: number;
  /** correct / samples, or null for an empty bucket. */
  accuracy: number | null;
}

/** Bucket edges of the recipe, in tokens. */
export const RECIPE_LENGTH_EDGES: readonly number[] = [16_384, 32_768];

/**
 * Counts responses by length.
 *
 * @param edges inner edges, ascending
 * @returns shape [edges + 1]
 */
export function lengthBuckets(samples: readonly LengthSample[], edges = RECIPE_LENGTH_EDGES): LengthBucket[] {
  const ends = [0, ...edges, Number.POSITIVE_INFINITY];
  for (let i = 1; i < ends.length; i++)
    if (!((ends[i] as number) > (ends[i - 1] as number)))
      throw new RangeError(`edges: expected ascending values above 0, got ${edges.join(", ")}`);
  const buckets = ends.slice(0, -1).map((from, i) => ({
    from,
    to: ends[i + 1] as number,
    samples: 0,
    correct: 0,
    accuracy: null as number | null,
  }));
  for (const sample of samples) {
    const bucket = buckets.find(({ from, to }) => sample.lengthTokens >= from && sample.lengthTokens < to);
    if (bucket === undefined)
      throw new RangeError(`lengthTokens: expected a number from 0, got ${sample.lengthTokens}`);
    bucket.samples++;
    if (sample.correct) bucket.correct++;
  }
  for (const bucket of buckets) if (bucket.samples > 0) bucket.accuracy = bucket.correct / bucket.samples;
  return buckets;
}

/**
 * avg@k under shorter budgets: a response above the budget counts as wrong.
 *
 * @param budgets tokens
 * @returns one mean over problems per budget; never falls as the budget grows
 */
export function budgetCurve(
  samples: readonly LengthSample[],
  budgets: readonly number[],
): { budgetTokens: number; accuracy: number }[] {
  const problems = new Map<string, LengthSample[]>();
  for (const sample of samples) {
    const group = problems.get(sample.problemId);
    if (group === undefined) problems.set(sample.problemId, [sample]);
    else group.push(sample);
  }
  if (problems.size === 0) throw new RangeError("samples: expected one or more, got none");
  return budgets.map((budgetTokens) => {
    let sum = 0;
    for (const group of problems.values())
      sum +=
        group.filter((sample) => sample.correct && sample.lengthTokens <= budgetTokens).length / group.length;
    return { budgetTokens, accuracy: sum / problems.size };
  });
}
