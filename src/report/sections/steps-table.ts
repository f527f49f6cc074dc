/**
 * Accuracy by the number of steps a problem takes, where a benchmark labels its problems so. An arm's mean over a mix
 * of lengths hides that it may only have learnt the short ones.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { armLabel } from "../arms.ts";
import type { BenchmarkGroup } from "../benchmark-groups.ts";
import { armTag, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { problemMean } from "../problem-statistics.ts";

/** Most step counts shown as columns. */
const MAX_COLUMNS = 12;

/** An arm's accuracy on the problems with this many steps, all benchmarks of the group together. */
export interface StepAccuracy {
  arm: string;
  steps: number;
  accuracy: Estimate;
  problems: number;
}

/** One entry per arm and number of steps, ordered by arm, then steps; empty when no problem is labelled. */
export function accuracyBySteps(group: BenchmarkGroup): StepAccuracy[] {
  return group.arms.flatMap((arm) => {
    const bySteps = new Map<number, number[]>();
    for (const cell of group.cells) {
      if (cell.arm !== arm) continue;
      for (const { steps, correct } of cell.perProblem) {
        if (steps === undefined) continue;
        const values = bySteps.get(steps);
        if (values === undefined) bySteps.set(steps, [correct / cell.samples]);
        else values.push(correct / cell.samples);
      }
    }
    return [...bySteps]
      .sort(([a], [b]) => a - b)
      .map(([steps, values]) => ({ arm, steps, accuracy: problemMean(values), problems: values.length }));
  });
}

/** The table, folded away; nothing when problems carry no number of steps or only one. */
export function stepTable(context: ReportContext, group: BenchmarkGroup): SafeHtml {
  const entries = accuracyBySteps(group);
  const columns = [...new Set(entries.map(({ steps }) => steps))].sort((a, b) => a - b).slice(0, MAX_COLUMNS);
  if (columns.length < 2) return html``;
  return html`<details><summary>Accuracy by number of steps</summary>
${table({
  columns: [
    { title: "accuracy, %", align: "left" },
    ...columns.map((steps) => ({ title: `${steps} steps` })),
  ],
  rows: group.arms.map((arm) => ({
    cells: [
      armTag(armLabel(arm), context.colourOf(arm)),
      ...columns.map((steps) => {
        const entry = entries.find((candidate) => candidate.arm === arm && candidate.steps === steps);
        if (entry === undefined) return "";
        const { accuracy } = entry;
        return valueWithInterval(
          formatShare(accuracy.value),
          hasInterval(accuracy) ? formatRange(accuracy.low * 100, accuracy.high * 100, 1) : undefined,
        );
      }),
    ],
  })),
  caption: `Benchmarks of this regime pooled; seed ${group.seed}. 95% intervals over problems.`,
})}</details>
`;
}
