/**
 * Values with their intervals as dots on lines, one row per label, the numbers written beside them: the form in which
 * two overlapping intervals look as undecided as they are.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis, shortLabel } from "./axes.ts";
import { type ChartKit, GRID, INK, PANEL_WIDTH, SURFACE } from "./render.ts";

/** One row. */
export interface RangeRow {
  label: string;
  colour: string;
  estimate: Estimate;
}

export interface RangesOptions {
  title: string;
  rows: RangeRow[];
  /** Range of the x axis in display units. */
  domain: [number, number];
  /** Multiplies values for display: 100 for per cent. */
  scale: number;
  axisLabel: string;
  /** Draws a line at zero, for differences, and signs the numbers. */
  zero?: boolean;
}

const ROW_HEIGHT = 30;
/** Longest label drawn; a longer one ends in an ellipsis. */
const MAX_LABEL_CHARACTERS = 26;

/** Room for the longest label at 12 pixels, in pixels; wide enough for a generous system font. */
function labelWidth(labels: readonly string[]): number {
  return Math.max(60, 14 + 6.9 * Math.max(...labels.map((label) => label.length)));
}

/** Draws one panel; undefined when no row has a finite value. */
export function drawRanges(kit: ChartKit, options: RangesOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const rows = options.rows
    .filter(({ estimate }) => Number.isFinite(estimate.value))
    .map(({ label, colour, estimate }, i) => {
      const value = estimate.value * options.scale;
      const sign = options.zero && Number(value.toFixed(1)) > 0 ? "+" : "";
      return {
        key: `${i}`,
        label: shortLabel(label, MAX_LABEL_CHARACTERS),
        colour,
        value,
        low: estimate.low * options.scale,
        high: estimate.high * options.scale,
        text: `${sign}${formatNumber(value, 1)}`,
      };
    });
  if (rows.length === 0) return undefined;
  const labels = new Map(rows.map(({ key, label }) => [key, label]));
  const marginTop = 6;
  const marginBottom = 38;
  return kit.render(
    `${options.title}: ${rows.map(({ label, text, low, high }) => `${label} ${text} (${formatNumber(low, 1)} to ${formatNumber(high, 1)})`).join("; ")}`,
    {
      width: PANEL_WIDTH,
      height: marginTop + marginBottom + rows.length * ROW_HEIGHT,
      marginTop,
      marginBottom,
      marginLeft: labelWidth(rows.map(({ label }) => label)),
      marginRight: 20,
      x: { domain: options.domain, label: null },
      y: { type: "band", domain: rows.map(({ key }) => key), label: null, padding: 0 },
      color: { type: "identity" },
      marks: [
        Plot.gridX({ stroke: GRID, strokeOpacity: 1, ticks: 5 }),
        bottomAxis(kit, options.axisLabel, { tickSize: 0 }),
        ...(options.zero ? [Plot.ruleX([0], { stroke: INK, strokeWidth: 1 })] : []),
        Plot.axisY({
          tickSize: 0,
          color: INK,
          tickFormat: (key: string) => labels.get(key) ?? "",
          label: null,
        }),
        Plot.ruleY(rows, {
          y: "key",
          x1: "low",
          x2: "high",
          stroke: "colour",
          strokeWidth: 3,
          strokeLinecap: "round",
          strokeOpacity: 0.55,
        }),
        Plot.dot(rows, { y: "key", x: "value", fill: "colour", r: 5, stroke: SURFACE, strokeWidth: 1.5 }),
        Plot.text(rows, {
          y: "key",
          x: "value",
          text: "text",
          dy: -11,
          fill: INK,
          fontWeight: 600,
          stroke: SURFACE,
          strokeWidth: 4,
        }),
      ],
    },
  );
}

/** Common range of an axis in display units over several panels, with room for the numbers at the ends. */
export function rangeDomain(
  estimates: readonly Estimate[],
  scale: number,
  fromZero: boolean,
): [number, number] {
  const ends = estimates.flatMap(({ low, high, value }) => [low, high, value]).filter(Number.isFinite);
  const low = Math.min(...ends, 0) * scale;
  const high = Math.max(...ends, 0) * scale;
  const room = Math.max((high - low) * 0.06, 0.5);
  // A little room on the left keeps a dot at zero off the labels.
  return [fromZero ? -room / 2 : low - room, high + room];
}
