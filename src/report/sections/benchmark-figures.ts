/**
 * Pictures of one regime: mean accuracy of every arm beside every paired difference, and each benchmark by itself,
 * folded away with the digits.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { armLabel, armShortLabel } from "../arms.ts";
import {
  armDifferences,
  type BenchmarkGroup,
  comparisonsOf,
  findCell,
  meanAccuracy,
} from "../benchmark-groups.ts";
import { describeGroup, INTERVAL_NOTE } from "../captions.ts";
import { drawRanges, type RangeRow, rangeDomain } from "../charts/ranges.ts";
import { figure, type Panel, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDifference } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { trainedSteps } from "../training-runs.ts";
import { headlineDifference, QUESTIONS } from "./findings.ts";

/** One panel of arms with their accuracy; undefined chart when none was evaluated. */
function accuracyPanel(
  context: ReportContext,
  options: {
    title: string;
    arms: readonly string[];
    domain: [number, number];
    accuracyOf: (arm: string) => Estimate | undefined;
  },
): Panel {
  const { title, arms, domain, accuracyOf } = options;
  const rows = arms.flatMap((arm) => {
    const estimate = accuracyOf(arm);
    return estimate === undefined ? [] : [{ label: armLabel(arm), colour: context.colourOf(arm), estimate }];
  });
  return {
    title,
    chart: drawRanges(context.kit, {
      title: `Accuracy, ${title}`,
      rows,
      domain,
      scale: 100,
      axisLabel: "accuracy, %",
    }),
  };
}

function accuracyDomain(group: BenchmarkGroup): [number, number] {
  return rangeDomain(
    group.cells.map(({ accuracy }) => accuracy),
    100,
    true,
  );
}

/** Says that a continued run also had more training, where the recipe shows it. */
function continuationNote(context: ReportContext): string {
  const run = context.training.find(({ arm, offset }) => arm === "filtered" && offset > 0);
  return run === undefined
    ? ""
    : ` The filtered run continues CORE for ${trainedSteps(run.steps).length} more RL steps, so their difference is that of filtering and of more training together.`;
}

/** One panel of paired differences. */
function differencePanel(context: ReportContext, title: string, rows: RangeRow[]): Panel {
  const domain = rangeDomain(
    rows.map(({ estimate }) => estimate),
    100,
    false,
  );
  return {
    title,
    chart: drawRanges(context.kit, {
      title,
      rows,
      domain,
      scale: 100,
      axisLabel: "difference in accuracy, points",
      zero: true,
    }),
  };
}

/** The regime at a glance: mean accuracy of every arm, and every comparison. */
export function overviewFigure(context: ReportContext, group: BenchmarkGroup): SafeHtml {
  const several = group.benchmarks.length > 1;
  const only = group.benchmarks[0] as string;
  const comparisons = comparisonsOf(group).flatMap(([arm, reference]) => {
    const estimate = headlineDifference(armDifferences(group, arm, reference));
    return estimate === undefined
      ? []
      : [{ label: pairName(arm, reference), colour: context.colourOf(arm), estimate }];
  });
  return figure({
    panels: [
      accuracyPanel(context, {
        title: several ? "Accuracy, mean of the benchmarks" : `Accuracy, ${only}`,
        arms: group.arms,
        domain: accuracyDomain(group),
        accuracyOf: (arm) => (several ? meanAccuracy(group, arm) : findCell(group, arm, only)?.accuracy),
      }),
      differencePanel(context, "Differences, paired by problem", comparisons),
    ],
    caption: `Dots are means, lines 95% intervals over problems.${
      comparisons.length === 0
        ? ""
        : " On the right, an interval that crosses the line at zero does not tell the two arms apart."
    }${continuationNote(context)}`,
  });
}

function pairName(arm: string, reference: string): string {
  return `${armShortLabel(arm)} \u2212 ${armShortLabel(reference)}`;
}

/** Each benchmark by itself, folded away: accuracies, the two questions, and every difference in digits. */
export function benchmarkDetails(context: ReportContext, group: BenchmarkGroup): SafeHtml {
  if (group.benchmarks.length < 2) return html``;
  const domain = accuracyDomain(group);
  const questions = QUESTIONS.flatMap(({ arm, reference }) => {
    const rows = armDifferences(group, arm, reference).map((difference) => ({
      label: difference.benchmark,
      colour: context.colourOf(arm),
      estimate: difference,
    }));
    return rows.length === 0 ? [] : [differencePanel(context, pairName(arm, reference), rows)];
  });
  return html`<details><summary>Each benchmark by itself</summary>
${figure({
  panels: [
    ...group.benchmarks.map((benchmark) =>
      accuracyPanel(context, {
        title: benchmark,
        arms: group.arms,
        domain,
        accuracyOf: (arm) => findCell(group, arm, benchmark)?.accuracy,
      }),
    ),
    ...questions,
  ],
  caption: `${describeGroup(group)} Lines are 95% intervals over problems.`,
})}${differenceTable(group)}</details>
`;
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
  return table({
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
  });
}
