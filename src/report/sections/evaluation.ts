/**
 * Each evaluation by itself, with all it measured: pass@k and maj@k beside avg@k, what was cut or had no box, every arm
 * against the reference, lengths and budgets, the hardest problems, the paper's numbers where a benchmark has its name.
 */
import { isDecided } from "../../recipe/evaluation/comparison.ts";
import type { ArmComparison, EvaluationFile } from "../../recipe/evaluation/evaluation-file.ts";
import { tableMetrics } from "../../recipe/evaluation/metrics.ts";
import type { SummaryRow } from "../../types.ts";
import { armLabel, armShortLabel, sortArms } from "../arms.ts";
import { describeSampling, INTERVAL_NOTE } from "../captions.ts";
import { armTag, missing, type Section, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDifference, formatNumber, formatRange, formatShare, hasInterval, plural } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { hardestFigure } from "./hardest.ts";
import { lengthFigures } from "./lengths.ts";
import { paperTables } from "./paper-tables.ts";

/** Titles of metrics; pass@k and the like speak for themselves. */
const METRIC_WORDS: Record<string, string> = {
  solve_none: "never solved",
  solve_all: "always solved",
  truncated: "truncated",
  format_error: "no box",
  grader_error: "grader failed",
  distinct_4: "distinct-4",
};
/** Comparisons shown before the rest is folded away. */
const MAX_OPEN_COMPARISONS = 12;

function scoreCell(row: SummaryRow | undefined): SafeHtml | string {
  if (row === undefined) return "";
  if (!row.metric.startsWith("avg@")) return formatShare(row.value);
  return valueWithInterval(
    formatShare(row.value),
    hasInterval(row) ? formatRange(row.low * 100, row.high * 100, 1) : undefined,
  );
}

/** One benchmark: arms as rows, metrics as columns. */
function scoreTable(context: ReportContext, file: EvaluationFile, benchmark: string): SafeHtml {
  const rows = file.rows.filter((row) => row.benchmark === benchmark);
  const metrics = tableMetrics(rows);
  const find = (arm: string, metric: string): SummaryRow | undefined =>
    rows.find((row) => row.arm === arm && row.metric === metric);
  const own = file.arms.flatMap(({ benchmarks }) => benchmarks).find((one) => one.benchmark === benchmark);
  const sampling = own?.sampling ?? file.sampling;
  const [first] = rows;
  return table({
    columns: [
      { title: `${benchmark}, %`, align: "left" },
      ...metrics.map((metric) => ({ title: METRIC_WORDS[metric] ?? metric })),
      { title: "tokens" },
    ],
    rows: sortArms(file.arms.map(({ arm }) => arm))
      .filter((arm) => rows.some((row) => row.arm === arm))
      .map((arm) => ({
        cells: [
          armTag(armLabel(arm), context.colourOf(arm)),
          ...metrics.map((metric) => scoreCell(find(arm, metric))),
          formatNumber(find(arm, "length_tokens")?.value ?? Number.NaN, 0),
        ],
      })),
    caption: `${plural(first?.problems ?? 0, "problem")} \u00d7 ${plural(first?.samples ?? 0, "sample")}, ${describeSampling(sampling)}. pass@k is the unbiased estimate, maj@k the majority vote (a tie counts in part). Truncated responses and those without a box are counted apart from wrong ones.`,
  });
}

function scores(context: ReportContext, file: EvaluationFile): SafeHtml {
  const benchmarks = [...new Set(file.rows.map(({ benchmark }) => benchmark))];
  const [only] = benchmarks;
  if (only === undefined) return html``;
  if (benchmarks.length === 1) return scoreTable(context, file, only);
  return html`${benchmarks.map(
    (benchmark, i) =>
      html`<details${i === 0 ? html` open` : ""}><summary>${benchmark}</summary>
${scoreTable(context, file, benchmark)}</details>
`,
  )}`;
}

/** What a trial must not be taken for. */
function trialNote(file: EvaluationFile): SafeHtml {
  const limit = file.problems?.limit;
  if (limit === undefined) return html``;
  return html`<p class="claim">A trial: only the first ${plural(limit, "problem")} of each benchmark were asked. This is no score of the benchmark, and no paper\u2019s number stands beside it.</p>
`;
}

