/**
 * Learning curves of the RL stages: training accuracy, validation, entropy and response length per arm, and the table
 * of where each run began and ended. Runs of the two regimes are drawn apart.
 */
import { armLabel, armShortLabel, lineageLabel } from "../arms.ts";
import { type Regime, regimeOf, regimeTitle } from "../benchmark-groups.ts";
import { type Curve, drawCurves } from "../charts/curves.ts";
import { armTag, figure, missing, type Panel, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDuration, formatLargeCount, formatNumber, formatShare, listWords } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { seriesOf, summarizeTraining, type TrainingRun } from "../training-runs.ts";

const VALIDATION_KEY = /^val\/(.+)\/avg@(\d+)$/;

/** Window of the moving average: a twelfth of the longest run, odd, between 3 and 25 steps. */
export function smoothingWindow(runs: readonly TrainingRun[]): number {
  const longest = Math.max(...runs.map(({ steps }) => steps.length), 0);
  const window = Math.min(25, Math.max(3, Math.round(longest / 12)));
  return window % 2 === 1 ? window : window + 1;
}

/** Curves of one metric; a label is the arm, with its stage where two runs share an arm. */
export function curvesOf(context: ReportContext, runs: readonly TrainingRun[], key: string): Curve[] {
  return runs.map((run) => ({
    label: labelOf(runs, run),
    colour: context.colourOf(run.arm),
    points: seriesOf(run, key),
  }));
}

function labelOf(runs: readonly TrainingRun[], run: TrainingRun): string {
  const shared = runs.some((other) => other !== run && other.arm === run.arm);
  return shortened(shared ? run.stage : armShortLabel(run.arm));
}

/** A label must fit beside the panel. */
function shortened(label: string): string {
  return label.length > 16 ? `${label.slice(0, 15)}\u2026` : label;
}

/** Validation benchmarks of the runs, by regime. */
function validationKeys(
  runs: readonly TrainingRun[],
): { regime: Regime; keys: string[]; samples: string[] }[] {
  const keys = new Set<string>();
  for (const run of runs)
    for (const step of run.steps)
      for (const key of Object.keys(step.values)) if (VALIDATION_KEY.test(key)) keys.add(key);
  return (["short", "sparse"] as const)
    .map((regime) => {
      const own = [...keys].sort().filter((key) => regimeOf(VALIDATION_KEY.exec(key)?.[1] ?? "") === regime);
      return {
        regime,
        keys: own,
        samples: [...new Set(own.map((key) => VALIDATION_KEY.exec(key)?.[2] ?? ""))],
      };
    })
    .filter(({ keys: own }) => own.length > 0);
}

/** Mean of several metrics at the steps that have all of them. */
function meanSeries(run: TrainingRun, keys: readonly string[]): { step: number; value: number }[] {
  return run.steps.flatMap(({ step, values }) => {
    const numbers = keys.map((key) => values[key]);
    if (numbers.some((value) => value === undefined || !Number.isFinite(value))) return [];
    return [
      { step: step + run.offset, value: (numbers as number[]).reduce((a, b) => a + b, 0) / keys.length },
    ];
  });
}

