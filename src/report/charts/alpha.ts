/**
 * Accuracy over the merge weight: a line with its interval as a band, the ends named, the chosen weight marked.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { valueAxis } from "./axes.ts";
import { type ChartKit, INK, MUTED, PANEL_WIDTH, SURFACE } from "./render.ts";

export interface AlphaChartOptions {
  points: { alpha: number; accuracy: Estimate }[];
  chosen: number;
}

const COLOUR = "var(--arm-merged)";

/** Draws the panel; undefined without points. */
export function drawAlpha(kit: ChartKit, options: AlphaChartOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const points = options.points.map(({ alpha, accuracy }) => ({
    alpha,
    value: accuracy.value * 100,
    low: accuracy.low * 100,
    high: accuracy.high * 100,
  }));
  if (points.length === 0) return undefined;
  const low = Math.min(...points.map((point) => point.low));
  const high = Math.max(...points.map((point) => point.high));
  const room = Math.max((high - low) * 0.15, 1);
  const chosen = points.find(({ alpha }) => Math.abs(alpha - options.chosen) < 1e-9);
  return kit.render(
    `Accuracy over alpha: ${points.map(({ alpha, value }) => `${alpha}: ${formatNumber(value, 1)}%`).join("; ")}`,
    {
      width: PANEL_WIDTH,
      height: 270,
      marginTop: 16,
      marginBottom: 52,
      marginLeft: 44,
      marginRight: 20,
      x: { domain: [0, 1], label: null },
      y: { domain: [Math.max(0, low - room), Math.min(100, high + room)], label: null },
      marks: [
        ...valueAxis(kit, 4),
        Plot.axisX({ ticks: 5, tickSize: 4, color: MUTED, label: null }),
        Plot.areaY(points, { x: "alpha", y1: "low", y2: "high", fill: COLOUR, fillOpacity: 0.16 }),
        Plot.line(points, { x: "alpha", y: "value", stroke: COLOUR, strokeWidth: 2.2 }),
        Plot.dot(points, { x: "alpha", y: "value", fill: COLOUR, r: 3.2, stroke: SURFACE, strokeWidth: 1 }),
        ...(chosen === undefined
          ? []
          : [
              Plot.dot([chosen], { x: "alpha", y: "value", stroke: INK, strokeWidth: 1.8, r: 6.5 }),
              Plot.text([chosen], {
                x: "alpha",
                y: "value",
                text: ({ value }) => `chosen ${formatNumber(value, 1)}`,
                dy: -16,
                fill: INK,
                fontWeight: 600,
                stroke: SURFACE,
                strokeWidth: 4,
              }),
            ]),
        Plot.text([{ x: 0, text: "distilled" }], {
          x: "x",
          text: "text",
          frameAnchor: "bottom",
          dy: 38,
          textAnchor: "start",
          fill: "var(--arm-distilled)",
          fontWeight: 600,
        }),
        Plot.text([{ x: 0.5, text: "\u03b1" }], {
          x: "x",
          text: "text",
          frameAnchor: "bottom",
          dy: 38,
          fill: MUTED,
        }),
        Plot.text([{ x: 1, text: "large base" }], {
          x: "x",
          text: "text",
          frameAnchor: "bottom",
          dy: 38,
          textAnchor: "end",
          fill: "var(--arm-large)",
          fontWeight: 600,
        }),
      ],
    },
  );
}
