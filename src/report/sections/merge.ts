/**
 * The merge: accuracy on the validation split over the weight alpha, from the distilled model (0) to the large base (1),
 * and the weight that was chosen there. Held-out numbers of the chosen model stand in the results.
 */
import type { AlphaFile, Estimate } from "../../recipe/result-files.ts";
import { drawAlpha } from "../charts/alpha.ts";
import { figure, missing, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatEstimate, formatNumber, listWords } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { intervalsApart } from "../wording.ts";
import { baseAccuracyTables } from "./by-base-accuracy.ts";

/** Accuracy of one weight: mean over benchmarks with its interval. */
export interface AlphaPoint {
  alpha: number;
  accuracy: Estimate;
  benchmarks: { benchmark: string; accuracy: Estimate }[];
}

/**
 * Points of a sweep in order of alpha. The interval of the mean takes benchmarks as independent and each interval as
 * symmetric, which it nearly is away from 0 and 1.
 */
export function alphaPoints(file: AlphaFile): AlphaPoint[] {
  return file.points
    .map(({ alpha, rows }) => {
      const benchmarks = rows
        .filter(({ metric }) => metric.startsWith("avg@"))
        .map(({ benchmark, value, low, high }) => ({ benchmark, accuracy: { value, low, high } }));
      const overall = benchmarks.filter(({ benchmark }) => benchmark !== "mean");
      const value = overall.reduce((sum, { accuracy }) => sum + accuracy.value, 0) / overall.length;
      const half =
        Math.sqrt(overall.reduce((sum, { accuracy }) => sum + ((accuracy.high - accuracy.low) / 2) ** 2, 0)) /
        overall.length;
      return {
        alpha,
        accuracy: { value, low: Math.max(0, value - half), high: Math.min(1, value + half) },
        benchmarks,
      };
    })
    .filter(({ accuracy }) => Number.isFinite(accuracy.value))
    .sort((a, b) => a.alpha - b.alpha);
}

function finding(points: AlphaPoint[], chosen: number): string {
  const find = (alpha: number): AlphaPoint | undefined =>
    points.find((point) => Math.abs(point.alpha - alpha) < 1e-9);
  const best = find(chosen);
  const ends = [find(0), find(1)].filter((point) => point !== undefined && point !== best) as AlphaPoint[];
  if (best === undefined || ends.length === 0) return "";
  const above = ends.filter(
    (end) => best.accuracy.value > end.accuracy.value && intervalsApart(best.accuracy, end.accuracy),
  );
  if (above.length === ends.length) return "At the chosen weight the interval lies above those of both ends.";
  return "The interval at the chosen weight overlaps that of at least one end: this sweep alone does not show that merging beats both. Paired differences on held-out problems, in the results, are the sharper comparison.";
}

function sweep(context: ReportContext, file: AlphaFile): SafeHtml {
  const points = alphaPoints(file);
  if (points.length === 0)
    return html`<p class="missing">${file.stage} merged with \u03b1 = ${formatNumber(file.chosen, 2)} without a sweep; give the stage a <code>sweep</code> to see the curve.</p>
`;
  const benchmarks = [
    ...new Set(points.flatMap((point) => point.benchmarks.map(({ benchmark }) => benchmark))),
  ];
  const first = file.points[0]?.rows[0];
  return html`${figure({
    panels: [
      {
        title: "Accuracy over \u03b1",
        unit: "%, mean of benchmarks",
        chart: drawAlpha(context.kit, { points, chosen: file.chosen }),
      },
    ],
    caption: `\u03b8 = \u03b1 \u00b7 large base + (1 \u2212 \u03b1) \u00b7 distilled, element by element. Mean of ${listWords(benchmarks)} on the validation split, ${first === undefined ? "" : `${first.problems} problems \u00d7 ${first.samples} samples each, `}seed ${first?.seed ?? context.records.recipe.seed ?? "not recorded"}, stage ${file.stage}; the band is the 95% interval over problems. Chosen on this split, so its own height is slightly optimistic. ${finding(points, file.chosen)}`,
  })}<details><summary>The sweep in digits</summary>
${table({
  columns: [{ title: "\u03b1", align: "left" }, ...benchmarks.map((title) => ({ title })), { title: "mean" }],
  rows: points.map((point) => ({
    emphasis: Math.abs(point.alpha - file.chosen) < 1e-9,
    cells: [
      formatNumber(point.alpha, 2),
      ...benchmarks.map((name) => {
        const entry = point.benchmarks.find(({ benchmark }) => benchmark === name);
        return entry === undefined ? "" : formatEstimate(entry.accuracy);
      }),
      html`<span class="value">${formatEstimate(point.accuracy)}</span>`,
    ],
  })),
  caption: "Accuracy in % on the validation split; the chosen weight in colour.",
})}</details>
`;
}

/** The section. */
export function mergeSection(context: ReportContext): Section {
  const { alpha } = context.records;
  const id = "merge";
  const title = "Weight merge";
  if (alpha.length === 0) return missing(id, title, "no stage left an alpha.json", "merge");
  const body = html`${alpha.map((file) => sweep(context, file))}${baseAccuracyTables(context)}`;
  return { id, title, body };
}
