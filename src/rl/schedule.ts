/**
 * Stage schedules: lengths, temperatures and step counts of the published runs, validation of one's own, the rule
 * that ends a stage, and the alarm for a response limit that is too short for the model.
 * Source: recipe A5. Convergence and alarm thresholds are not published; the defaults are named as such.
 */

/** One RL stage of a schedule. */
export interface ScheduledStage {
  maxPromptTokens: number;
  maxResponseTokens: number;
  temperature: number;
  validationTemperature: number;
  /** Steps of the published run, read off a figure; null = until validation is flat. */
  steps: number | null;
}

const stage = (
  maxResponseTokens: number,
  temperature: number,
  validationTemperature: number,
  steps: number | null,
): ScheduledStage => ({
  maxPromptTokens: 1024,
  maxResponseTokens,
  temperature,
  validationTemperature,
  steps,
});

/** The V1 schedules. */
export const POLARIS_SCHEDULES = {
  "qwen3-4b": [stage(39936, 1.4, 1.2, 450), stage(48128, 1.45, 1.4, 150), stage(52224, 1.5, 1.4, 100)],
  "r1-distill-7b": [stage(15360, 0.7, 0.6, 520), stage(23552, 1.0, 0.8, 370), stage(31744, 1.1, 0.8, 610)],
  "qwen3-1.7b": [stage(39936, 1.5, 1.2, null), stage(48128, 1.55, 1.4, null)],
} as const satisfies Record<string, readonly ScheduledStage[]>;

/**
 * What is wrong with a schedule and what is merely unusual.
 *
 * @returns `errors` make it unusable; `warnings` depart from the recipe
 */
export function checkSchedule(stages: readonly ScheduledStage[]): { errors: string[]; warnings: string[] } {
  const errors: string[] = [];
  const warnings: string[] = [];
  if (stages.length === 0) errors.push("a schedule needs one stage or more");
  for (const [i, current] of stages.entries()) {
    const name = `stage ${i + 1}`;
    for (const key of ["maxPromptTokens", "maxResponseTokens"] as const)
      if (!Number.isInteger(current[key]) || current[key] < 1)
        errors.push(`${name}: expected ${key} to be a whole number from 1, got ${current[key]}`);
    for (const key of ["temperature", "validationTemperature"] as const)
      if (!(current[key] >= 0 && Number.isFinite(current[key])))
        errors.push(`${name}: expected ${key} from 0, got ${current[key]}`);
    if (current.temperature === 0)
      errors.push(`${name}: temperature 0 draws equal rollouts, which have no advantage`);
    if (current.steps !== null && (!Number.isInteger(current.steps) || current.steps < 1))
      errors.push(`${name}: expected steps to be a whole number from 1, got ${current.steps}`);
    if (current.validationTemperature > current.temperature)
      warnings.push(
        `${name}: validates at ${current.validationTemperature}, above the training temperature ${current.temperature}`,
      );
    const previous = stages[i - 1];
    if (previous === undefined) continue;
    if (current.maxResponseTokens < previous.maxResponseTokens)
      warnings.push(
        `${name}: the response limit falls from ${previous.maxResponseTokens} to ${current.maxResponseTokens}`,
      );
    if (current.temperature < previous.temperature)
      warnings.push(`${name}: the temperature falls from ${previous.temperature} to ${current.temperature}`);
  }
  return { errors, warnings };
}

/** One value of a curve. */
export interface CurvePoint {
  step: number;
  value: number;
}

export interface PlateauOptions {
  /** Points of the moving average. */
  window?: number;
  /** Flat for this many steps ends the stage. */
  patienceSteps?: number;
  /** An improvement must exceed this. */
  minImprovement?: number;
}

export interface Plateau {
  reached: boolean;
  /** Step and smoothed value of the best point so far; null while the average has too few points. */
  best: CurvePoint | null;
  /** Steps since the best one. */
  stepsSinceBest: number;
}

/**
 * Stage-end rule: no improvement of the moving average of a validation curve over the last steps.
 *
 * @param curve in ascending order of steps
 * @throws {RangeError} when an option is out of range or steps do not ascend
 */
