/**
 * Difficulty before and after: how many problems are solved k times of n. The mirrored J (most problems rarely solved)
 * is the shape POLARIS trains on; after training it should lean the other way.
 */

import { describeOutcomes } from "../../recipe/calibration/response-outcomes.ts";
import type { PassRateFile } from "../../recipe/result-files.ts";
import { shareInterval } from "../../stats/index.ts";
import { armShortLabel } from "../arms.ts";
import { drawBars } from "../charts/bars.ts";
import { drawGroupedBars } from "../charts/grouped-bars.ts";
import { niceCeiling } from "../charts/render.ts";
import { armTag, figure, missing, type Panel, type Section } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatShare, plural } from "../format.ts";
import { html } from "../html.ts";

/** Shapes in words. */
export const SHAPE_WORDS: Record<string, string> = {
  "mirrored-j": "mirrored J: mostly rarely solved",
  j: "J: mostly always solved",
  u: "U: mostly never or always solved",
  flat: "flat",
};
/** Bars with a label each; a finer histogram labels only some. */
const MAX_LABELS = 11;

function binLabels(file: PassRateFile): { label: string; share: number; count: number }[] {
  const total = Math.max(
    1,
    file.counts.reduce((sum, count) => sum + count, 0),
  );
  return file.counts.map((count, k) => ({
    label: `${k}/${file.samplesPerProblem}`,
    share: count / total,
    count,
  }));
}

/** Mean pass rate of a file, from its counts. */
export function meanPassRate(file: PassRateFile): number {
  const total = file.counts.reduce((sum, count) => sum + count, 0);
  const solved = file.counts.reduce((sum, count, k) => sum + count * k, 0);
  return total === 0 ? Number.NaN : solved / total / (file.counts.length - 1);
}

/** Bars of one model as the difference charts and tables colour it; more models than colours share one. */
const COLOURS = [
  "var(--arm-sft)",
  "var(--arm-core)",
  "var(--arm-grpo)",
  "var(--arm-filtered)",
  "var(--arm-distilled)",
  "var(--arm-base)",
];

/** Problems of a file, dropped ones included. */
function problemCount({ counts }: PassRateFile): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

const describeShape = (file: PassRateFile): string =>
  `${SHAPE_WORDS[file.shape] ?? file.shape}; mean ${formatShare(meanPassRate(file))}%`;

/** Several models on one axis, where they have the same bins and can be told apart: figure 0 of the paper. */
function overlay(context: ReportContext, files: readonly PassRateFile[], labels: readonly string[]): Panel {
  const bins = files.map(binLabels);
  const groups = (bins[0] as (typeof bins)[number]).map(({ label }) => label);
  const every = Math.ceil(groups.length / MAX_LABELS);
  const shares = bins.flatMap((one) => one.map(({ share }) => share * 100));
  return {
    title: "Pass rates",
    unit: "% of problems",
    chart: drawGroupedBars(context.kit, {
      title: "Pass rates, share of problems",
      groups,
      series: files.map((file, i) => ({
        label: labels[i] as string,
        colour: COLOURS[i] as string,
        // Problems are independent draws, so a share of them has a plain interval.
        values: (bins[i] as (typeof bins)[number]).map(({ share }) => {
          const problems = problemCount(file);
          return problems < 2
            ? { value: share, low: share, high: share }
            : shareInterval({ value: share, squares: problems * share * (1 - share), problems });
        }),
      })),
      scale: 100,
      yMax: Math.min(100, niceCeiling(Math.max(...shares) * 1.12)),
      axisLabel: "responses correct",
      ticks: groups.filter((_, k) => k % every === 0),
    }),
  };
}

/** The section. */
export function passRatesSection(context: ReportContext): Section {
  const { passRates: files } = context.records;
  const id = "difficulty";
  const title = "Difficulty of the training problems";
  const [first] = files;
  if (first === undefined) return missing(id, title, "no stage left a pass-rates.json", "calibrate");
  const labels = files.map((file) => {
    const name = armShortLabel(context.armOf(file.model)) || file.model;
    // One model on several sets is told apart by its stages.
    return files.some((other) => other !== file && other.model === file.model)
      ? `${name}, ${file.stage}`
      : name;
  });
  const together =
    files.length > 1 &&
    files.length <= COLOURS.length &&
    files.every(({ counts }) => counts.length === first.counts.length);
  const all = files.map((file) => binLabels(file));
  const yMax = niceCeiling(Math.max(...all.flatMap((bins) => bins.map(({ share }) => share * 100))));
  const panels = together
    ? [overlay(context, files, labels)]
    : files.map((file, i) => {
        const bins = all[i] as (typeof all)[number];
        const every = Math.ceil(bins.length / MAX_LABELS);
        return {
          title: labels[i] as string,
          unit: describeShape(file),
          chart: drawBars(context.kit, {
            title: `Pass rates by ${file.model}`,
            bars: bins.map(({ label, share, count }) => ({
              label,
              value: share * 100,
              colour: COLOURS[Math.min(i, 1)] as string,
              detail: `${label}: ${plural(count, "problem")} (${formatShare(share)}%)`,
            })),
            yMax,
            axisLabel: "responses correct",
            ticks: bins.filter((_, k) => k % every === 0).map(({ label }) => label),
          }),
        };
      });
  const key = together
    ? html`${files.map((file, i) => html`${armTag(labels[i] as string, COLOURS[i] as string)} (${describeShape(file)})<br>`)}Lines: 95% intervals over problems. `
    : html``;
  const sizes = files.map(
    (file) =>
      `${file.stage}: ${formatCount(problemCount(file))} problems \u00d7 ${file.samplesPerProblem} samples, model ${file.model}`,
  );
  const same = new Set(files.map(problemCount)).size === 1;
  const ended = files.flatMap(({ stage, outcomes }) => {
    const parts = outcomes === undefined ? [] : describeOutcomes(outcomes);
    return parts.length === 0
      ? []
      : [
          html`<li>${stage}: of ${formatCount(outcomes?.responses ?? 0)} responses, ${parts.join("; ")}.</li>\n`,
        ];
  });
  const body = html`${figure({
    panels,
    caption: html`${key}Share of training problems (vertical, %) by how many of their sampled responses are correct. ${sizes.join("; ")}. Seed ${context.records.recipe.seed ?? "not recorded"}.${files.length > 1 ? " These are problems the models train on: the shift shows what training did to them, not how well it generalises." : ""}${
      files.length > 1 && !same ? " The problem sets differ in size, so compare shapes." : ""
    }`,
  })}${ended.length === 0 ? "" : html`<p>How responses ended:</p>\n<ul class="findings">${ended}</ul>\n`}${
    files.length === 1 && context.training.length > 0
      ? html`<p class="missing">Only <code>${first.stage}</code> measured pass rates, so there is no histogram after training; a second <code>calibrate</code> stage on the trained model makes it.</p>
`
      : ""
  }`;
  return { id, title, body };
}
