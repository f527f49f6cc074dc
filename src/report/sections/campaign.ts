/**
 * A campaign as a whole: training curves over all rounds with the boundaries marked, what the sweeps of the rounds saw,
 * a row per round, and every decision with its evidence. A run without a campaign has no such section.
 */
import type { CampaignRound, DecisionsFile } from "../../recipe/result-files.ts";
import { measureName } from "../../recipe/temperature/describe.ts";
import { SERIES_COLOURS } from "../charts/axes.ts";
import { drawBars } from "../charts/bars.ts";
import { type Curve, drawCurves, type StepBand } from "../charts/curves.ts";
import { drawTemperatureOverlay } from "../charts/temperature-overlay.ts";
import { figure, type Panel, type Section, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatNumber, formatShare, listWords, plural } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { roundName } from "../read-campaigns.ts";
import { seriesOf, summarizeTraining, type TrainingRun, trainedSteps } from "../training-runs.ts";
import { smoothingWindow } from "./curves.ts";
import { decisionsTable, endWords } from "./decisions.ts";

const COLOUR = "var(--arm-grpo)";
const VALIDATION = "var(--arm-core)";
const LIMIT = "var(--muted)";
const VALIDATION_KEY = /^val\/(.+)\/avg@(\d+)$/;

type Point = { step: number; value: number };

/** Last step of a round on the campaign's axis, as far as it has come. */
function lastStepOf({ stepsBefore, steps }: CampaignRound, run: TrainingRun): number {
  return steps === null ? Math.max(stepsBefore, run.steps.at(-1)?.step ?? 0) : stepsBefore + steps;
}

/** Rounds as marked stretches of the step axis: number, temperature, limit, problems, and why it ended. */
export function roundBands(
  rounds: readonly CampaignRound[],
  run: TrainingRun,
  detailed: boolean,
): StepBand[] {
  return rounds.map((round) => ({
    from: round.stepsBefore + 0.5,
    to: lastStepOf(round, run) + 0.5,
    lines: detailed
      ? [
          `round ${round.round}`,
          `T ${round.temperature}`,
          `${formatCount(round.maxNewTokens)} tok`,
          `${formatCount(round.problems)} prob.`,
          endWords(round.stopped),
        ]
      : [`round ${round.round}`],
  }));
}

/** A curve per round, so that no average runs across a boundary; the last carries the label. */
function curvesByRound(
  rounds: readonly CampaignRound[],
  points: readonly Point[],
  colour: string,
  label = "",
): Curve[] {
  return rounds.map(({ round, stepsBefore }, i) => ({
    label: round === rounds.length ? label : "",
    colour,
    points: points.filter(
      ({ step }) =>
        (i === 0 || step > stepsBefore) && step <= (rounds[i + 1]?.stepsBefore ?? Number.POSITIVE_INFINITY),
    ),
  }));
}

/** Mean over the benchmarks validated at a step. */
function validationPoints(run: TrainingRun): Point[] {
  return run.steps.flatMap(({ step, values }) => {
    const own = Object.entries(values).flatMap(([key, value]) => (VALIDATION_KEY.test(key) ? [value] : []));
    return own.length === 0 ? [] : [{ step, value: own.reduce((a, b) => a + b, 0) / own.length }];
  });
}

function trainingFigure(context: ReportContext, file: DecisionsFile, run: TrainingRun): SafeHtml {
  const { kit } = context;
  const { rounds } = file;
  const window = Math.min(
    ...rounds.map((round) =>
      smoothingWindow([
        { ...run, steps: run.steps.filter(({ values }) => values["campaign/round"] === round.round) },
      ]),
    ),
  );
  const panel = (
    title: string,
    unit: string,
    curves: Curve[],
    options: { scale?: number; window?: number; detailed?: boolean } = {},
  ): Panel => ({
    title,
    unit,
    chart: drawCurves(kit, {
      title: `${title}, ${unit}`,
      curves,
      window: options.window ?? window,
      bands: roundBands(rounds, run, options.detailed ?? false),
      ...(options.scale === undefined ? {} : { scale: options.scale }),
    }),
  });
  const measured = (key: string): Curve[] => curvesByRound(rounds, seriesOf(run, key, false), COLOUR);
  const limit = seriesOf(run, "campaign/max_new_tokens", false);
  const validation = validationPoints(run);
  const problems = Math.max(...rounds.map((round) => round.problems));
  return figure({
    panels: [
      panel("Training accuracy", "% of sampled responses", measured("accuracy"), {
        scale: 100,
        detailed: true,
      }),
      panel("Validation", "avg@k, %", curvesByRound(rounds, validation, VALIDATION), {
        scale: 100,
        window: 1,
        detailed: true,
      }),
      panel("Entropy", "nats per token", measured("entropy")),
      panel("Response length", "tokens, mean", [
        ...measured("response_length/mean").map((curve, i, all) => ({
          ...curve,
          label: i === all.length - 1 ? "mean" : "",
        })),
        ...curvesByRound(rounds, limit, LIMIT, "limit").map((curve) => ({ ...curve, exact: true })),
      ]),
      panel("Cut at the limit", "% of sampled responses", measured("response_length/clip_ratio"), {
        scale: 100,
      }),
      {
        title: "Problems trained on",
        unit: "per round",
        chart: drawBars(kit, {
          title: "Problems trained on, by round",
          bars: rounds.map(({ round, problems: count }) => ({
            label: String(round),
            value: count,
            colour: COLOUR,
            detail: `round ${round}: ${plural(count, "problem")}`,
          })),
          yMax: problems * 1.15,
          axisLabel: "round",
        }),
      },
    ],
    caption: `Steps count through all rounds; a line stands where one begins. Above each round: its temperature, response limit, problems, and why it ended, where there is room; the table below has them all. Faint: every step; bold: centred moving average over ${window} steps of the same round. Training accuracy is the mean outcome of the sampled batch, and its problems change from round to round; validation keeps its problems, though not always its temperature or limit. One run: curves carry no interval.`,
  });
}

