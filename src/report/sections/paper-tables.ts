/** The paper's numbers beside the run's, only for benchmarks that have the paper's name. */
import type { EvaluationFile } from "../../recipe/evaluation/evaluation-file.ts";
import { PAPER_CAVEAT, paperTablesFor } from "../../recipe/evaluation/paper-results.ts";
import { armLabel, sortArms } from "../arms.ts";
import { armTag, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatNumber, formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";

/** One table per published one that has some of the benchmarks; nothing when no name matches. */
export function paperTables(context: ReportContext, file: EvaluationFile): SafeHtml {
  const benchmarks = [...new Set(file.rows.map(({ benchmark }) => benchmark))];
  const tables = file.problems?.limit === undefined ? paperTablesFor(benchmarks) : [];
  if (tables.length === 0) return html``;
  const headline = (arm: string, benchmark: string, samples: number | null): SafeHtml | string => {
    const row = file.rows.find(
      (candidate) =>
        candidate.arm === arm && candidate.benchmark === benchmark && candidate.metric.startsWith("avg@"),
    );
    if (row === undefined) return "";
    const range = hasInterval(row) ? formatRange(row.low * 100, row.high * 100, 1) : undefined;
    const value = valueWithInterval(formatShare(row.value), range);
    return samples === row.samples ? value : html`${value} <span class="unit">${row.metric}</span>`;
  };
  return html`${tables.map(({ title, columns, rows }) =>
    table({
      columns: [
        { title: "accuracy, %", align: "left" },
        ...columns.map(({ paper, own, samples }) => ({
          title: `${paper}${samples === null ? "" : ` avg@${samples}`}${own === paper ? "" : ` (here ${own})`}`,
        })),
      ],
      rows: [
        ...rows.map(({ model, values }) => ({
          cells: [
            html`<span class="unit">paper:</span> ${model}`,
            ...values.map((value) => (value === null ? "" : formatNumber(value, 1))),
          ],
        })),
        ...sortArms(file.arms.map(({ arm }) => arm)).map((arm) => ({
          emphasis: true,
          cells: [
            html`<span class="unit">this run:</span> ${armTag(armLabel(arm), context.colourOf(arm))}`,
            ...columns.map(({ own, samples }) => headline(arm, own, samples)),
          ],
        })),
      ],
      caption: `${title}. ${PAPER_CAVEAT}`,
    }),
  )}`;
}
