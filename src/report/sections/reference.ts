/**
 * The paper's own numbers, for orientation. They are from other models on other benchmarks, measured by others. Only an
 * evaluation on a benchmark of the paper's name sets them beside its own (`paper-tables.ts`).
 * Source: POLARIS V2 (2026-03-18), ablation of the 4B model and weak-to-strong transfer to 235B, bar charts; POLARIS V1
 * (2025), figures 10 to 12 and the AIME25 bar chart.
 */
import {
  PAPER_CHARTS,
  PAPER_LENGTHS,
  PAPER_LIMITS,
  PAPER_TABLES,
  type PaperTable,
} from "../../recipe/evaluation/paper-results.ts";
import { type Section, table } from "../components.ts";
import { formatNumber } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";

/** Similarity in % by pair class: wrong\u2013wrong, correct\u2013wrong, correct\u2013correct. */
const SIMILARITY = { incorrectIncorrect: 19.6, correctIncorrect: 23.4, correctCorrect: 70.8 };

function paperTable(id: PaperTable["id"], first: string, caption: string): SafeHtml {
  const { benchmarks, rows } = [...PAPER_TABLES, ...PAPER_CHARTS].find((one) => one.id === id) as PaperTable;
  return table({
    columns: [{ title: first, align: "left" }, ...benchmarks.map((title) => ({ title }))],
    rows: rows.map(({ model, values }) => ({
      cells: [model, ...values.map((value) => formatNumber(value, 1))],
    })),
    caption,
  });
}

/** Numbers of a figure: one row per line of it. */
function figureTable(
  first: string,
  columns: readonly string[],
  rows: readonly { label: string; values: readonly number[] }[],
  caption: string,
): SafeHtml {
  return table({
    columns: [{ title: first, align: "left" }, ...columns.map((title) => ({ title }))],
    rows: rows.map(({ label, values }) => ({
      cells: [label, ...values.map((value) => formatNumber(value, 1))],
    })),
    caption,
  });
}

/** What the papers show in figures: other people's models, and longer contexts. */
function figures(): SafeHtml {
  const limits = PAPER_LIMITS.tokens.map((tokens) => `${tokens / 1024}K`);
  return html`<details><summary>Other models and longer contexts, as the papers show them</summary>
${figureTable("mean@32 by token limit, %", limits, PAPER_LIMITS.rows, "POLARIS V1, figure 12, read off the picture to about half a point: trained at up to 52K tokens, generated at up to 96K.")}${figureTable("by response length, %", PAPER_LENGTHS.buckets, PAPER_LENGTHS.rows, "POLARIS V1, figures 10 and 11: share of correct responses, AIME24 and AIME25 together.")}${PAPER_CHARTS.map(
  ({ id, title }) => paperTable(id, "paper, %", `${title}: models of others as the authors quote them.`),
)}</details>
`;
}

/** The section. */
export function referenceSection(): Section {
  return {
    id: "paper",
    title: "The paper\u2019s numbers",
    body: html`<p>Published by the authors of POLARIS for other models on mathematics benchmarks. They are here to show the shape of the experiment; no number of this run can be compared with them, and the source gives no intervals.</p>
<div class="pair">${paperTable("v2_ablation", "paper, 4B, %", "POLARIS V2, nested ablation of the 4B specialist.")}${paperTable(
      "v2_large",
      "paper, 235B, %",
      "POLARIS V2, the specialist\u2019s skill moved into a larger model: base, distilled, and the mean of their weights.",
    )}</div>
<p>Similarity study of the paper (100 problems \u00d7 32 responses, Jaccard of intermediate results): correct\u2013correct ${SIMILARITY.correctCorrect}%, correct\u2013wrong ${SIMILARITY.correctIncorrect}%, wrong\u2013wrong ${SIMILARITY.incorrectIncorrect}%.</p>
${figures()}`,
  };
}
