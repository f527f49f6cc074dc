/**
 * Curves of several policies over temperature in one frame, each with its 95% band, its name at its end and a ring at the
 * temperature chosen for it: how training moved accuracy and diversity. Zones are another picture, `zone-bars.ts`.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis, shortLabel, targetLine, temperatureDomain, valueAxis } from "./axes.ts";
import { type ChartKit, INK, niceCeiling, PANEL_WIDTH, SURFACE, spreadLabels } from "./render.ts";

/** One policy's curve. */
export interface OverlayCurve {
  label: string;
  colour: string;
  /** Ascending temperatures; values in 0..1. */
  points: readonly { temperature: number; value: Estimate }[];
  chosen: number;
}

export interface TemperatureOverlayOptions {
  title: string;
  curves: readonly OverlayCurve[];
  /** Value to reach, in 0..1. */
  target?: number;
}

const HEIGHT = 270;
const MARGIN = { top: 14, right: 96, bottom: 42, left: 44 };
const LABEL_GAP = 14;
/** Characters of a name beside its curve. */
const MAX_LABEL = 13;

/** Draws one panel; undefined when no curve has a point. */
export function drawTemperatureOverlay(
  kit: ChartKit,
  { title, curves, target }: TemperatureOverlayOptions,
): SafeHtml | undefined {
  const { Plot } = kit;
  const drawn = curves
    .filter(({ points }) => points.length > 0)
    .map(({ points, ...curve }) => ({
      ...curve,
      rows: points.map(({ temperature, value }) => ({
        x: temperature,
        y: value.value * 100,
        low: value.low * 100,
        high: value.high * 100,
      })),
    }));
  if (drawn.length === 0) return undefined;
  const all = drawn.flatMap(({ rows }) => rows);
  const { domain } = temperatureDomain(all.map(({ x }) => x));
  const goal = target === undefined ? [] : [target * 100];
  const yMax = Math.min(100, niceCeiling(Math.max(...all.map(({ high }) => high), ...goal)));
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const ends = drawn.map(({ rows, ...curve }) => ({ ...curve, end: rows.at(-1) as (typeof rows)[number] }));
  const labels = spreadLabels(
    ends.map(({ end }) => MARGIN.top + plotHeight * (1 - Math.min(1, end.y / yMax))),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  );
  const named = ends.map((curve, i) => ({
    ...curve,
    text: shortLabel(curve.label, MAX_LABEL),
    y: (1 - ((labels[i] as number) - MARGIN.top) / plotHeight) * yMax,
  }));
  const description = drawn
    .map(
      ({ label, rows, chosen }) =>
        `${label}: ${rows.map(({ x, y }) => `${formatNumber(y, 1)} at ${x}`).join(", ")}; chosen ${chosen}`,
    )
    .join("; ");
  return kit.render(`${title} over temperature: ${description}`, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { domain, label: null },
    y: { domain: [0, yMax], label: null },
    marks: [
      ...valueAxis(kit),
      bottomAxis(kit, "temperature", { ticks: 6 }),
      ...goal.flatMap((y) => targetLine(kit, y, domain[0], "start")),
      ...drawn.map(({ rows, colour }) =>
        Plot.areaY(rows, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.13 }),
      ),
      // A leader joins a name to the end of a curve that stops early.
      Plot.link(named, {
        x1: (d) => d.end.x,
        y1: (d) => d.end.y,
        x2: () => domain[1],
        y2: "y",
        stroke: (d) => d.colour,
        strokeWidth: 1,
        strokeDasharray: "1 3",
      }),
      ...drawn.flatMap(({ rows, colour, chosen }) => [
        Plot.line(rows, { x: "x", y: "y", stroke: colour, strokeWidth: 2.2 }),
        Plot.dot(rows, { x: "x", y: "y", fill: colour, r: 3.2, stroke: SURFACE, strokeWidth: 1.2 }),
        Plot.dot(
          rows.filter(({ x }) => x === chosen),
          { x: "x", y: "y", r: 7, stroke: INK, strokeWidth: 1.6, fill: "none" },
        ),
      ]),
      Plot.text(named, {
        x: () => domain[1],
        y: "y",
        text: "text",
        textAnchor: "start",
        dx: 5,
        fill: (d) => d.colour,
        fontWeight: 600,
      }),
    ],
  });
}