/** Every arm against the reference, with problems won and lost. */
function comparisonTable(file: EvaluationFile, list: readonly ArmComparison[]): SafeHtml {
  return table({
    columns: [
      { title: `against ${armShortLabel(file.reference ?? "")}`, align: "left" },
      { title: "benchmark", align: "left" },
      { title: "difference, points" },
      { title: "better" },
      { title: "worse" },
      { title: "equal" },
      { title: "p" },
    ],
    rows: list.map((one) => ({
      cells: [
        armShortLabel(one.arm),
        one.benchmark === "mean" ? "all, equal weight" : one.benchmark,
        html`<span class="${isDecided(one) ? "claim" : "unit"}">${formatDifference(one)}</span>`,
        one.wins,
        one.losses,
        one.ties,
        one.p < 0.001 ? "<0.001" : formatNumber(one.p, 3),
      ],
    })),
    caption: `Arm minus ${armShortLabel(file.reference ?? "")}, paired by problem; better, worse and equal count problems; p by random sign flips over problems; in bold where the interval leaves out zero and p is below 0.05. ${INTERVAL_NOTE}`,
  });
}

function comparisons(file: EvaluationFile): SafeHtml {
  const list = file.comparisons ?? [];
  if (list.length === 0 || file.reference == null) return html``;
  const means = list.filter(({ benchmark }) => benchmark === "mean");
  if (list.length <= MAX_OPEN_COMPARISONS || means.length === 0) return comparisonTable(file, list);
  return html`${comparisonTable(file, means)}<details><summary>Each benchmark by itself</summary>
${comparisonTable(
  file,
  list.filter(({ benchmark }) => benchmark !== "mean"),
)}</details>
`;
}

/** Which weights were measured, and how the answers were judged. */
function conditions(file: EvaluationFile): SafeHtml {
  const { grader, prompt, problems } = file;
  const hash = (sha256: string | null | undefined): string => (sha256 == null ? "" : sha256.slice(0, 16));
  return html`<details><summary>What was measured, exactly</summary>
<dl>
<dt>sampling</dt><dd>${describeSampling(file.sampling)}, seed ${file.seed}</dd>
<dt>grader</dt><dd>${file.graderVersion}${grader === undefined ? "" : `, ${grader.mode}, answer from ${grader.answerFrom}`}</dd>
${prompt === undefined ? "" : html`<dt>prompt</dt><dd>${prompt.instruction}${prompt.instruction === "boxed_and_underline" ? `, ${prompt.position}` : ""}${prompt.system === undefined ? "" : `, system message: ${prompt.system.slice(0, 300)}`}</dd>`}
${problems === undefined ? "" : html`<dt>problems</dt><dd>${problems.reference}, ${plural(problems.count, "problem")}, SHA-256 <code>${hash(problems.sha256)}</code></dd>`}
${file.arms.map(
  ({ arm, model, modelSha256, ropeScaling }) =>
    html`<dt>${armShortLabel(arm)}</dt><dd>${model}${modelSha256 == null ? "" : html`, SHA-256 <code>${hash(modelSha256)}</code>`}${ropeScaling == null ? "" : `, YaRN ${ropeScaling.factor} over ${ropeScaling.originalLength} tokens, attention scale ${ropeScaling.attentionScale}, betas ${ropeScaling.betaFast} and ${ropeScaling.betaSlow}`}</dd>
`,
)}</dl></details>
`;
}

function body(context: ReportContext, file: EvaluationFile, heading: string | null): SafeHtml {
  return html`${
    heading === null
      ? ""
      : html`<h3>${heading}</h3>
`
  }${trialNote(file)}${scores(context, file)}${comparisons(file)}${lengthFigures(context, file)}${hardestFigure(context, file)}${paperTables(context, file)}${conditions(file)}`;
}

/** The section. */
export function evaluationSection(context: ReportContext): Section {
  const files = context.records.evaluations;
  const id = "evaluation";
  const title = "Evaluations in detail";
  if (files.length === 0) return missing(id, title, "there is no evaluations/*.json", "evaluate");
  const parts = files.map((file) => body(context, file, files.length === 1 ? null : file.stage));
  return { id, title, body: html`${parts}` };
}
