/**
 * Health of the process reward: whether consensus sets exist and grow, whether correct responses match them more than
 * wrong ones do (when that gap closes the reward has stopped meaning anything), how often it pays, and what gained most.
 */
import { healthAlarms } from "../../consensus/index.ts";
import { armShortLabel } from "../arms.ts";
import { type Curve, drawCurves } from "../charts/curves.ts";
import { figure, missing, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatNumber, listWords } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
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

/** What the alarms of `consensus/health-alarms.ts` say of each run at its end; nothing is said of healthy ones. */
function alarmList(runs: readonly TrainingRun[]): SafeHtml {
  const lines = runs.flatMap((run) =>
    // Steps as on the axes below: a run that continues another one goes on counting.
    healthAlarms(
      trainedSteps(run.steps).map(({ step, values }) => ({ step: step + run.offset, values })),
    ).map(({ message }) => `${run.stage}: ${message}.`),
  );
  if (lines.length === 0) return html``;
  return html`<p>At the end of these runs:</p>
<ul class="alarms">${lines.map(
    (line) => html`<li>${line}</li>
`,
  )}</ul>
`;
}

/** Results with the most new votes, shown per run. */
const GAINERS_SHOWN = 5;

/** The results of each run's sets that won most votes at its end. */
function gainersTable(context: ReportContext, runs: readonly TrainingRun[]): SafeHtml {
  const files = runs.flatMap(
    (run) =>
      context.records.gainers.find(({ stage, results }) => stage === run.stage && results.length > 0) ?? [],
  );
  if (files.length === 0) return html``;
  return table({
    columns: [
      { title: "Run", align: "left" },
      { title: "Result", align: "left" },
      { title: "Problem", align: "left" },
      { title: "New votes" },
      { title: "Support" },
    ],
    rows: files.flatMap(({ stage, results }) =>
      results.slice(0, GAINERS_SHOWN).map(({ problem, form, gain, support }) => ({
        cells: [stage, html`<code>${form}</code>`, problem, formatNumber(gain, 0), formatNumber(support, 0)],
      })),
    ),
    caption: `Results of the consensus sets that won most votes over the last ${files[0]?.batches} batches of each run, at most ${GAINERS_SHOWN} of each. New votes: correct responses that reached the result in those batches; support: all that ever did. A result here that says nothing about its problem is how a trick to earn process reward begins.`,
  });
}

/** The section. */
export function healthSection(context: ReportContext): Section {
  const id = "process-reward";
  const title = "Health of the process reward";
  const runs = coreRuns(context);
  if (runs.length === 0) return missing(id, title, "no RL stage used the CORE reward", "rl");
  const window = smoothingWindow(runs);
  const { kit } = context;
  const rightAndWrong = (metric: string): Curve[] =>
    runs.flatMap((run) =>
      (["right", "wrong"] as const).map((side) => ({
        label: runs.length > 1 ? `${side}, ${armShortLabel(run.arm)}`.slice(0, 16) : side,
        colour: context.colourOf(run.arm),
        points: seriesOf(run, `${metric}_${side}`),
        dash: side === "wrong" ? "5 3" : undefined,
      })),
    );
  const sentences = [...runs.map((run) => ruleSentence(context, run)), ...runs.map(gapSentence)].filter(
    (text) => text !== "",
  );
  const charts = figure({
    panels: [
      {
        title: "Match with the consensus set",
        unit: "%, right and wrong responses",
        chart: drawCurves(kit, {
          title: "Match with the consensus set, %",
          curves: rightAndWrong("consensus/ratio"),
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
      {
        title: "Process reward among all reward",
        unit: "%",
        chart: drawCurves(kit, {
          title: "Process reward among all reward, %",
          curves: curvesOf(context, runs, "reward/process_share"),
          window,
          scale: 100,
        }),
      },
      {
        title: "Underlined steps",
        unit: "per response, right and wrong",
        chart: drawCurves(kit, {
          title: "Underlined steps per response",
          curves: rightAndWrong("consensus/spans"),
          window,
        }),
      },
    ],
    caption: `Where a panel shows both, correct responses are solid and wrong ones dashed. ${sentences.join(" ")} Correct responses are scored for this picture only; they are paid 1 whatever they match.`,
  });
  return { id, title, body: html`${alarmList(runs)}${charts}${gainersTable(context, runs)}` };
}
