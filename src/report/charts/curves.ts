/**
 * A training curve per arm: raw values faint, a centred moving average bold, the arm's name at the end of its line.
 * Steps are gradient steps; a run that continues another begins where that one ends.
 */
import type { SafeHtml } from "../html.ts";
import { type ChartKit, GRID, MUTED, niceCeiling, PANEL_WIDTH, SURFACE, spreadLabels } from "./render.ts";

/** One line of a panel. */
export interface Curve {
  label: string;
  colour: string;
  points: { step: number; value: number }[];
  /** SVG dash pattern of the smoothed line; solid when absent. */
  dash?: string;
}

export interface CurvesOptions {
  title: string;
  curves: Curve[];
  /** Points of the moving average; 1 = the values themselves, drawn with dots. */
  window: number;
  /** Fixed range of the y axis; from the data when absent, always from 0. */
  yMax?: number;
  /** Multiplies values for display: 100 for per cent. */
  scale?: number;
}

/** Most raw points drawn per line; longer runs are averaged into this many bins. */
const MAX_POINTS = 400;
const HEIGHT = 260;
const MARGIN = { top: 14, right: 104, bottom: 36, left: 44 };
const LABEL_GAP = 14;

/** Centred moving average; at the ends the window shrinks to what there is. */
export function smoothCurve(points: Curve["points"], window: number): Curve["points"] {
  const half = Math.floor(Math.max(1, window) / 2);
  return points.map(({ step }, i) => {
    const near = points.slice(Math.max(0, i - half), i + half + 1);
    return { step, value: near.reduce((sum, point) => sum + point.value, 0) / near.length };
  });
}

/** Averages neighbouring points until at most `limit` are left. */
export function thinCurve(points: Curve["points"], limit = MAX_POINTS): Curve["points"] {
  if (points.length <= limit) return points;
  const size = Math.ceil(points.length / limit);
  const bins: Curve["points"] = [];
  for (let i = 0; i < points.length; i += size) {
    const bin = points.slice(i, i + size);
    const mean = (key: "step" | "value"): number =>
      bin.reduce((sum, point) => sum + point[key], 0) / bin.length;
    bins.push({ step: mean("step"), value: mean("value") });
  }
  return bins;
}

/** Draws one panel; undefined when no curve has a finite point. */
export function drawCurves(kit: ChartKit, options: CurvesOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { scale = 1, window } = options;
  const curves = options.curves
    .map((curve) => {
      const points = curve.points.filter(({ value }) => Number.isFinite(value));
      const raw = thinCurve(points).map(({ step, value }) => ({ step, value: value * scale }));
      const smooth = thinCurve(smoothCurve(points, window)).map(({ step, value }) => ({
        step,
        value: value * scale,
      }));
      return { ...curve, raw, smooth };
    })
    .filter(({ raw }) => raw.length > 0);
  if (curves.length === 0) return undefined;
  const all = curves.flatMap(({ raw }) => raw);
  const yMax = options.yMax ?? niceCeiling(Math.max(...all.map(({ value }) => value)));
  const firstStep = Math.min(...all.map(({ step }) => step));
  const lastStep = Math.max(...all.map(({ step }) => step), firstStep + 1);

  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const toPixel = (value: number): number => MARGIN.top + plotHeight * (1 - Math.min(1, value / yMax));
  const toValue = (pixel: number): number => (1 - (pixel - MARGIN.top) / plotHeight) * yMax;
  const ends = curves.map(({ smooth }) => smooth[smooth.length - 1]!);
  const labels = spreadLabels(
    ends.map(({ value }) => toPixel(value)),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  );

  return kit.render(
    `${options.title}: ${curves.map(({ label, smooth }) => `${label} ends at ${smooth[smooth.length - 1]!.value.toPrecision(3)}`).join("; ")}`,
    {
      height: HEIGHT,
      marginTop: MARGIN.top,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain: [firstStep, lastStep], label: null },
      y: { domain: [0, yMax], label: null },
      marks: [
        Plot.gridY({ stroke: GRID, strokeOpacity: 1, ticks: 4 }),
        Plot.axisY({ ticks: 4, tickSize: 0, color: MUTED, label: null }),
        Plot.axisX({
          ticks: 5,
          tickSize: 4,
          color: MUTED,
          label: "step",
          labelAnchor: "center",
          labelArrow: "none",
        }),
        ...(window > 1
          ? curves.map(({ raw, colour }) =>
              Plot.line(raw, { x: "step", y: "value", stroke: colour, strokeWidth: 1, strokeOpacity: 0.28 }),
            )
          : []),
        ...curves.map(({ smooth, colour, dash }) =>
          Plot.line(smooth, {
            x: "step",
            y: "value",
            stroke: colour,
            strokeWidth: 2.2,
            strokeDasharray: dash,
          }),
        ),
        ...(window > 1
          ? []
          : curves.map(({ raw, colour }) =>
              Plot.dot(raw, { x: "step", y: "value", fill: colour, r: 3, stroke: SURFACE, strokeWidth: 1 }),
            )),
        // A thin leader joins a label that had to move to the end of its line.
        Plot.link(
          curves.map((curve, i) => ({ curve, end: ends[i]!, y: toValue(labels[i]!) })),
          {
            x1: (d) => d.end.step,
            y1: (d) => d.end.value,
            x2: () => lastStep,
            y2: (d) => d.y,
            stroke: (d) => d.curve.colour,
            strokeWidth: 1,
            strokeOpacity: 0.6,
            strokeDasharray: "1 3",
          },
        ),
        Plot.text(
          curves.map((curve, i) => ({ ...curve, y: toValue(labels[i]!) })),
          {
            x: () => lastStep,
            y: "y",
            text: "label",
            fill: "colour",
            textAnchor: "start",
            dx: 6,
            fontWeight: 600,
          },
        ),
      ],
      color: { type: "identity" },
      width: PANEL_WIDTH,
    },
  );
}
