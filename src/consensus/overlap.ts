/**
 * How much two sets of step keys share. Order and repetition do not matter here; divergence.ts looks at order.
 * Source: recipe B2 (Jaccard), C5 (containment, smaller set).
 */

/** `containment`: share of the first set; `jaccard`: of the union; `min_size`: of the smaller set. */
export type OverlapMeasure = "containment" | "jaccard" | "min_size";

/** Number of keys in both. */
export function sharedKeys(first: ReadonlySet<string>, second: ReadonlySet<string>): number {
  const [small, large] = first.size <= second.size ? [first, second] : [second, first];
  let shared = 0;
  for (const key of small) if (large.has(key)) shared++;
  return shared;
}

/** |A and B| / |A or B| in [0, 1]; null when both are empty. */
export function jaccard(first: ReadonlySet<string>, second: ReadonlySet<string>): number | null {
  const shared = sharedKeys(first, second);
  const union = first.size + second.size - shared;
  return union === 0 ? null : shared / union;
}

/** Overlap of a correct with a wrong trajectory's keys in [0, 1]; null where the measure divides by zero. */
export function overlapOf(
  correct: ReadonlySet<string>,
  wrong: ReadonlySet<string>,
  measure: OverlapMeasure,
): number | null {
  if (measure === "jaccard") return jaccard(correct, wrong);
  const whole = measure === "containment" ? correct.size : Math.min(correct.size, wrong.size);
  return whole === 0 ? null : sharedKeys(correct, wrong) / whole;
}
