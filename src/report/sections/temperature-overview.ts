/**
 * All sweeps of a run in one figure: accuracy and diversity of every policy over temperature, and how far its zones
 * reach. Only sweeps drawn alike share a frame: distinct-n of other problems or lengths is another quantity.
 */
import { differingConditions, measureName } from "../../recipe/temperature/describe.ts";
import type { SweepFile } from "../../recipe/temperature/sweep-file.ts";
import { pairedDifference } from "../../stats/index.ts";
import { armShortLabel } from "../arms.ts";
import { SERIES_COLOURS } from "../charts/axes.ts";
import { drawTemperatureOverlay } from "../charts/temperature-overlay.ts";
import { drawZoneBars } from "../charts/zone-bars.ts";
import { figure, table } from "../components.ts";
import type { ReportContext } from "../context.ts";
import { formatDifference, formatNumber } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";
import { zoneBands } from "./temperature-zones.ts";

/** Curves one can tell apart in a frame. */
const MAX_CURVES = SERIES_COLOURS.length;

/** Sweeps drawn alike, in their order; those that stand alone are left out. */
export function comparableSweeps(files: readonly SweepFile[]): SweepFile[][] {
  const groups: SweepFile[][] = [];
  for (const file of files) {
    const group = groups.find(
      ([first]) => first !== undefined && differingConditions(first.conditions, file.conditions).length === 0,
    );
    if (group === undefined) groups.push([file]);
    else if (group.length < MAX_CURVES) group.push(file);
  }
  return groups.filter((group) => group.length > 1);
}

/** What a later policy changed at a temperature both tried, paired by problem. */
function changes(group: readonly SweepFile[], labels: readonly string[]): SafeHtml {
  const [first, ...later] = group as [SweepFile, ...SweepFile[]];
  const samples = first.conditions.samplesPerProblem;
  const rows = later.flatMap((file, i) =>
    file.points.flatMap((point) => {
      const before = first.points.find(({ temperature }) => temperature === point.temperature);
      if (before === undefined) return [];
      const paired = (values: (one: typeof point) => number[]) => {
        const named = (one: typeof point) =>
          values(one).map((value, k) => ({ id: file.problems.ids[k] as string, value }));
        return formatDifference(pairedDifference(named(point), named(before)));
      };
      const entropy =
        point.entropy === null || before.entropy === null
          ? ""
          : `${formatNumber(before.entropy, 3)} to ${formatNumber(point.entropy, 3)}`;
      return [
        {
          cells: [
            `${labels[i + 1]} at ${point.temperature}`,
            paired(({ correct }) => correct.map((solved) => solved / samples)),
            paired(({ distinct }) => [...distinct]),
            entropy,
          ],
        },
      ];
    }),
  );
  if (rows.length === 0) return html``;
  return table({
    columns: [
      { title: "Policy and temperature", align: "left" },
      { title: "accuracy, points" },
      { title: `${measureName(first.conditions)}, points` },
      { title: "entropy, nats" },
    ],
    rows,
    caption: html`Against ${labels[0]} at the same temperature on the same problems, with 95% intervals paired by problem.`,
  });
}

/** One figure per group of comparable sweeps; nothing for a run with one sweep. */
export function temperatureOverview(context: ReportContext): SafeHtml {
  const groups = comparableSweeps(context.records.sweeps);
  return html`${groups.map((group) => {
    const labels = group.map(({ model, stage }) => {
      const name = armShortLabel(context.armOf(model)) || model;
      const shared = group.some((other) => other.stage !== stage && other.model === model);
      return shared ? `${name}, ${stage}` : name;
    });
    const measure = measureName((group[0] as SweepFile).conditions);
    const target = group.find(({ decision }) => decision.target !== null)?.decision.target?.diversity;
    const overlay = (key: "accuracy" | "diversity") =>
      drawTemperatureOverlay(context.kit, {
        title: key === "accuracy" ? "Accuracy" : measure,
        curves: group.map(({ points, decision }, i) => ({
          label: labels[i] as string,
          colour: SERIES_COLOURS[i] as string,
          points: points.map((point) => ({ temperature: point.temperature, value: point[key] })),
          chosen: decision.temperature,
        })),
        ...(key === "diversity" && target !== undefined ? { target } : {}),
      });
    return html`<h3>All policies</h3>
${figure({
  panels: [
    { title: "Accuracy", unit: "%", chart: overlay("accuracy") },
    { title: measure, unit: "%", chart: overlay("diversity") },
    {
      title: "Zones",
      unit: "sampling temperature",
      chart: drawZoneBars(context.kit, {
        title: "Zones",
        rows: group.map((file, i) => ({
          label: labels[i] as string,
          bands: zoneBands(file),
          chosen: file.decision.temperature,
        })),
      }),
    },
  ],
  caption:
    "Every policy on the same problems with the same seeds. Bands: 95% intervals, clustered by problem. Rings and upright marks: the temperature chosen for each. A search tries no temperature below the one it starts at, so its zones begin there.",
})}${changes(group, labels)}`;
  })}`;
}
