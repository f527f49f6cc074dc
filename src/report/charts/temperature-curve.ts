/**
 * One curve over temperature with its 95% band, the zones shaded behind it and a line at the chosen temperature; for a
 * matched sweep also the curve it is matched to and the target. Zones end at probed temperatures, where they are known.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis, targetLine, temperatureDomain, valueAxis } from "./axes.ts";
import { type ChartKit, INK, MUTED, niceCeiling, PANEL_WIDTH, SURFACE } from "./render.ts";

/** A stretch of temperatures. */
export interface ZoneBand {
  name: string;
  colour: string;
  from: number;
  to: number;
}

export interface TemperatureCurveOptions {
  title: string;
  points: readonly { temperature: number; value: Estimate }[];
  colour: string;
  bands: readonly ZoneBand[];
  chosen: number;
  /** Curve of another sweep, drawn faint. */
  reference?: { label: string; points: readonly { temperature: number; value: number }[] };
  /** Value to reach, in 0..1. */
  target?: number;
}

const HEIGHT = 250;
const MARGIN = { top: 32, right: 14, bottom: 42, left: 44 };
/** Pixels a zone needs for its name. */
const LETTER_WIDTH = 7;

/** Draws one panel; undefined when there is no point. */
export function drawTemperatureCurve(kit: ChartKit, options: TemperatureCurveOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { chosen, colour, reference, target } = options;
  const points = options.points.map(({ temperature, value }) => ({
    x: temperature,
    y: value.value * 100,
    low: value.low * 100,
    high: value.high * 100,
  }));
  if (points.length === 0) return undefined;
  const other = (reference?.points ?? []).map(({ temperature, value }) => ({
    x: temperature,
    y: value * 100,
  }));
  const xs = [...points, ...other].map(({ x }) => x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const { domain, padding } = temperatureDomain(xs);
  const goal = target === undefined ? [] : [target * 100];
  const highest = Math.max(...points.map(({ high }) => high), ...other.map(({ y }) => y), ...goal);
  const yMax = Math.min(100, niceCeiling(highest));
  const perPixel = (domain[1] - domain[0]) / (PANEL_WIDTH - MARGIN.left - MARGIN.right);
  const bands = options.bands.map(({ from, to, ...band }) => ({
    ...band,
    // A zone of one point, or one that goes on beyond the last, still gets some room.
    x1: Math.max(domain[0], from === to || from <= least ? from - padding : from),
    x2: Math.min(domain[1], from === to || to >= most ? to + padding : to),
  }));
  const named = bands.filter(({ name, x1, x2 }) => (x2 - x1) / perPixel > name.length * LETTER_WIDTH);
  const description = `${options.title}: ${points.map(({ x, y }) => `${formatNumber(y, 1)} at temperature ${x}`).join("; ")}; chosen ${chosen}; ${bands.map(({ name, x1, x2 }) => `${name} ${formatNumber(x1, 2)} to ${formatNumber(x2, 2)}`).join(", ")}`;
  return kit.render(description, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { domain, label: null },
    y: { domain: [0, yMax], label: null },
    color: { type: "identity" },
    marks: [
      Plot.rect(bands, {
        x1: "x1",
        x2: "x2",
        y1: () => 0,
        y2: () => yMax,
        fill: "colour",
        fillOpacity: 0.12,
      }),
      ...valueAxis(kit),
      bottomAxis(kit, "temperature", { ticks: 6 }),
      Plot.text(named, {
        x: (d) => (d.x1 + d.x2) / 2,
        frameAnchor: "top",
        dy: -11,
        text: "name",
        fill: "colour",
        fontWeight: 600,
      }),
      ...(other.length === 0
        ? []
        : [
            Plot.line(other, { x: "x", y: "y", stroke: MUTED, strokeWidth: 1.6, strokeDasharray: "5 4" }),
            Plot.dot(other, { x: "x", y: "y", fill: SURFACE, stroke: MUTED, r: 2.8, strokeWidth: 1.4 }),
          ]),
      ...goal.flatMap((y) => targetLine(kit, y, domain[1], "end")),
      Plot.ruleX([chosen], { stroke: INK, strokeWidth: 1.4, strokeDasharray: "4 3" }),
      Plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.18 }),
      Plot.line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2.2 }),
      ...(points.length === 1
        ? [
            Plot.ruleX(points, {
              x: "x",
              y1: "low",
              y2: "high",
              stroke: colour,
              strokeWidth: 3,
              strokeOpacity: 0.5,
            }),
          ]
        : []),
      Plot.dot(points, {
        x: "x",
        y: "y",
        fill: colour,
        r: (d) => (d.x === chosen ? 5.5 : 3.2),
        stroke: SURFACE,
        strokeWidth: 1.2,
      }),
    ],
  });
}
