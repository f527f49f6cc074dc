/**
 * Learning rate over a stage: linear warm-up, then constant, cosine or linear decay. A function of the step alone,
 * so that a resumed run needs no scheduler state.
 */
import type { ScheduleConfig } from "../../config/stages/common.ts";

/**
 * Rate of one step.
 *
 * @param step 1..totalSteps
 * @throws {RangeError} when the step is outside that range
 */
export function learningRateAt(
  schedule: ScheduleConfig,
  peak: number,
  step: number,
  totalSteps: number,
): number {
  if (!(step >= 1 && step <= totalSteps))
    throw new RangeError(`learning rate: expected a step in 1..${totalSteps}, got ${step}`);
  const warmup = Math.round(schedule.warmupRatio * totalSteps);
  // The first step already learns: a rate of 0 would waste it.
  if (step <= warmup) return (peak * step) / warmup;
  if (schedule.kind === "constant") return peak;
  const progress = totalSteps === warmup + 1 ? 1 : (step - warmup - 1) / (totalSteps - warmup - 1);
  const share = schedule.kind === "cosine" ? 0.5 * (1 + Math.cos(Math.PI * progress)) : 1 - progress;
  return peak * (schedule.finalRatio + (1 - schedule.finalRatio) * share);
}
