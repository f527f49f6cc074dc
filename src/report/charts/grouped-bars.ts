/**
 * Bars in groups, one bar per arm, with 95% intervals where there are any: accuracy by length, accuracy on single problems.
 * The key stands in the caption's table or above; colours are those of the arms everywhere.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { valueAxis } from "./axes.ts";
import { type ChartKit, INK, MUTED, PANEL_WIDTH } from "./render.ts";

export interface BarSeries {
  label: string;
  colour: string;
  /** One per group; null = nothing there. */
  values: (Estimate | null)[];
}

export interface GroupedBarsOptions {
  title: string;
  /** Labels of the groups, in order. */
  groups: string[];
  series: BarSeries[];
  /** Multiplies values for display: 100 for per cent. */
  scale: number;
  yMax: number;
  axisLabel: string;
  /** Groups that carry their label, when there are too many for all. */
  ticks?: string[];
}

const HEIGHT = 250;
/** Share of a group's width that stays free. */
const GAP = 0.16;

/** Draws one panel; undefined when there is no bar. */
export function drawGroupedBars(kit: ChartKit, options: GroupedBarsOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { groups, series, scale } = options;
  if (groups.length === 0 || series.length === 0) return undefined;
  const width = (1 - GAP) / series.length;
  const bars = groups.flatMap((group, g) =>
    series.flatMap(({ label, colour, values }, s) => {
      const estimate = values[g] ?? null;
      if (estimate === null || !Number.isFinite(estimate.value)) return [];
      const x1 = g + GAP / 2 + s * width;
      const detail = `${label}, ${group}: ${formatNumber(estimate.value * scale, 1)}`;
      return [
        {
          x1,
          x2: x1 + width * 0.92,
          x: x1 + width * 0.46,
          y: estimate.value * scale,
          low: estimate.low * scale,
          high: estimate.high * scale,
          colour,
          detail,
        },
      ];
    }),
  );
  if (bars.length === 0) return undefined;
  const ranges = bars.filter(({ low, high }) => low !== high);
  const labels = groups
    .map((label, g) => ({ label, x: g + 0.5 }))
    .filter(({ label }) => options.ticks === undefined || options.ticks.includes(label));
  return kit.render(`${options.title}: ${bars.map(({ detail }) => detail).join("; ")}`, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: 12,
    marginBottom: 42,
    marginLeft: 44,
    marginRight: 8,
    x: { domain: [0, groups.length], axis: null },
    y: { domain: [0, options.yMax], label: null },
    color: { type: "identity" },
    marks: [
      ...valueAxis(kit),
      Plot.rect(bars, { x1: "x1", x2: "x2", y1: () => 0, y2: "y", fill: "colour", title: "detail" }),
      // A bar of height zero is a result too: a thin foot keeps it from looking like a missing one.
      Plot.ruleY(bars, { x1: "x1", x2: "x2", y: () => 0, stroke: "colour", strokeWidth: 2 }),
      Plot.ruleX(ranges, { x: "x", y1: "low", y2: "high", stroke: INK, strokeWidth: 1, strokeOpacity: 0.75 }),
      Plot.text(labels, { x: "x", y: () => 0, text: "label", dy: 13, fill: MUTED }),
      Plot.text([options.axisLabel], { frameAnchor: "bottom", dy: 34, fill: MUTED }),
    ],
  });
}
