/**
 * The difference filter: how near wrong responses are to a correct one, which problems were kept, and what training on
 * low- and on high-difference problems did to entropy and accuracy.
 */
import type { DifferenceFile } from "../../recipe/result-files.ts";
import { drawBars } from "../charts/bars.ts";
import { drawCurves } from "../charts/curves.ts";
import { niceCeiling } from "../charts/render.ts";
import { figure, missing, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatNumber, listWords, plural } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { seriesOf, summarizeTraining, type TrainingRun } from "../training-runs.ts";
import { smoothingWindow } from "./curves.ts";
import { divergenceExamplesOf, divergenceFigure, reasonsTable } from "./divergence.ts";

const BINS = 20;
const LOW = "var(--arm-filtered)";
const HIGH = "var(--arm-high)";

/** Problems with a measured overlap in equal bins of 0..1; the last bin holds 1. */
export function overlapHistogram(file: DifferenceFile, bins = BINS): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const { overlap } of file.problems) {
    if (overlap === null || !(overlap >= 0 && overlap <= 1)) continue;
    const bin = Math.min(bins - 1, Math.floor(overlap * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function filterFigure(context: ReportContext, files: DifferenceFile[]): SafeHtml {
  const panels = files.map((file) => {
    const counts = overlapHistogram(file);
    return {
      title: file.stage,
      unit: `${formatCount(file.counts.kept)} kept of ${formatCount(file.counts.kept + file.counts.dropped)}`,
      chart: drawBars(context.kit, {
        title: `Overlap, ${file.stage}`,
        bars: counts.map((count, bin) => ({
          label: formatNumber(bin / BINS, 2),
          value: count,
          colour: (bin + 0.5) / BINS >= file.threshold ? LOW : HIGH,
          detail: `overlap ${formatNumber(bin / BINS, 2)} to ${formatNumber((bin + 1) / BINS, 2)}: ${plural(count, "problem")}`,
        })),
        yMax: niceCeiling(Math.max(...counts, 1)),
        axisLabel: "overlap of wrong responses with the nearest correct one",
        ticks: ["0.00", "0.25", "0.50", "0.75"],
        rule: {
          before: file.threshold * BINS,
          text: `${file.threshold * BINS > BINS / 2 ? "" : "\u2192 "}low difference from ${formatNumber(file.threshold, 2)}${file.threshold * BINS > BINS / 2 ? " \u2192" : ""}`,
        },
      }),
    };
  });
  const same =
    files.length > 1 && new Set(files.map((file) => JSON.stringify(overlapHistogram(file)))).size === 1;
  return figure({
    panels: same
      ? panels.slice(0, 1).map((panel) => ({ ...panel, title: "Overlap", unit: "problems" }))
      : panels,
    caption: `Problems by the overlap (${listWords([...new Set(files.map(({ measure }) => measure))])}) between their wrong and their correct responses' intermediate results: far right, a wrong response parts from a correct one late. Problems that are solved every time or cannot be judged are not in the histogram. Model ${listWords([...new Set(files.map(({ model }) => model))])}.`,
  });
}

function filterTable(files: DifferenceFile[]): SafeHtml {
  return table({
    columns: [
      { title: "filter", align: "left" },
      { title: "mode", align: "left" },
      { title: "threshold" },
      { title: "low" },
      { title: "high" },
      { title: "undetermined" },
      { title: "solved" },
      { title: "kept" },
      { title: "dropped" },
    ],
    rows: files.map(({ stage, mode, threshold, counts }) => ({
      cells: [
        stage,
        mode,
        formatNumber(threshold, 3),
        formatCount(counts.low),
        formatCount(counts.high),
        formatCount(counts.undetermined),
        formatCount(counts.solved),
        formatCount(counts.kept),
        formatCount(counts.dropped),
      ],
    })),
    caption:
      "Problems per bucket. Undetermined: too few steps or no correct response to compare with. Solved: no wrong response, nothing left to learn.",
  });
}

/** RL runs by the mode of the filter their problems come from. */
function runsByMode(context: ReportContext): { run: TrainingRun; mode: string }[] {
  const modes = new Map(context.records.difference.map((file) => [file.stage, file.mode]));
  return context.training.flatMap((run) => {
    const mode = run.filters.map((filter) => modes.get(filter)).find((found) => found !== undefined);
    return mode === undefined ? [] : [{ run, mode }];
  });
}

const MODE_LABEL: Record<string, string> = {
  low: "low difference",
  high: "high difference",
  curriculum: "low difference first",
  mixed: "all with right and wrong responses",
  random: "as many drawn from both",
};

function entropyChange(run: TrainingRun): string {
  const { first, last, window } = summarizeTraining(run);
  const before = first["entropy"];
  const after = last["entropy"];
  if (before === undefined || after === undefined) return "entropy not recorded";
  const change = before === 0 ? "" : `, ${formatNumber((after / before - 1) * 100, 0)}%`;
  return `${formatNumber(before, 3)} to ${formatNumber(after, 3)} nats between the first and last ${window} steps${change}`;
}

function entropyFigure(context: ReportContext): SafeHtml {
  const runs = runsByMode(context);
  if (runs.length === 0)
    return html`<p class="missing">No RL stage trains on the output of a difference filter, so there are no low- and high-difference runs to compare; an <code>rl</code> stage with <code>problems</code> naming the filter makes one.</p>
`;
  const window = smoothingWindow(runs.map(({ run }) => run));
  const colour = (mode: string): string => (mode === "high" ? HIGH : mode === "low" ? LOW : "var(--muted)");
  const curves = (key: string) =>
    runs.map(({ run, mode }) => ({
      label: MODE_LABEL[mode] ?? mode,
      colour: colour(mode),
      points: seriesOf(run, key, false),
    }));
  const hasBoth = runs.some(({ mode }) => mode === "low") && runs.some(({ mode }) => mode === "high");
  const caption = [
    "RL continued on each subset; faint every step, bold a centred moving average.",
    ...runs.map(
      ({ run, mode }) => `Entropy with ${MODE_LABEL[mode] ?? mode} (${run.stage}): ${entropyChange(run)}.`,
    ),
    hasBoth
      ? "One run each: a faster fall of one curve is a description of these two runs, not a finding, and training accuracies are on different problems."
      : "The other subset was not trained on in this recipe, so nothing is compared.",
    `Seed ${context.records.recipe.seed ?? "not recorded"}.`,
  ];
  return figure({
    panels: [
      {
        title: "Entropy",
        unit: "nats per token",
        chart: drawCurves(context.kit, { title: "Entropy by subset", curves: curves("entropy"), window }),
      },
      {
        title: "Training accuracy",
        unit: "% of sampled responses",
        chart: drawCurves(context.kit, {
          title: "Training accuracy by subset",
          curves: curves("accuracy"),
          window,
          scale: 100,
        }),
      },
    ],
    caption: caption.join(" "),
  });
}

/** The section. */
export function differenceSection(context: ReportContext): Section {
  const { difference } = context.records;
  const id = "difference-filter";
  const title = "Difference filter";
  if (difference.length === 0)
    return missing(id, title, "no stage left a difference.json", "difference_filter");
  const body = html`${filterFigure(context, difference)}${filterTable(difference)}${reasonsTable(difference)}${divergenceFigure(context, difference)}${divergenceExamplesOf(difference)}<h3>Training on low- and high-difference problems</h3>
${entropyFigure(context)}`;
  return { id, title, body };
}