function regimeFigure(context: ReportContext, runs: TrainingRun[]): SafeHtml {
  const { kit } = context;
  const window = smoothingWindow(runs);
  const validation = validationKeys(runs);
  const panels: Panel[] = [
    {
      title: "Training accuracy",
      unit: "% of sampled responses",
      chart: drawCurves(kit, {
        title: "Training accuracy, %",
        curves: curvesOf(context, runs, "accuracy"),
        window,
        scale: 100,
      }),
    },
    ...validation.map(({ regime, keys, samples }) => ({
      title: validation.length === 1 ? "Validation" : `Validation, ${regimeTitle(regime).toLowerCase()}`,
      unit: `avg@${samples.join("/")}, %`,
      chart: drawCurves(kit, {
        title: `Validation accuracy, ${regimeTitle(regime)}, %`,
        curves: runs.map((run) => ({
          label: labelOf(runs, run),
          colour: context.colourOf(run.arm),
          points: meanSeries(run, keys),
        })),
        window: 1,
        scale: 100,
      }),
    })),
    {
      title: "Entropy",
      unit: "nats per token",
      chart: drawCurves(kit, { title: "Entropy, nats", curves: curvesOf(context, runs, "entropy"), window }),
    },
    {
      title: "Response length",
      unit: "tokens, mean",
      chart: drawCurves(kit, {
        title: "Response length, tokens",
        curves: curvesOf(context, runs, "response_length/mean"),
        window,
      }),
    },
    {
      title: "Cut at the token limit",
      unit: "% of sampled responses",
      chart: drawCurves(kit, {
        title: "Responses cut at the limit, %",
        curves: curvesOf(context, runs, "response_length/clip_ratio"),
        window,
        scale: 100,
      }),
    },
  ];
  const continued = runs.filter((run) => run.offset > 0);
  const lineages = continued.map((run) => lineageLabel(context.records.recipe, run.stage));
  const caption = [
    `Faint: every step; bold: centred moving average over ${window} steps. Training accuracy is the mean outcome of the sampled batch, before any substitution, and holds no process reward; its problems are those each arm trains on, which filtering changes, so compare arms by validation. Entropy is that of the rollouts at their temperature.`,
    validation.length === 0 ? "The recipe has no validation during training." : "",
    continued.length === 0
      ? ""
      : `${listWords(continued.map((run) => labelOf(runs, run)))} ${continued.length === 1 ? "begins where the run it continues" : "begin where the run they continue"} ends (${lineages.join("; ")}).`,
    `Seed ${context.records.recipe.seed ?? "not recorded"}, one run per arm: curves carry no interval.`,
  ];
  return figure({ panels, caption: caption.filter((sentence) => sentence !== "").join(" ") });
}

/** First and last steps of each run in numbers. */
function trainingTable(context: ReportContext): SafeHtml {
  const { records, training } = context;
  const change = (
    first: number | undefined,
    last: number | undefined,
    print: (value: number) => string,
  ): string => (first === undefined || last === undefined ? "" : `${print(first)} \u2192 ${print(last)}`);
  const window = Math.max(...training.map((run) => summarizeTraining(run).window));
  return table({
    columns: [
      { title: "RL stage", align: "left" },
      { title: "steps" },
      { title: "train accuracy, %" },
      { title: "entropy, nats" },
      { title: "length, tokens" },
      { title: "format kept, %" },
      { title: "tokens sampled" },
      { title: "time" },
    ],
    rows: training.map((run) => {
      const { steps, first, last, totals } = summarizeTraining(run);
      const seconds = records.timings
        .filter(({ stage }) => stage === run.stage)
        .reduce((sum, { values }) => sum + (values["seconds"] ?? Number.NaN), 0);
      const name = armLabel(run.arm) + (run.arm === run.stage ? "" : ` (${run.stage})`);
      return {
        cells: [
          armTag(name, context.colourOf(run.arm)),
          String(steps),
          change(first["accuracy"], last["accuracy"], (value) => formatShare(value)),
          change(first["entropy"], last["entropy"], (value) => formatNumber(value, 3)),
          change(first["response_length/mean"], last["response_length/mean"], (value) =>
            formatNumber(value, 0),
          ),
          change(first["format/compliance"], last["format/compliance"], (value) => formatShare(value, 0)),
          totals["tokens/sampled"] === undefined ? "" : formatLargeCount(totals["tokens/sampled"]),
          seconds > 0 ? formatDuration(seconds) : "",
        ],
      };
    }),
    caption: `Means over the first and the last steps of each run, at most ${window} at each end. Format kept: responses with as many marked steps as the format asks for. Time is the wall time of the steps on this machine; it is not part of any comparison.`,
  });
}

/** The section. */
export function curvesSection(context: ReportContext): Section {
  const { training } = context;
  if (training.length === 0)
    return missing("learning-curves", "Learning curves", "metrics.jsonl has no line with an accuracy", "rl");
  const regimes = (["short", "sparse"] as const)
    .map((regime) => training.filter((run) => run.regime === regime))
    .filter((runs) => runs.length > 0);
  const campaigns = new Set(
    context.records.decisions.flatMap(({ stage, rounds }) => (rounds.length > 0 ? [stage] : [])),
  );
  const body = html`${regimes.map((runs) =>
    runs.every(({ stage }) => campaigns.has(stage)) && runs.length === 1
      ? html`<p>The curves of ${runs[0]!.stage}, with its rounds marked, stand under <a href="#campaign">the campaign</a>.</p>`
      : html`${regimes.length > 1 ? html`<h3>${regimeTitle(runs[0]!.regime)}</h3>` : ""}${regimeFigure(context, runs)}`,
  )}${trainingTable(context)}`;
  return { id: "learning-curves", title: "Learning curves", body };
}
