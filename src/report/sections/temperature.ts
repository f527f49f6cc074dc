/**
 * Temperature sweeps: accuracy and diversity over temperature with the zones, what was chosen and why, and the numbers
 * behind it. A run without a sweep has no such section.
 */
import { describeDecision, describeResolution, measureName } from "../../recipe/temperature/describe.ts";
import type { SweepFile, ZoneName } from "../../recipe/temperature/sweep-file.ts";
import { armShortLabel } from "../arms.ts";
import { drawTemperatureCurve } from "../charts/temperature-curve.ts";
import { figure, type Section, table, valueWithInterval } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatCount, formatNumber, formatRange, formatShare, hasInterval } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { temperatureOverview } from "./temperature-overview.ts";
import { zoneBands } from "./temperature-zones.ts";

/** Sweeps shown; a recipe has one per training stage. */
const MAX_SWEEPS = 20;

const ZONE_WORDS: Record<ZoneName, string> = {
  low: "below",
  robust: "robust",
  exploration: "exploration",
  collapse: "collapse",
};
function numbersTable(file: SweepFile): SafeHtml {
  const { points, decision } = file;
  const zones = new Map(decision.zones.points.map(({ temperature, zone }) => [temperature, zone]));
  const estimate = (value: SweepFile["points"][number]["accuracy"]): SafeHtml =>
    valueWithInterval(
      formatShare(value.value),
      hasInterval(value) ? formatRange(value.low * 100, value.high * 100, 1) : undefined,
    );
  return table({
    columns: [
      { title: "Temperature", align: "left" },
      { title: "zone", align: "left" },
      { title: "accuracy, %" },
      { title: `${measureName(file.conditions)}, %` },
      { title: "entropy, nats" },
      { title: "length, tokens" },
      { title: "cut, %" },
    ],
    rows: points.map((point) => ({
      cells: [
        point.temperature === decision.temperature ? `${point.temperature} (chosen)` : `${point.temperature}`,
        ZONE_WORDS[zones.get(point.temperature) ?? "low"],
        estimate(point.accuracy),
        estimate(point.diversity),
        point.entropy === null ? "" : formatNumber(point.entropy, 3),
        formatCount(point.lengthTokens),
        formatShare(point.truncated),
      ],
      emphasis: point.temperature === decision.temperature,
    })),
    caption: html`Stage <code>${file.stage}</code>, model <code>${file.model}</code>: ${formatCount(file.problems.count)} problems × ${formatCount(file.conditions.samplesPerProblem)} responses per temperature with the same seeds, at most ${formatCount(file.conditions.sampling.maxNewTokens)} tokens, seed ${file.seed}. Intervals are 95%, clustered by problem.`,
  });
}

function sweepPart(context: ReportContext, file: SweepFile): SafeHtml {
  const { points, decision } = file;
  const bands = zoneBands(file);
  const model = armShortLabel(context.armOf(file.model));
  const matched = context.records.sweeps.find(({ stage }) => stage === decision.target?.of);
  const other = (key: "accuracy" | "diversity") =>
    matched === undefined
      ? {}
      : {
          reference: {
            label: matched.stage,
            points: matched.points.map((point) => ({
              temperature: point.temperature,
              value: point[key].value,
            })),
          },
        };
  const panel = (key: "accuracy" | "diversity", title: string, colour: string) => ({
    title,
    unit: "%",
    chart: drawTemperatureCurve(context.kit, {
      title: `${title} of ${file.model}`,
      points: points.map((point) => ({ temperature: point.temperature, value: point[key] })),
      colour,
      bands,
      chosen: decision.temperature,
      ...other(key),
      ...(key === "diversity" && decision.target !== null ? { target: decision.target.diversity } : {}),
    }),
  });
  const { robustTolerance, explorationShare, peak } = decision.zones;
  const seen = describeResolution(decision);
  return html`<h3>${file.stage}${model === "" ? "" : `: ${model}`}</h3>
<p class="claim">${describeDecision(decision, measureName(file.conditions), file.search)}</p>
${seen === "" ? "" : html`<p>${seen}</p>\n`}${decision.warnings.length === 0 ? "" : html`<ul class="findings">${decision.warnings.map((warning) => html`<li>${warning}</li>\n`)}</ul>\n`}${figure(
  {
    panels: [
      panel("accuracy", "Accuracy", "var(--arm-grpo)"),
      panel("diversity", measureName(file.conditions), "var(--arm-core)"),
    ],
    caption: `Bands: 95% intervals. Shaded: RGZ, the robust generation zone (within ${formatShare(robustTolerance)} points of the peak of ${formatShare(peak.accuracy)} at ${peak.temperature}), CEZ, controlled exploration (at least ${formatShare(explorationShare, 0)}% of the peak), PCZ, performance collapse, beyond. Dashed vertical line: the chosen temperature.${matched === undefined ? "" : ` Dashed curve: the same of ${matched.model} (${matched.stage}).`}`,
  },
)}${numbersTable(file)}`;
}

/** The section, or none when no stage left a sweep.json. */
export function temperatureSections(context: ReportContext): Section[] {
  const files = context.records.sweeps.slice(0, MAX_SWEEPS);
  if (files.length === 0) return [];
  return [
    {
      id: "temperature",
      title: "Sampling temperature",
      body: html`${temperatureOverview(context)}${files.map((file) => sweepPart(context, file))}`,
    },
  ];
}
