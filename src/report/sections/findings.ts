/**
 * What a run supports, in sentences and one table: each comparison of the recipe as a paired difference, worded by its
 * interval. Nothing here looks at a mean without its interval.
 */
import { armShortLabel } from "../arms.ts";
import {
  type ArmDifference,
  armDifferences,
  type BenchmarkGroup,
  comparisonsOf,
  regimeTitle,
} from "../benchmark-groups.ts";
import { INTERVAL_NOTE } from "../captions.ts";
import { table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDifference, listWords } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { rewardOf } from "../recipe-view.ts";
import { trainedSteps } from "../training-runs.ts";
import { compareWithZero, describeDifference } from "../wording.ts";

/** The comparison that stands for a pair of arms: the mean over benchmarks, or the only benchmark. */
export function headlineDifference(differences: readonly ArmDifference[]): ArmDifference | undefined {
  return (
    differences.find(({ benchmark }) => benchmark === "mean") ??
    (differences.length === 1 ? differences[0] : undefined)
  );
}

/** Column title of a group: its regime, with the stage where a regime has several tables. */
export function groupTitle(groups: readonly BenchmarkGroup[], group: BenchmarkGroup): string {
  // Without long chains to set them against, benchmarks need no regime.
  if (groups.length === 1 && group.regime === "short") return "All benchmarks";
  const twins = groups.filter((other) => other.regime === group.regime);
  return regimeTitle(group.regime) + (twins.length > 1 ? `: ${group.stages.join(", ")}` : "");
}

/** `higher by 4.1 (1.0–7.2)`; what the interval does not support is not in bold. */
function claimCell(difference: ArmDifference | undefined): SafeHtml {
  if (difference === undefined) return html`<span class="unit">not evaluated</span>`;
  const verdict = compareWithZero(difference);
  const [value, ...interval] = formatDifference(difference).split(" ");
  const told = verdict === "higher" || verdict === "lower";
  return html`<span class="${told ? "claim" : "unit"}">${verdict}</span> <span class="${told ? "value" : "size"}">${value}</span> <span class="interval">${interval.join(" ")}</span>`;
}

/** What the process reward and the filter are there for, as questions answered by the intervals alone. */
export const QUESTIONS: { arm: string; reference: string; question: string }[] = [
  { arm: "core", reference: "grpo", question: "Does the process reward help?" },
  { arm: "filtered", reference: "core", question: "Does training on after the difference filter help?" },
  { arm: "filtered", reference: "unfiltered", question: "Is it the filter, or the additional steps?" },
  { arm: "filtered", reference: "high", question: "Are low-difference problems the better half?" },
];

function answers(groups: readonly BenchmarkGroup[]): SafeHtml[] {
  return QUESTIONS.flatMap(({ arm, reference, question }) => {
    const parts = groups.flatMap((group) => {
      const difference = headlineDifference(armDifferences(group, arm, reference));
      return difference === undefined
        ? []
        : [html`${groupTitle(groups, group).toLowerCase()}: ${describeDifference(difference)}`];
    });
    if (parts.length === 0) return [];
    return [
      html`<li><strong>${question}</strong> ${armShortLabel(arm)} against ${armShortLabel(reference)}, ${parts.map((part, i) => html`${i === 0 ? "" : "; "}${part}`)}.</li>
`,
    ];
  });
}

/** What CORE is given that GRPO is not: consensus sets from a teacher's verified solutions. */
function teacherNote(context: ReportContext): string {
  const run = context.training.find(({ arm }) => arm === "core");
  if (run === undefined) return "";
  const teachers = rewardOf(context.records.recipe, run.stage).seeds.filter(({ kind }) => kind === "teacher");
  return teachers.length === 0
    ? ""
    : `CORE\u2019s consensus sets begin with verified solutions of a stronger source (stage ${listWords(teachers.map(({ id }) => id))}), which GRPO does not see; its difference to GRPO includes what that source knows. `;
}

/** At what point of training the RL arms are compared: an arm that is ahead may only be faster. */
function stepsNote(context: ReportContext): string {
  const runs = context.training.filter(({ arm }) => arm === "grpo" || arm === "core");
  if (runs.length < 2) return "";
  const steps = runs.map((run) => `${armShortLabel(run.arm)} ${trainedSteps(run.steps).length}`);
  return `RL arms are compared after the steps they were trained for (${listWords(steps)}), so a difference may be one of speed; see the learning curves. `;
}

/** The answers and the table of comparisons; nothing when no two arms can be compared. */
export function findings(context: ReportContext): SafeHtml {
  const { groups } = context;
  const pairs = new Map<string, [string, string]>();
  for (const group of groups)
    for (const [arm, reference] of comparisonsOf(group)) pairs.set(`${arm}\n${reference}`, [arm, reference]);
  if (pairs.size === 0) return html``;
  const questions = answers(groups);
  return html`${questions.length === 0 ? "" : html`<ul class="findings">${questions}</ul>\n`}${table({
    columns: [
      { title: "difference in accuracy, points", align: "left" },
      ...groups.map((group) => ({ title: groupTitle(groups, group) })),
    ],
    rows: [...pairs.values()].map(([arm, reference]) => ({
      cells: [
        `${armShortLabel(arm)} against ${armShortLabel(reference)}`,
        ...groups.map((group) => claimCell(headlineDifference(armDifferences(group, arm, reference)))),
      ],
    })),
    caption: `What this run supports: the first arm minus the second, mean over the benchmarks of a regime, paired by problem; higher or lower only where the 95% interval leaves out zero. ${teacherNote(context)}${stepsNote(context)}${INTERVAL_NOTE}`,
  })}`;
}