/** What the sweeps of the rounds saw, side by side; nothing without sweeps. */
function sweepsFigure(context: ReportContext, { stage, rounds }: DecisionsFile): SafeHtml {
  const sweeps = rounds.flatMap(({ round }) => {
    const file = context.records.sweeps.find((sweep) => sweep.stage === roundName(stage, round));
    return file === undefined ? [] : [{ round, file }];
  });
  const first = sweeps[0];
  if (first === undefined) return html``;
  const measure = measureName(first.file.conditions);
  const target = sweeps.findLast(({ file }) => file.decision.target !== null)?.file.decision.target
    ?.diversity;
  const panel = (key: "accuracy" | "diversity", title: string): Panel => ({
    title,
    unit: "%, by temperature",
    chart: drawTemperatureOverlay(context.kit, {
      title: `${title} by temperature and round`,
      curves: sweeps.map(({ round, file }, i) => ({
        label: `round ${round}`,
        colour: SERIES_COLOURS[i % SERIES_COLOURS.length] as string,
        chosen: rounds.find((one) => one.round === round)?.temperature ?? file.decision.temperature,
        points: file.points.map((point) => ({ temperature: point.temperature, value: point[key] })),
      })),
      ...(key === "diversity" && target !== undefined ? { target } : {}),
    }),
  });
  return figure({
    panels: [panel("accuracy", "Accuracy"), panel("diversity", `Diversity (${measure})`)],
    caption: html`The sweep before each round, on the same ${plural(first.file.problems.count, "problem")}, with 95% bands; the temperature trained at is ringed. Training makes responses more alike at the same temperature, so the next round climbs${target === undefined ? "" : " until the diversity of round 1 is back"}, unless accuracy collapses first. Zones and intervals: <a href="#temperature">Sampling temperature</a>.`,
  });
}

function roundsTable({ stage, rounds, decisions }: DecisionsFile, run: TrainingRun | undefined): SafeHtml {
  const change = (round: number, key: string, print: (value: number) => string): string => {
    const evidence = decisions.find(
      (one) => one.round === round && one.decision === "end_of_training",
    )?.evidence;
    const [from, to] = [evidence?.[`${key}_start`], evidence?.[`${key}_end`]];
    return from === undefined || to === undefined ? "" : `${print(from)} \u2192 ${print(to)}`;
  };
  const trained = trainedSteps(run?.steps ?? []);
  return table({
    columns: [
      { title: "Round", align: "left" },
      { title: "steps" },
      { title: "temperature" },
      { title: "limit, tokens" },
      { title: "problems" },
      { title: "train accuracy, %" },
      { title: "entropy, nats" },
      { title: "cut, %" },
      { title: "ended", align: "left" },
    ],
    rows: rounds.map(({ round, steps, stepsBefore, temperature, maxNewTokens, problems, stopped }) => ({
      cells: [
        String(round),
        steps === null
          ? `${trained.filter(({ step }) => step > stepsBefore).length} so far`
          : `${stepsBefore + 1}\u2013${stepsBefore + steps}`,
        String(temperature),
        formatCount(maxNewTokens),
        formatCount(problems),
        change(round, "accuracy", (value) => formatShare(value)),
        change(round, "entropy", (value) => formatNumber(value, 3)),
        change(round, "clip_ratio", (value) => formatShare(value)),
        stopped === null ? "still training" : endWords(stopped),
      ],
    })),
    caption: html`The rounds of stage <code>${stage}</code>. Arrows: means over the first and the last steps of a round.`,
  });
}

/** The campaign in one sentence. */
function claim(file: DecisionsFile, run: TrainingRun | undefined): string {
  const { rounds } = file;
  const list = (values: readonly (string | number)[]): string =>
    new Set(values).size === 1 ? `${values[0]} throughout` : listWords(values.map(String));
  const training = run === undefined ? undefined : summarizeTraining(run);
  const [from, to] = [training?.first["accuracy"], training?.last["accuracy"]];
  const accuracy =
    from === undefined || to === undefined
      ? ""
      : ` Training accuracy went from ${formatShare(from)}% to ${formatShare(to)}%, over changing problems.`;
  return `${plural(rounds.length, "round")}: temperature ${list(rounds.map(({ temperature }) => temperature))}; response limit in tokens ${list(rounds.map(({ maxNewTokens }) => formatCount(maxNewTokens)))}; problems ${list(rounds.map(({ problems }) => formatCount(problems)))}.${accuracy}`;
}

/** The section, or none when no stage left a decisions.json. */
export function campaignSections(context: ReportContext): Section[] {
  const files = context.records.decisions.filter(({ decisions }) => decisions.length > 0);
  if (files.length === 0) return [];
  const body = html`${files.map((file) => {
    const run = context.training.find(({ stage }) => stage === file.stage);
    const finished = file.rounds.every(({ stopped }) => stopped !== null);
    return html`${files.length > 1 ? html`<h3>${file.stage}</h3>` : ""}${
      file.rounds.length === 0 ? "" : html`<p class="claim">${claim(file, run)}</p>`
    }${run === undefined || file.rounds.length === 0 ? "" : trainingFigure(context, file, run)}${
      file.rounds.length === 0 ? "" : roundsTable(file, run)
    }${sweepsFigure(context, file)}${decisionsTable(file, finished)}`;
  })}`;
  return [{ id: "campaign", title: "The campaign, round by round", body }];
}
