/**
 * Health of a CORE run: what the sets and rewards of a step look like, and alarms over a stretch of steps. The main
 * signal is the gap: correct rollouts must reach more of the set than wrong ones, else the reward is noise.
 * Source: recipe C3 (failure modes 3, 6, 8, 12), C4 (metrics). Alarm thresholds are this project's.
 */
import type { ConsensusSets } from "./consensus-set.ts";
import type { ProcessReward } from "./process-reward.ts";

/** Numbers of one step, over its problems and rollouts as sampled. Means of nothing are null. */
export interface ConsensusHealth {
  problems: number;
  /** Items stored for all problems of the run; the difference of two steps is the growth. */
  items: number;
  size: { mean: number; median: number; p90: number; max: number };
  /** Share of the step's problems without a set. */
  emptyShare: number;
  /** Mean ratio of correct and of wrong rollouts, over rollouts whose problem has a set. */
  ratioRight: number | null;
  ratioWrong: number | null;
  /** ratioRight - ratioWrong. */
  gap: number | null;
  /** Mean process reward of wrong rollouts; share of them with any, and at the cap. */
  processMean: number | null;
  processNonzero: number | null;
  cappedShare: number | null;
  /** Mean distinct steps of correct and of wrong rollouts. */
  spansRight: number | null;
  spansWrong: number | null;
  /** Share of rollouts with at least `requiredSpans` distinct steps. */
  compliance: number | null;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Measures one step. Call it after scoring and before the update.
 *
 * @param groups the step's problems with their rewards
 * @param requiredSpans steps a compliant response has
 */
export function consensusHealth(
  sets: ConsensusSets,
  groups: readonly { problemId: string; rewards: readonly ProcessReward[] }[],
  requiredSpans = 3,
): ConsensusHealth {
  const sizes = groups.map((group) => sets.effective(group.problemId).weights.size).sort((a, b) => a - b);
  const rewards = groups.flatMap((group) => group.rewards);
  const right = rewards.filter((reward) => reward.outcome > 0);
  const wrong = rewards.filter((reward) => reward.outcome === 0);
  const ratios = (part: readonly ProcessReward[]): number[] =>
    part.flatMap((reward) => (reward.parts.ratio === null ? [] : [reward.parts.ratio]));
  const ratioRight = mean(ratios(right));
  const ratioWrong = mean(ratios(wrong));
  const at = (share: number): number => sizes[Math.ceil(share * sizes.length) - 1] ?? 0;
  return {
    problems: groups.length,
    items: sets.itemCount(),
    size: { mean: mean(sizes) ?? 0, median: at(0.5), p90: at(0.9), max: sizes[sizes.length - 1] ?? 0 },
    emptyShare: mean(sizes.map((size) => (size === 0 ? 1 : 0))) ?? 0,
    ratioRight,
    ratioWrong,
    gap: ratioRight === null || ratioWrong === null ? null : ratioRight - ratioWrong,
    processMean: mean(wrong.map((reward) => reward.process)),
    processNonzero: mean(wrong.map((reward) => (reward.process > 0 ? 1 : 0))),
    cappedShare: mean(wrong.map((reward) => (reward.reason === "capped" ? 1 : 0))),
    spansRight: mean(right.map((reward) => reward.parts.spans)),
    spansWrong: mean(wrong.map((reward) => reward.parts.spans)),
    compliance: mean(rewards.map((reward) => (reward.parts.spans >= requiredSpans ? 1 : 0))),
  };
}

/** The same numbers under their names in metrics.jsonl; what is not defined is left out. */
export function healthMetrics(health: ConsensusHealth): Record<string, number> {
  const metrics: Record<string, number | null> = {
    "consensus/items": health.items,
    "consensus/size_mean": health.size.mean,
    "consensus/size_median": health.size.median,
    "consensus/size_p90": health.size.p90,
    "consensus/size_max": health.size.max,
    "consensus/empty_share": health.emptyShare,
    "consensus/ratio_right": health.ratioRight,
    "consensus/ratio_wrong": health.ratioWrong,
    "consensus/gap": health.gap,
    "consensus/capped_share": health.cappedShare,
    "consensus/spans_right": health.spansRight,
    "consensus/spans_wrong": health.spansWrong,
  };
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => entry[1] !== null),
  );
}

export type HealthAlarmCode =
  | "gap_closed"
  | "sets_empty"
  | "sets_inflate"
  | "spam"
  | "format_decays"
  | "cap_saturated";

export interface HealthAlarm {
  code: HealthAlarmCode;
  message: string;
}

export interface HealthAlarmOptions {
  /** Steps averaged at the start and at the end of the history. */
  window?: number;
  /** Least gap between right and wrong ratios. */
  minGap?: number;
  maxEmptyShare?: number;
  /** Growth of the mean set size, or of wrong rollouts' steps, against the start. */
  maxGrowth?: number;
  /** Least compliance, as a share of the start's. */
  minComplianceShare?: number;
  /** Most wrong rollouts at the cap: there the reward no longer tells them apart. */
  maxCappedShare?: number;
}

/**
 * Alarms over a stretch of steps, oldest first. None before two windows are there, except an exhausted gap or empty
 * sets, which need one.
 */
export function healthAlarms(
  history: readonly ConsensusHealth[],
  options: HealthAlarmOptions = {},
): HealthAlarm[] {
  const {
    window = 10,
    minGap = 0.05,
    maxEmptyShare = 0.5,
    maxGrowth = 2,
    minComplianceShare = 0.8,
  } = options;
  const { maxCappedShare = 0.5 } = options;
  if (history.length < window) return [];
  const average = (part: readonly ConsensusHealth[], pick: (health: ConsensusHealth) => number | null) =>
    mean(part.map(pick).filter((value): value is number => value !== null));
  const late = history.slice(-window);
  const alarms: HealthAlarm[] = [];
  const alarm = (code: HealthAlarmCode, message: string): void => {
    alarms.push({ code, message });
  };
  const percent = (value: number): string => `${(100 * value).toFixed(0)}%`;

  const gap = average(late, (health) => health.gap);
  if (gap !== null && gap < minGap)
    alarm("gap_closed", `correct rollouts reach only ${gap.toFixed(3)} more of the sets than wrong ones`);
  const empty = average(late, (health) => health.emptyShare);
  if (empty !== null && empty > maxEmptyShare)
    alarm("sets_empty", `${percent(empty)} of the problems have no consensus set`);
  const capped = average(late, (health) => health.cappedShare);
  if (capped !== null && capped > maxCappedShare)
    alarm("cap_saturated", `${percent(capped)} of the wrong rollouts are at the cap`);
  if (history.length < 2 * window) return alarms;

  const early = history.slice(0, window);
  const growth = (pick: (health: ConsensusHealth) => number | null): number | null => {
    const [before, after] = [average(early, pick), average(late, pick)];
    return before === null || after === null || before === 0 ? null : after / before;
  };
  const sizes = growth((health) => health.size.mean);
  if (sizes !== null && sizes > maxGrowth)
    alarm("sets_inflate", `consensus sets grew ${sizes.toFixed(1)} times; raise minSupport or set maxItems`);
  const spans = growth((health) => health.spansWrong);
  if (spans !== null && spans > maxGrowth)
    alarm(
      "spam",
      `wrong rollouts have ${spans.toFixed(1)} times the steps they began with; set precisionMode`,
    );
  const compliance = growth((health) => health.compliance);
  if (compliance !== null && compliance < minComplianceShare)
    alarm(
      "format_decays",
      `format compliance fell to ${percent(compliance)} of its start; set formatPenalty`,
    );
  return alarms;
}
