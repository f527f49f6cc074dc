/**
 * The paper's own numbers, for orientation. They are from other models on other benchmarks, measured by others, and are
 * never set beside this run's numbers in one table.
 * Source: POLARIS V2 (2026-03-18), ablation of the 4B model and weak-to-strong transfer to 235B.
 */
import { type Section, table } from "../components.ts";
import { formatNumber } from "../format.ts";
import { html } from "../html.ts";

/** Accuracy in % on AIME25, AIME26, HMMT25. */
const ABLATION: [string, number, number, number][] = [
  ["Qwen3-4B-2507", 80.9, 78.9, 55.6],
  ["+ SFT", 82.4, 79.8, 68.2],
  ["+ GRPO", 86.5, 84.3, 72.4],
  ["+ process reward", 88.0, 85.6, 76.1],
  ["+ data filtering", 91.8, 89.5, 80.0],
];
const TRANSFER: [string, number, number, number][] = [
  ["Qwen3-235B-A22B-2507", 92.3, 89.5, 85.1],
  ["distilled", 90.0, 91.4, 88.2],
  ["merged, \u03b1 = 0.5", 94.2, 93.2, 90.5],
];
/** Similarity in % by pair class: wrong\u2013wrong, correct\u2013wrong, correct\u2013correct. */
const SIMILARITY = { incorrectIncorrect: 19.6, correctIncorrect: 23.4, correctCorrect: 70.8 };

function columns(first: string) {
  return [
    { title: first, align: "left" as const },
    ...["AIME25", "AIME26", "HMMT25"].map((title) => ({ title })),
  ];
}

function rows(values: [string, number, number, number][]) {
  return values.map(([label, ...numbers]) => ({
    cells: [label, ...numbers.map((number) => formatNumber(number, 1))],
  }));
}

/** The section. */
export function referenceSection(): Section {
  return {
    id: "paper",
    title: "The paper\u2019s numbers",
    body: html`<p>Published by the authors of POLARIS for other models on mathematics benchmarks. They are here to show the shape of the experiment; no number of this run can be compared with them, and the source gives no intervals.</p>
<div class="pair">${table({ columns: columns("paper, 4B, %"), rows: rows(ABLATION), caption: "POLARIS V2, nested ablation of the 4B specialist." })}${table(
      {
        columns: columns("paper, 235B, %"),
        rows: rows(TRANSFER),
        caption:
          "POLARIS V2, the specialist\u2019s skill moved into a larger model: base, distilled, and the mean of their weights.",
      },
    )}</div>
<p>Similarity study of the paper (100 problems \u00d7 32 responses, Jaccard of intermediate results): correct\u2013correct ${SIMILARITY.correctCorrect}%, correct\u2013wrong ${SIMILARITY.correctIncorrect}%, wrong\u2013wrong ${SIMILARITY.incorrectIncorrect}%.</p>
`,
  };
}
