/**
 * The results section: what can be said in one line each, the ablation table per regime with intervals, the paired
 * differences, and accuracy by number of steps. The paper's ladder is the row order; no claim goes beyond an interval.
 */

import type { Estimate } from "../../recipe/result-files.ts";
import { armLabel, armShortLabel } from "../arms.ts";
import {
  type ArmDifference,
  armDifferences,
  type BenchmarkGroup,
  comparisonsOf,
  findCell,
  meanAccuracy,
  regimeTitle,
  splitArms,
} from "../benchmark-groups.ts";
import { describeGroup, INTERVAL_NOTE } from "../captions.ts";
import { drawRanges, rangeDomain } from "../charts/ranges.ts";
import { armTag, figure, missing, type Section, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDifference, formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { describeDifference } from "../wording.ts";
import { stepTable } from "./steps-table.ts";

/** Accuracy in a cell. */
export function accuracyCell(estimate: Estimate | undefined): SafeHtml {
  if (estimate === undefined) return html`<span class="unit">not evaluated</span>`;
  const range = hasInterval(estimate) ? formatRange(estimate.low * 100, estimate.high * 100, 1) : undefined;
  return valueWithInterval(formatShare(estimate.value), range);
}

/** The comparison that stands for a pair of arms: the mean over benchmarks, or the only benchmark. */
export function headlineDifference(differences: readonly ArmDifference[]): ArmDifference | undefined {
  return (
    differences.find(({ benchmark }) => benchmark === "mean") ??
    (differences.length === 1 ? differences[0] : undefined)
  );
}

function findings(context: ReportContext): SafeHtml {
  const lines = context.groups.flatMap((group) =>
    comparisonsOf(group).flatMap(([arm, reference]) => {
      const difference = headlineDifference(armDifferences(group, arm, reference));
      if (difference === undefined) return [];
      return [
        html`<li>${regimeTitle(group.regime)}: <strong>${armShortLabel(arm)}</strong> against ${armShortLabel(reference)} is ${describeDifference(difference)}.</li>
`,
      ];
    }),
  );
  if (lines.length === 0) return html``;
  return html`<p>Mean accuracy over the benchmarks of each regime, compared on the same problems:</p>
<ul class="findings">${lines}</ul>
`;
}

function accuracyTable(
  context: ReportContext,
  group: BenchmarkGroup,
  arms: string[],
  caption: string,
): SafeHtml {
  const several = group.benchmarks.length > 1;
  const best = arms
    .map((arm) => ({ arm, mean: meanAccuracy(group, arm)?.value ?? Number.NaN }))
    .reduce((a, b) => (b.mean > a.mean || Number.isNaN(a.mean) ? b : a), { arm: "", mean: Number.NaN }).arm;
  return table({
    columns: [
      { title: "accuracy, %", align: "left" },
      ...group.benchmarks.map((benchmark) => ({ title: benchmark })),
      ...(several ? [{ title: "mean" }] : []),
      { title: "truncated, %" },
      { title: "tokens" },
    ],
    rows: arms.map((arm) => {
      const cells = group.benchmarks.map((benchmark) => findCell(group, arm, benchmark));
      const present = cells.filter((cell) => cell !== undefined);
      const average = (key: "truncated" | "meanTokens"): number =>
        present.reduce((sum, cell) => sum + cell[key], 0) / Math.max(1, present.length);
      return {
        emphasis: arm === best,
        cells: [
          armTag(armLabel(arm), context.colourOf(arm)),
          ...cells.map((cell) => accuracyCell(cell?.accuracy)),
          ...(several ? [accuracyCell(meanAccuracy(group, arm))] : []),
          formatShare(average("truncated")),
          average("meanTokens").toFixed(0),
        ],
      };
    }),
    caption,
  });
}

function accuracyFigure(context: ReportContext, group: BenchmarkGroup, arms: string[]): SafeHtml {
  const estimates = group.cells.filter(({ arm }) => arms.includes(arm)).map(({ accuracy }) => accuracy);
  const domain = rangeDomain(estimates, 100, true);
  return figure({
    panels: group.benchmarks.map((benchmark) => ({
      title: benchmark,
      chart: drawRanges(context.kit, {
        title: `Accuracy on ${benchmark}`,
        rows: arms.flatMap((arm) => {
          const cell = findCell(group, arm, benchmark);
          return cell === undefined
            ? []
            : [{ label: armLabel(arm), colour: context.colourOf(arm), estimate: cell.accuracy }];
        }),
        domain,
        scale: 100,
        axisLabel: "accuracy, %",
      }),
    })),
    caption: `The table above as a picture: dots are means, lines their 95% intervals over problems.`,
  });
}

function differenceFigure(context: ReportContext, group: BenchmarkGroup): SafeHtml {
  const pairs = comparisonsOf(group).map(([arm, reference]) => ({
    arm,
    reference,
    differences: armDifferences(group, arm, reference),
  }));
  const all = pairs.flatMap(({ differences }) => differences);
  if (all.length === 0) return html``;
  const domain = rangeDomain(all, 100, false);
  const panels = pairs.map(({ arm, reference, differences }) => ({
    title: `${armShortLabel(arm)} \u2212 ${armShortLabel(reference)}`,
    unit: "points",
    chart: drawRanges(context.kit, {
      title: `${armShortLabel(arm)} minus ${armShortLabel(reference)}`,
      rows: differences.map((difference) => ({
        label: difference.benchmark,
        colour: context.colourOf(arm),
        estimate: difference,
      })),
      domain,
      scale: 100,
      axisLabel: "difference in accuracy, points",
      zero: true,
    }),
  }));
  const continued = context.training.find((run) => run.arm === "filtered" && run.offset > 0);
  const caution =
    continued !== undefined && pairs.some(({ arm }) => arm === "filtered")
      ? ` CORE, filtered has ${continued.steps.length} more RL steps than CORE (it continues it), so their difference is that of filtering and more training together.`
      : "";
  return figure({
    panels,
    caption: `Paired differences on the same problems and sampling seeds; right of the line the first arm is better. ${INTERVAL_NOTE}${caution}`,
  });
}

/** Table of every paired difference, for those who want the digits. */
function differenceTable(group: BenchmarkGroup): SafeHtml {
  const rows = comparisonsOf(group).map(([arm, reference]) => ({
    arm,
    reference,
    differences: armDifferences(group, arm, reference),
  }));
  if (rows.length === 0) return html``;
  const benchmarks = [
    ...new Set(rows.flatMap(({ differences }) => differences.map(({ benchmark }) => benchmark))),
  ];
  return html`<details><summary>Every paired difference in digits</summary>
${table({
  columns: [{ title: "difference, points", align: "left" }, ...benchmarks.map((title) => ({ title }))],
  rows: rows.map(({ arm, reference, differences }) => ({
    cells: [
      `${armShortLabel(arm)} \u2212 ${armShortLabel(reference)}`,
      ...benchmarks.map((benchmark) => {
        const difference = differences.find((candidate) => candidate.benchmark === benchmark);
        return difference === undefined ? "" : formatDifference(difference);
      }),
    ],
  })),
  caption: INTERVAL_NOTE,
})}</details>
`;
}

function groupBody(context: ReportContext, group: BenchmarkGroup, heading: string): SafeHtml {
  const { ladder, large } = splitArms(group);
  const where = describeGroup(group);
  return html`<h3>${heading}</h3>
${
  ladder.length === 0
    ? ""
    : html`${accuracyTable(
        context,
        group,
        ladder,
        `Mean share of correct responses with its 95% interval; highest mean in colour, which is not a claim that it differs from the next. Rows follow the paper's ladder, but + GRPO and + process reward are two runs from the same start unless the recipe says otherwise. ${where}`,
      )}${accuracyFigure(context, group, ladder)}`
}${
  large.length === 0
    ? ""
    : accuracyTable(
        context,
        group,
        large,
        `The large model: its base, distilled on the specialist's responses, and the weighted mean of both. ${where}`,
      )
}${differenceFigure(context, group)}${differenceTable(group)}${stepTable(context, group)}`;
}

/** The section. */
export function resultsSection(context: ReportContext): Section {
  const { groups } = context;
  const body =
    groups.length === 0
      ? missing("the ablation table, because there is no evaluations/*.json", "evaluate")
      : html`${findings(context)}${groups.map((group) => {
          const twins = groups.filter((other) => other.regime === group.regime);
          const heading =
            regimeTitle(group.regime) + (twins.length > 1 ? `: ${group.stages.join(", ")}` : "");
          return groupBody(context, group, heading);
        })}`;
  return { id: "results", title: "Results", body };
}
