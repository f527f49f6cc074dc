/**
 * Health of the process reward: whether consensus sets exist and grow, whether correct responses match them more than
 * wrong ones do (when that gap closes the reward has stopped meaning anything), and how often it pays.
 */
import { armShortLabel } from "../arms.ts";
import { type Curve, drawCurves } from "../charts/curves.ts";
import { figure, missing, type Section } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatNumber, listWords } from "../format.ts";
import { html } from "../html.ts";
import { rewardOf } from "../recipe-view.ts";
import { seriesOf, type TrainingRun, trainedSteps } from "../training-runs.ts";
import { curvesOf, smoothingWindow } from "./curves.ts";

/** Runs that were ever paid by their consensus sets; plain GRPO keeps sets too, for comparison, and is left out. */
function coreRuns(context: ReportContext): TrainingRun[] {
  return context.training.filter((run) =>
    run.steps.some(({ values }) => (values["reward/process_nonzero"] ?? 0) > 0),
  );
}

/** Which rule paid, and where the sets began, from the recipe. */
function ruleSentence(context: ReportContext, run: TrainingRun): string {
  const { preset, seeds } = rewardOf(context.records.recipe, run.stage);
  if (preset === undefined) return "";
  const began =
    seeds.length === 0
      ? "its sets begin empty"
      : `its sets begin with the correct responses of ${listWords(seeds.map(({ id, kind }) => `${id} (${kind})`))}`;
  return `${run.stage} uses the rule ${preset}; ${began}.`;
}

function meanOfLast(points: { value: number }[], count: number): number {
  const last = points.slice(-count);
  return last.length === 0 ? Number.NaN : last.reduce((sum, { value }) => sum + value, 0) / last.length;
}

/** One sentence per run on the gap between right and wrong responses over the last steps. */
function gapSentence(run: TrainingRun): string {
  const right = meanOfLast(seriesOf(run, "consensus/ratio_right"), 10);
  const wrong = meanOfLast(seriesOf(run, "consensus/ratio_wrong"), 10);
  if (!Number.isFinite(right) || !Number.isFinite(wrong)) return "";
  const gap = right - wrong;
  const steps = Math.min(10, trainedSteps(run.steps).length);
  return `In ${run.stage}, correct responses of the last ${steps} steps match ${formatNumber(right * 100, 0)}% of the set and wrong ones ${formatNumber(wrong * 100, 0)}%${gap <= 0 ? "; the gap has closed, so the process reward no longer tells right from wrong" : ""}.`;
}

/** The section. */
export function healthSection(context: ReportContext): Section {
  const id = "process-reward";
  const title = "Health of the process reward";
  const runs = coreRuns(context);
  if (runs.length === 0)
    return {
      id,
      title,
      body: missing("consensus metrics, because no RL stage used the CORE reward", "rl"),
    };
  const window = smoothingWindow(runs);
  const { kit } = context;
  const gapCurves: Curve[] = runs.flatMap((run) => [
    {
      label: runs.length > 1 ? `right, ${armShortLabel(run.arm)}`.slice(0, 16) : "right",
      colour: context.colourOf(run.arm),
      points: seriesOf(run, "consensus/ratio_right"),
    },
    {
      label: runs.length > 1 ? `wrong, ${armShortLabel(run.arm)}`.slice(0, 16) : "wrong",
      colour: context.colourOf(run.arm),
      points: seriesOf(run, "consensus/ratio_wrong"),
      dash: "5 3",
    },
  ]);
  const sentences = [...runs.map((run) => ruleSentence(context, run)), ...runs.map(gapSentence)].filter(
    (text) => text !== "",
  );
  const body = figure({
    panels: [
      {
        title: "Match with the consensus set",
        unit: "%, right and wrong responses",
        chart: drawCurves(kit, {
          title: "Match with the consensus set, %",
          curves: gapCurves,
          window,
          scale: 100,
          yMax: 100,
        }),
      },
      {
        title: "Process reward paid",
        unit: "% of responses",
        chart: drawCurves(kit, {
          title: "Responses with a process reward, %",
          curves: curvesOf(context, runs, "reward/process_nonzero"),
          window,
          scale: 100,
        }),
      },
      {
        title: "Size of consensus sets",
        unit: "results, mean",
        chart: drawCurves(kit, {
          title: "Size of consensus sets",
          curves: curvesOf(context, runs, "consensus/size_mean"),
          window,
        }),
      },
      {
        title: "Problems without a set",
        unit: "% of batch",
        chart: drawCurves(kit, {
          title: "Problems without a consensus set, %",
          curves: curvesOf(context, runs, "consensus/empty_share"),
          window,
          scale: 100,
        }),
      },
    ],
    caption: `Solid: correct responses, dashed: wrong ones, in the first panel. ${sentences.join(" ")} Correct responses are scored for this picture only; they are paid 1 whatever they match.`,
  });
  return { id, title, body: html`${body}` };
}
