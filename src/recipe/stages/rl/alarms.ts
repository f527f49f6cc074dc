/**
 * Says once, while a stage runs, what looks sick: entropy that collapses, a sampler that is not the trainer's model,
 * consensus sets that stop telling right from wrong. Shown to the user, never part of a result; a resumed stage may say it again.
 */
import { type HealthPoint, healthAlarms } from "../../../consensus/index.ts";
import { type EntropyPoint, entropyAlarm, type LengthAlarm } from "../../../rl/index.ts";

/** Steps averaged at the start and at the end of what was seen. */
const WINDOW = 10;
/** KL of sampler and trainer in nats per token from which the two engines do not hold the same model; healthy is a tenth. */
const MISMATCH_KL = 0.01;

export interface AlarmWatch {
  /** Adds a step with its metrics, and what other rules found. @returns messages whose code was not given before */
  step(step: number, metrics: Readonly<Record<string, number>>, others?: readonly AlarmMessage[]): string[];
}

export interface AlarmMessage {
  code: string;
  message: string;
}

/** What to say of a response limit that holds the model back, once per limit; nothing while it does not. */
export function lengthMessages(alarm: LengthAlarm, maxNewTokens: number): AlarmMessage[] {
  if (!alarm.tooShort) return [];
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const { clipRatio, accuracy } = alarm;
  return [
    {
      code: `length-${maxNewTokens}`,
      message:
        `responses are cut at ${maxNewTokens} tokens (${percent(clipRatio.start)} at the start, ${percent(clipRatio.end)} now) and ` +
        `accuracy fell from ${percent(accuracy.best)} to ${percent(accuracy.end)}: raise sampling.max_new_tokens, ` +
        "best to the model's recommended decode length, and start over from before the fall; a longer limit later recovers it only in part",
    },
  ];
}

/**
 * @param process whether a process reward is on: without one nobody depends on the consensus sets
 * @param before entropies of the steps before a resume, so that the start of the stage stays what is compared with
 */
export function createAlarmWatch(process: boolean, before: readonly EntropyPoint[] = []): AlarmWatch {
  const entropies = [...before];
  const history: HealthPoint[] = [];
  const given = new Set<string>();
  return {
    step(step, metrics, others = []) {
      entropies.push({ step, entropy: metrics["entropy"] as number });
      history.push({ step, values: metrics });
      const found: AlarmMessage[] = [...others];
      const alarm = entropyAlarm(entropies, { window: WINDOW });
      if (alarm.state === "collapsing" || alarm.state === "exploding")
        found.push({
          code: alarm.state,
          message: `entropy went from ${alarm.start.toFixed(3)} to ${alarm.end.toFixed(3)} nats`,
        });
      if ((metrics["actor/non_finite"] ?? 0) > 0)
        found.push({
          code: "non_finite",
          message:
            "the gradient was not finite, so this update was left out; lower the learning rate if that goes on",
        });
      const mismatch = metrics["actor/mismatch_kl"] ?? 0;
      if (mismatch > MISMATCH_KL)
        found.push({
          code: "mismatch",
          message:
            `sampler and trainer differ by ${mismatch.toFixed(3)} nats per token (actor/mismatch_kl): ` +
            "check that both hold the same weights, at a precision that suffices",
        });
      if (process) found.push(...healthAlarms(history, { window: WINDOW }));
      const fresh = found.filter(({ code }) => !given.has(code));
      for (const { code } of fresh) given.add(code);
      return fresh.map(({ message }) => message);
    },
  };
}
