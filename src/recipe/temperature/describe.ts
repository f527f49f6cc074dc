/** A sweep in words: what was chosen and why, and how two sweeps differ. The report and the command both speak from here. */
import type { SearchRecord, SweepConditions, TemperatureDecision } from "./sweep-file.ts";

const percent = (share: number): string => (100 * share).toFixed(1);

/** `distinct-4`, or `distinct-4 over tokens`. */
export function measureName({ ngram, unit }: Pick<SweepConditions, "ngram" | "unit">): string {
  return unit === "words" ? `distinct-${ngram}` : `distinct-${ngram} over tokens`;
}

/**
 * What was chosen and why, in one or two sentences.
 *
 * @param search how the temperatures were found; null when they were given
 */
export function describeDecision(
  decision: TemperatureDecision,
  measure: string,
  search: SearchRecord | null = null,
): string {
  const { target, temperature, reached } = decision;
  if (target === null)
    return `Temperature ${temperature}: the end of the robust zone, where accuracy begins to fall.`;
  const of = target.of === null ? "" : `, that of ${target.of}`;
  const goal = `a ${measure} of ${percent(target.diversity)}${of}`;
  const choice =
    target.rule === "nearest"
      ? `the temperature nearest to ${goal}.`
      : reached
        ? `the lowest that reaches ${goal}.`
        : `the highest tried outside the collapse zone; none reaches ${goal}.`;
  if (search === null) return `Temperature ${temperature}: ${choice}`;
  const { step, entropyBefore, entropyAfter } = search;
  const entropy =
    entropyBefore === null || entropyAfter === null
      ? ""
      : `, as entropy went from ${entropyBefore.toFixed(3)} to ${entropyAfter.toFixed(3)} nats`;
  return `Temperature ${temperature}: ${choice} The search climbed from ${target.minTemperature} in steps of ${step}${entropy}.`;
}

/** What difference of accuracy the sweep sees; empty where that is not known. */
export function describeResolution({ resolution, zones }: TemperatureDecision): string {
  if (resolution === null) return "";
  const sees = `Differences from the peak of ${percent(resolution)} points and more show in these data (95%, paired by problem)`;
  return resolution > zones.robustTolerance
    ? `${sees}; the robust zone asks for ${percent(zones.robustTolerance)}, which they do not see.`
    : `${sees}; the robust zone asks for ${percent(zones.robustTolerance)}.`;
}

/** Stands in place of a prompt's words where responses do not say what was asked for. */
export const STORED_PROMPT = "as stored";

/** Conditions in which two sweeps differ, one phrase each; diversities are comparable only where there is none. */
export function differingConditions(here: SweepConditions, there: SweepConditions): string[] {
  const flat = ({ sampling, ...rest }: SweepConditions): [string, unknown][] =>
    Object.entries({ ...sampling, ...rest });
  const other = new Map(flat(there));
  const unknown = [here, there].some(({ prompt }) => prompt.instruction === STORED_PROMPT);
  return flat(here).flatMap(([key, value]) => {
    const theirs = other.get(key);
    if (JSON.stringify(theirs) === JSON.stringify(value) || (key === "prompt" && unknown)) return [];
    if (key === "problemsSha256") return ["other problems"];
    return [`${key} ${JSON.stringify(value)} here, ${JSON.stringify(theirs)} there`];
  });
}
