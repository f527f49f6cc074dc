/**
 * The results section: what can be said in one line each, the ablation table per regime with intervals, the paired
 * differences, and accuracy by number of steps. The paper's ladder is the row order; no claim goes beyond an interval.
 */

import type { Estimate } from "../../recipe/result-files.ts";
import { armLabel } from "../arms.ts";
import { type BenchmarkGroup, findCell, meanAccuracy, splitArms } from "../benchmark-groups.ts";
import { describeGroup } from "../captions.ts";
import { armTag, missing, type Section, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { lineage } from "../recipe-view.ts";
import { benchmarkDetails, overviewFigure } from "./benchmark-figures.ts";
import { findings, groupTitle } from "./findings.ts";
import { stepTable } from "./steps-table.ts";

/** Accuracy in a cell. */
export function accuracyCell(estimate: Estimate | undefined): SafeHtml {
  if (estimate === undefined) return html`<span class="unit">not evaluated</span>`;
  const range = hasInterval(estimate) ? formatRange(estimate.low * 100, estimate.high * 100, 1) : undefined;
  return valueWithInterval(formatShare(estimate.value), range);
}

function accuracyTable(
  context: ReportContext,
  group: BenchmarkGroup,
  arms: string[],
  caption: string,
): SafeHtml {
  const several = group.benchmarks.length > 1;
  const means = arms.map((arm) => meanAccuracy(group, arm)?.value ?? Number.NaN);
  const highest = Math.max(...means.filter(Number.isFinite));
  // A tie has no best row.
  const best =
    means.filter((mean) => mean === highest).length === 1 ? arms[means.indexOf(highest)] : undefined;
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

function groupBody(context: ReportContext, group: BenchmarkGroup, heading: string): SafeHtml {
  const { ladder, large } = splitArms(group);
  const where = describeGroup(group);
  const tables = [
    {
      arms: ladder,
      caption: `Mean share of correct responses with its 95% interval; highest mean in colour, which is not a claim that it differs from the next. ${ladderNote(context, ladder)}${where}`,
    },
    {
      arms: large,
      caption: `The large model: its base, distilled on the specialist's responses, and the weighted mean of both. ${where}`,
    },
  ].filter(({ arms }) => arms.length > 0);
  return html`<h3>${heading}</h3>
${tables.map(({ arms, caption }) => accuracyTable(context, group, arms, caption))}${overviewFigure(context, group)}${benchmarkDetails(context, group)}${stepTable(context, group)}`;
}

/** Whether the ladder's GRPO and CORE rows follow one another or start from the same weights, from the recipe. */
function ladderNote(context: ReportContext, arms: readonly string[]): string {
  if (!arms.includes("grpo") || !arms.includes("core")) return "";
  const stageOf = (arm: string): string | undefined => context.training.find((run) => run.arm === arm)?.stage;
  const grpo = stageOf("grpo");
  const core = stageOf("core");
  if (grpo === undefined || core === undefined) return "";
  const path = lineage(context.records.recipe, core);
  if (path.includes(grpo)) return "+ process reward continues + GRPO. ";
  const parent = (stage: string): string | undefined => lineage(context.records.recipe, stage).at(-2);
  return parent(grpo) === parent(core)
    ? "+ GRPO and + process reward are two runs from the same start, not one after the other. "
    : "+ GRPO and + process reward start from different weights. ";
}

/** The section. */
export function resultsSection(context: ReportContext): Section {
  const { groups } = context;
  const id = "results";
  const title = "Results";
  if (groups.length === 0) return missing(id, title, "there is no evaluations/*.json", "evaluate");
  const body = html`${findings(context)}${groups.map((group) => groupBody(context, group, groupTitle(groups, group)))}`;
  return { id, title, body };
}