export function detectPlateau(curve: readonly CurvePoint[], options: PlateauOptions = {}): Plateau {
  const { window = 5, patienceSteps = 100, minImprovement = 0 } = options;
  if (!Number.isInteger(window) || window < 1)
    throw new RangeError(`window: expected 1 or more, got ${window}`);
  if (!(patienceSteps > 0)) throw new RangeError(`patienceSteps: expected above 0, got ${patienceSteps}`);
  let best: CurvePoint | null = null;
  for (let i = 0; i < curve.length; i++) {
    const point = curve[i] as CurvePoint;
    if (i > 0 && point.step <= (curve[i - 1] as CurvePoint).step)
      throw new RangeError(`curve: expected ascending steps, got ${point.step} after ${curve[i - 1]?.step}`);
    if (i < window - 1) continue;
    let sum = 0;
    for (let k = i - window + 1; k <= i; k++) sum += (curve[k] as CurvePoint).value;
    const value = sum / window;
    if (best === null || value > best.value + minImprovement) best = { step: point.step, value };
  }
  const last = curve[curve.length - 1];
  const stepsSinceBest = best === null || last === undefined ? 0 : last.step - best.step;
  return { reached: stepsSinceBest >= patienceSteps, best, stepsSinceBest };
}

/** One step as the length alarm sees it. */
export interface LengthPoint {
  step: number;
  /** Share of responses cut at the limit, 0..1. */
  clipRatio: number;
  /** Accuracy of the batch as sampled, 0..1. */
  accuracy: number;
}

export interface LengthAlarmOptions {
  /** Steps averaged at the start and at the end of the curve. */
  window?: number;
  /** Below this final clip ratio the limit cannot be what hurts. */
  minClipRatio?: number;
  /** A clip ratio that has fallen to this share of its start is recovering, as the 7B model at 16K did. */
  recoveryShare?: number;
  /** Relative loss of accuracy against the best window that raises the alarm. */
  accuracyLoss?: number;
}

export interface LengthAlarm {
  tooShort: boolean;
  reason: "too_few_steps" | "rarely_clipped" | "recovering" | "accuracy_holds" | "accuracy_falls";
  clipRatio: { start: number; end: number };
  accuracy: { best: number; end: number };
}

/**
 * Alarm for a response limit the model cannot adapt to: responses are still cut, no less often than at the start, and
 * accuracy falls. A 4B model at 24K lost 0.16 in 400 steps with a clip ratio below 0.15 and recovered only partly,
 * so a low clip ratio alone is no comfort. Thresholds are this project's.
 *
 * @param curve in ascending order of steps
 */
export function lengthAlarm(curve: readonly LengthPoint[], options: LengthAlarmOptions = {}): LengthAlarm {
  const { window = 20, minClipRatio = 0.02, recoveryShare = 0.6, accuracyLoss = 0.08 } = options;
  const mean = (from: number, key: "clipRatio" | "accuracy"): number => {
    const part = curve.slice(from, from + window);
    return part.reduce((sum, point) => sum + point[key], 0) / Math.max(1, part.length);
  };
  const tail = Math.max(0, curve.length - window);
  const clipRatio = { start: mean(0, "clipRatio"), end: mean(tail, "clipRatio") };
  const accuracy = { best: 0, end: mean(tail, "accuracy") };
  for (let i = 0; i <= tail; i++) accuracy.best = Math.max(accuracy.best, mean(i, "accuracy"));
  const result = (reason: LengthAlarm["reason"]): LengthAlarm => ({
    tooShort: reason === "accuracy_falls",
    reason,
    clipRatio,
    accuracy,
  });
  if (curve.length < 2 * window) return result("too_few_steps");
  if (clipRatio.end < minClipRatio) return result("rarely_clipped");
  if (clipRatio.end <= recoveryShare * clipRatio.start) return result("recovering");
  return result(accuracy.end < (1 - accuracyLoss) * accuracy.best ? "accuracy_falls" : "accuracy_holds");
}
