/**
 * Sampling temperature: the zones of an accuracy curve, the first temperature, and the next stage's by matching
 * diversity. Curves come from probes of the current policy; nothing here samples.
 * Source: recipe A4. The authors set zones by eye; the tolerances reproduce their starting zones of both models.
 */

/** One probed temperature. */
export interface TemperaturePoint {
  temperature: number;
  /** Mean accuracy, 0..1. */
  accuracy: number;
  /** distinct-n, 0..1; settings other than temperature must be the same for all points compared. */
  diversity?: number;
}

/**
 * `low`: below the robust zone; `robust`: accuracy optimal and flat (RGZ); `exploration`: accuracy a little lower,
 * diversity clearly higher (CEZ), where to train; `collapse`: beyond (PCZ).
 */
export type TemperatureZone = "low" | "robust" | "exploration" | "collapse";

export interface ZoneOptions {
  /** The robust zone keeps accuracy within this of the peak; 0.008 = 0.8 points. */
  robustTolerance?: number;
  /** The exploration zone keeps at least this share of the peak accuracy. */
  explorationShare?: number;
}

export interface TemperatureZones {
  peak: { temperature: number; accuracy: number };
  /** Lowest and highest temperature of the robust zone. */
  robust: { from: number; to: number };
  /** Highest temperature of the exploration zone; equal to `robust.to` when the zone is empty. */
  explorationTo: number;
  /** Zone of each point, in order of temperature. */
  zones: { temperature: number; zone: TemperatureZone }[];
}

/** Published values are decimal fractions; comparisons must not turn on the last binary digit. */
const TOLERANCE = 1e-9;

/**
 * Temperatures from `start` to `end`, end included, rounded to two decimals.
 *
 * @throws {RangeError} when the step is not positive, the end below the start, or the grid above 1000 points
 */
export function temperatureGrid(options: { start: number; end: number; step: number }): number[] {
  const { start, end, step } = options;
  if (!(start >= 0 && end >= start && step > 0 && Number.isFinite(end)))
    throw new RangeError(
      `temperatureGrid: expected 0 <= start <= end and step > 0, got ${start}, ${end}, ${step}`,
    );
  // Without the epsilon (0.7 - 0.4) / 0.1 floors to 2 and the end point is lost.
  const count = Math.floor((end - start) / step + 1e-6) + 1;
  if (count > 1000) throw new RangeError(`temperatureGrid: expected at most 1000 points, got ${count}`);
  return Array.from({ length: count }, (_, i) => Math.round((start + i * step) * 100) / 100);
}

function sortedPoints(points: readonly TemperaturePoint[]): TemperaturePoint[] {
  const sorted = [...points].sort((a, b) => a.temperature - b.temperature);
  if (sorted.length === 0) throw new RangeError("points: expected one or more, got none");
  for (const [i, point] of sorted.entries()) {
    if (!(point.temperature >= 0) || !(point.accuracy >= 0 && point.accuracy <= 1))
      throw new RangeError(
        `points: expected temperature from 0 and accuracy in 0..1, got ${point.temperature}, ${point.accuracy}`,
      );
    if (i > 0 && point.temperature === sorted[i - 1]?.temperature)
      throw new RangeError(`points: temperature ${point.temperature} occurs twice`);
  }
  return sorted;
}

/**
 * Finds the zones of a probed curve: from the peak outwards while accuracy stays within the tolerance, then on while it
 * stays above the share of the peak.
 *
 * @throws {RangeError} when there is no point, or one is out of range
 */
export function temperatureZones(
  points: readonly TemperaturePoint[],
  options: ZoneOptions = {},
): TemperatureZones {
  const { robustTolerance = 0.008, explorationShare = 0.8 } = options;
  const sorted = sortedPoints(points);
  let peak = 0;
  for (const [i, point] of sorted.entries())
    if (point.accuracy > (sorted[peak] as TemperaturePoint).accuracy + TOLERANCE) peak = i;
  const best = sorted[peak] as TemperaturePoint;
  const robustFloor = best.accuracy - robustTolerance - TOLERANCE;
  const explorationFloor = Math.min(robustFloor, explorationShare * best.accuracy - TOLERANCE);
  const accuracyAt = (i: number): number => sorted[i]?.accuracy ?? Number.NEGATIVE_INFINITY;
  let from = peak;
  while (accuracyAt(from - 1) >= robustFloor) from--;
  let to = peak;
  while (accuracyAt(to + 1) >= robustFloor) to++;
  let explorationEnd = to;
  while (accuracyAt(explorationEnd + 1) >= explorationFloor) explorationEnd++;
  const temperatureAt = (i: number): number => (sorted[i] as TemperaturePoint).temperature;
  return {
    peak: { temperature: best.temperature, accuracy: best.accuracy },
    robust: { from: temperatureAt(from), to: temperatureAt(to) },
    explorationTo: temperatureAt(explorationEnd),
    zones: sorted.map((point, i) => ({
      temperature: point.temperature,
      zone: i < from ? "low" : i <= to ? "robust" : i <= explorationEnd ? "exploration" : "collapse",
    })),
  };
}

