/**
 * The decision of a sweep from its curves: zones, and the temperature by the robust zone's end or by diversity. The
 * stage and `polaris temperature` both decide here. Says where the curves are too noisy for the rule. Source: recipe A4.
 */
import {
  interpolatedTemperature,
  matchTemperature,
  type TemperatureMatch,
  type TemperatureZones,
  temperatureZones,
} from "../../rl/index.ts";
import { halfWidth, type PeakDifference, peakDifferences } from "./resolution.ts";
import type { SweepTarget, TemperatureDecision } from "./sweep-file.ts";

/** Temperatures are decimal fractions; comparisons must not turn on the last binary digit. */
const TOLERANCE = 1e-9;

/** One temperature as a decision sees it. */
export interface CurvePoint {
  temperature: number;
  /** In 0..1. */
  accuracy: number;
  diversity?: number;
  /** Accuracy of each problem, in one order for all points; for paired intervals. */
  problemAccuracies?: readonly number[];
}

export interface DecisionRules {
  robustTolerance: number;
  explorationShare: number;
  /** What to match; null takes the end of the robust zone. */
  target: SweepTarget | null;
}

const points100 = (share: number): string => (100 * share).toFixed(1);

/** What is not certain about the zones because accuracies are. */
function noiseWarnings(differences: readonly PeakDifference[], rules: DecisionRules): string[] {
  const boundary = -rules.robustTolerance;
  const open = differences.filter(({ low, high }) => low < boundary && boundary <= high);
  if (open.length === 0) return [];
  const seen = Math.max(...open.map(halfWidth));
  // Widths shrink with the root of the number of problems.
  const times =
    rules.robustTolerance > 0 ? Math.ceil((seen / rules.robustTolerance) ** 2) : Number.POSITIVE_INFINITY;
  const cure =
    seen > rules.robustTolerance && times <= 10_000
      ? `give about ${Math.max(2, times)} times as many problems, or a wider robust_tolerance`
      : "give more problems or samples, or another robust_tolerance";
  const names = open.map(({ temperature }) => temperature);
  return [
    `the data do not tell whether ${names.join(", ")} ${names.length === 1 ? "lies" : "lie"} within ${points100(rules.robustTolerance)} points of the peak: they show differences from ${points100(seen)} points on; ${cure}`,
  ];
}

/** Ends of the grid and of the zones that the decision leans on. */
function edgeWarnings(points: readonly CurvePoint[], zones: TemperatureZones): string[] {
  const sorted = [...points].sort((a, b) => a.temperature - b.temperature);
  const first = (sorted[0] as CurvePoint).temperature;
  const last = (sorted.at(-1) as CurvePoint).temperature;
  const warnings: string[] = [];
  if (zones.robust.to === last)
    warnings.push(
      `the grid ends here: accuracy has not fallen at ${last}, the highest temperature tried, and the robust zone may go on; widen the grid upwards`,
    );
  if (sorted.length > 1 && zones.peak.temperature === first)
    warnings.push(
      `the grid ends here: accuracy is highest at ${first}, the lowest temperature tried, and the peak may lie below; widen the grid downwards`,
    );
  const next = sorted.find(({ temperature }) => temperature > zones.robust.to)?.temperature;
  if (next !== undefined && zones.explorationTo === zones.robust.to)
    warnings.push(
      `accuracy collapses from ${zones.robust.to} to ${next} with no exploration zone between: a finer grid there shows where it begins to fall`,
    );
  return warnings;
}

/** Where a match stands on the edge of what was tried, or of collapse. */
function matchWarnings(
  points: readonly CurvePoint[],
  zones: TemperatureZones,
  target: SweepTarget,
  match: TemperatureMatch,
): string[] {
  const tried = points
    .map(({ temperature }) => temperature)
    .filter((temperature) => temperature >= target.minTemperature - TOLERANCE)
    .sort((a, b) => a - b);
  const first = Math.min(...points.map(({ temperature }) => temperature));
  const lowest = tried[0] as number;
  const warnings: string[] = [];
  const collapsed = tried.find((temperature) => temperature > zones.explorationTo);
  if (match.reached && match.temperature === lowest)
    warnings.push(
      lowest > target.minTemperature + TOLERANCE
        ? `the grid begins here: ${lowest}, the lowest temperature tried, is as diverse as the target already, and a lower one may be; widen the grid downwards`
        : `${lowest}, where the search begins, is as diverse as the target already: diversity has not fallen`,
    );
  if (collapsed !== undefined && match.reached && match.temperature === zones.explorationTo)
    warnings.push(
      `${match.temperature} is at the edge of collapse: ${collapsed}, the next one tried, collapses`,
    );
  // Below the robust zone's end accuracy is within the tolerance of the peak, and the guard misses next to nothing.
  if (zones.peak.temperature === first && target.startZone !== "robust" && target.startZone !== "low")
    warnings.push(
      `accuracy is highest at ${first}, the lowest temperature tried: if the peak lies below, collapse begins earlier than these zones say; temperatures from further below show it`,
    );
  return warnings;
}

/**
 * Chooses a temperature.
 *
 * @param points in any order, each temperature once
 * @throws {RangeError} when a point is out of range, no response is correct at any temperature, a matched one lacks its
 * diversity, or none is at or above the least temperature of the target
 */
export function decideTemperature(points: readonly CurvePoint[], rules: DecisionRules): TemperatureDecision {
  const { robustTolerance, explorationShare, target } = rules;
  const zones = temperatureZones(points, rules);
  // A flat line at 0 would be one robust zone up to the highest temperature.
  if (zones.peak.accuracy === 0)
    throw new RangeError(
      "no response is correct at any temperature tried: without accuracy there are no zones",
    );
  const differences = peakDifferences(points, zones.peak.temperature).filter(
    ({ temperature }) => temperature <= zones.explorationTo,
  );
  const common = {
    zones: {
      robustTolerance,
      explorationShare,
      peak: zones.peak,
      robust: zones.robust,
      explorationTo: zones.explorationTo,
      points: zones.zones,
    },
    target,
    resolution: differences.length === 0 ? null : Math.max(...differences.map(halfWidth)),
  };
  const noise = noiseWarnings(differences, rules);
  if (target === null) {
    const temperature = zones.robust.to;
    const diversity = points.find((point) => point.temperature === temperature)?.diversity ?? null;
    const warnings = [...edgeWarnings(points, zones), ...noise];
    return { temperature, diversity, ...common, reached: true, crossing: null, warnings };
  }
  const match = matchTemperature(points, {
    robustTolerance,
    explorationShare,
    targetDiversity: target.diversity,
    rule: target.rule,
    minTemperature: target.minTemperature,
  });
  const curve = points.flatMap(({ temperature, diversity }) =>
    diversity === undefined ? [] : [{ temperature, diversity }],
  );
  const crossing = interpolatedTemperature(curve, target.diversity);
  const lowest = Math.min(...curve.map(({ temperature }) => temperature));
  return {
    temperature: match.temperature,
    diversity: match.diversity,
    ...common,
    reached: match.reached,
    // At the lowest one the curve is above the target already; where it crosses is not known.
    crossing: crossing === lowest ? null : crossing,
    warnings: [
      ...(match.warning === null ? [] : [match.warning]),
      ...matchWarnings(points, zones, target, match),
      ...noise,
    ],
  };
}