/** First temperature of a run: the end of the robust zone, the most diversity at comparable accuracy. */
export function initialTemperature(points: readonly TemperaturePoint[], options: ZoneOptions = {}): number {
  return temperatureZones(points, options).robust.to;
}

export interface MatchOptions extends ZoneOptions {
  /** Diversity to reach; by default of the recipe that of the initial policy at the first stage's temperature. */
  targetDiversity: number;
  /** `smallest`: lowest probed temperature that reaches the target; `nearest`: least distance to it. */
  rule?: "smallest" | "nearest";
  /** Never go below it: the temperature of the stage that ended. */
  minTemperature?: number;
}

export interface TemperatureMatch {
  temperature: number;
  diversity: number;
  /** False when no admissible temperature reaches the target; `warning` says what was taken instead. */
  reached: boolean;
  warning: string | null;
}

/**
 * Temperature of the next stage: diversity as it was before training narrowed the policy, never in the collapse zone.
 *
 * @throws {RangeError} when a point lacks its diversity or none is at or above `minTemperature`
 */
export function matchTemperature(
  points: readonly TemperaturePoint[],
  options: MatchOptions,
): TemperatureMatch {
  const { targetDiversity: target, rule = "smallest", minTemperature = 0 } = options;
  const zones = temperatureZones(points, options);
  const usable = sortedPoints(points).filter((point) => point.temperature >= minTemperature - TOLERANCE);
  if (usable.length === 0)
    throw new RangeError(`matchTemperature: expected a point at or above ${minTemperature}, got none`);
  const diversity = (point: TemperaturePoint): number => {
    if (point.diversity === undefined || !Number.isFinite(point.diversity))
      throw new RangeError(`point at temperature ${point.temperature}: expected a diversity`);
    return point.diversity;
  };
  const safe = usable.filter((point) => point.temperature <= zones.explorationTo + TOLERANCE);
  if (safe.length === 0) {
    const lowest = usable[0] as TemperaturePoint;
    return {
      temperature: lowest.temperature,
      diversity: diversity(lowest),
      reached: diversity(lowest) >= target - TOLERANCE,
      warning: `every temperature from ${minTemperature} lies in the collapse zone, which begins above ${zones.explorationTo}`,
    };
  }
  const reaching = safe.filter((point) => diversity(point) >= target - TOLERANCE);
  const highest = safe[safe.length - 1] as TemperaturePoint;
  if (reaching.length === 0)
    return {
      temperature: highest.temperature,
      diversity: diversity(highest),
      reached: false,
      // Without a collapsed one the guard has no part in it.
      warning:
        safe.length < usable.length
          ? `no temperature outside the collapse zone reaches diversity ${target.toPrecision(3)}; took the highest, ${highest.temperature}`
          : `the grid ends here: no temperature tried reaches diversity ${target.toPrecision(3)}, and the highest, ${highest.temperature}, has not collapsed; widen the grid upwards`,
    };
  const chosen =
    rule === "smallest"
      ? (reaching[0] as TemperaturePoint)
      : safe.reduce((best, point) =>
          Math.abs(diversity(point) - target) < Math.abs(diversity(best) - target) ? point : best,
        );
  return {
    temperature: chosen.temperature,
    diversity: diversity(chosen),
    reached: diversity(chosen) >= target - TOLERANCE,
    warning: null,
  };
}

/**
 * Where a curve of diversity over temperature first crosses the target, by linear interpolation; null when it never
 * does. For pictures; the choice itself is `matchTemperature`.
 */
export function interpolatedTemperature(
  curve: readonly { temperature: number; diversity: number }[],
  target: number,
): number | null {
  const sorted = [...curve].sort((a, b) => a.temperature - b.temperature);
  for (const [i, point] of sorted.entries()) {
    if (point.diversity < target) continue;
    const before = sorted[i - 1];
    if (before === undefined) return point.temperature;
    const share = (target - before.diversity) / (point.diversity - before.diversity);
    return before.temperature + share * (point.temperature - before.temperature);
  }
  return null;
}

/**
 * Step of the next search grid: fine while entropy fell slightly, coarse when it fell much.
 *
 * @param entropyBefore mean token entropy at the start of the stage that ended, in nats, above 0
 */
export function searchInterval(
  entropyBefore: number,
  entropyAfter: number,
  options: { threshold?: number; fine?: number; coarse?: number } = {},
): number {
  const { threshold = 0.15, fine = 0.05, coarse = 0.1 } = options;
  if (!(entropyBefore > 0) || !(entropyAfter >= 0))
    throw new RangeError(`searchInterval: expected entropies above 0, got ${entropyBefore}, ${entropyAfter}`);
  return 1 - entropyAfter / entropyBefore < threshold ? fine : coarse;
}
