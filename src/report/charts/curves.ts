/**
 * A training curve per arm: raw values faint, a centred moving average bold, the arm's name at the end of its line.
 * Steps are gradient steps; a run that continues another begins where that one ends. Rounds of a campaign are marked.
 */
import type { SafeHtml } from "../html.ts";
import { bottomAxis, valueAxis } from "./axes.ts";
import { type ChartKit, MUTED, niceCeiling, PANEL_WIDTH, SURFACE, spreadLabels } from "./render.ts";

/** One line of a panel. */
export interface Curve {
  label: string;
  colour: string;
  points: { step: number; value: number }[];
  /** SVG dash pattern of the smoothed line; solid when absent. */
  dash?: string;
  /** True for values that are set, not measured: drawn as they are. */
  exact?: boolean;
}

/** A stretch of steps with a name, for example a round of a campaign. */
export interface StepBand {
  from: number;
  to: number;
  /** Shown above the stretch, each line where it fits. */
  lines: readonly string[];
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
  /** Marked one after the other, with a line where one begins. */
  bands?: readonly StepBand[];
}

/** Most raw points drawn per line; longer runs are averaged into this many bins. */
const MAX_POINTS = 400;
const HEIGHT = 260;
const MARGIN = { top: 14, right: 104, bottom: 36, left: 44 };
const LABEL_GAP = 14;
/** Right margin where no curve has a label. */
const BARE_RIGHT = 14;
const BAND_LINE = 13;
/** Pixels a letter of a band's text needs. */
const LETTER_WIDTH = 6.2;

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
      const smooth = thinCurve(smoothCurve(points, curve.exact ? 1 : window)).map(({ step, value }) => ({
        step,
        value: value * scale,
      }));
      return { ...curve, raw, smooth };
    })
    .filter(({ raw }) => raw.length > 0);
  if (curves.length === 0) return undefined;
  const all = curves.flatMap(({ raw }) => raw);
  const yMax = options.yMax ?? niceCeiling(Math.max(...all.map(({ value }) => value)));
  // With bands, panels of metrics that are logged more rarely keep the axis of the others.
  const bandSteps = (options.bands ?? []).flatMap(({ from, to }) => [Math.ceil(from), Math.floor(to)]);
  const firstStep = Math.min(...all.map(({ step }) => step), ...bandSteps);
  const lastStep = Math.max(...all.map(({ step }) => step), ...bandSteps, firstStep + 1);

  const named = curves.filter(({ label }) => label !== "");
  const right = named.length === 0 ? BARE_RIGHT : MARGIN.right;
  const bands = placeBands(options.bands ?? [], [firstStep, lastStep], PANEL_WIDTH - MARGIN.left - right);
  const top = MARGIN.top + BAND_LINE * Math.max(0, ...bands.map(({ lines }) => lines.length));
  const height = HEIGHT - MARGIN.top + top;
  const plotHeight = height - top - MARGIN.bottom;
  const toPixel = (value: number): number => top + plotHeight * (1 - Math.min(1, value / yMax));
  const toValue = (pixel: number): number => (1 - (pixel - top) / plotHeight) * yMax;
  const ends = named.map(({ smooth }) => smooth[smooth.length - 1]!);
  const labels = spreadLabels(
    ends.map(({ value }) => toPixel(value)),
    LABEL_GAP,
    top,
    height - MARGIN.bottom,
  );

  return kit.render(
    `${options.title}: ${(named.length > 0 ? named : curves.slice(-1)).map(({ label, smooth }) => `${label} ends at ${smooth[smooth.length - 1]!.value.toPrecision(3)}`.trim()).join("; ")}${bands.map(({ lines, x1, x2 }) => `; ${lines.join(", ")} from step ${Math.ceil(x1)} to ${Math.floor(x2)}`).join("")}`,
    {
      height,
      marginTop: top,
      marginRight: right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain: [firstStep, lastStep], label: null },
      y: { domain: [0, yMax], label: null },
      marks: [
        ...bandMarks(kit, bands, yMax),
        ...valueAxis(kit, 4),
        bottomAxis(kit, "step"),
        ...(window > 1
          ? curves
              .filter(({ exact }) => !exact)
              .map(({ raw, colour }) =>
                Plot.line(raw, {
                  x: "step",
                  y: "value",
                  stroke: colour,
                  strokeWidth: 1,
                  strokeOpacity: 0.28,
                }),
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
          : curves
              .filter(({ exact }) => !exact)
              .map(({ raw, colour }) =>
                Plot.dot(raw, { x: "step", y: "value", fill: colour, r: 3, stroke: SURFACE, strokeWidth: 1 }),
              )),
        // A thin leader joins a label that had to move to the end of its line.
        Plot.link(
          named.map((curve, i) => ({ curve, end: ends[i]!, y: toValue(labels[i]!) })),
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
          named.map((curve, i) => ({ ...curve, y: toValue(labels[i]!) })),
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

interface PlacedBand {
  x1: number;
  x2: number;
  shown: boolean;
  lines: readonly string[];
  /** Lines that fit above the band, empty where one does not. */
  fitting: string[];
}

/** Bands as far as the axis shows them, every second one to be shaded. */
function placeBands(
  bands: readonly StepBand[],
  [first, last]: readonly [number, number],
  pixels: number,
): PlacedBand[] {
  return bands.map(({ from, to, lines }, i) => {
    const x1 = Math.max(first, from);
    const x2 = Math.min(last, to);
    const room = ((x2 - x1) / (last - first)) * pixels;
    const fitting = lines.map((line) => (line.length * LETTER_WIDTH <= room ? line : ""));
    return { x1, x2, shown: i % 2 === 1, lines, fitting };
  });
}

/** Shading, boundaries and texts of the bands. */
function bandMarks({ Plot }: ChartKit, bands: readonly PlacedBand[], yMax: number) {
  const count = Math.max(0, ...bands.map(({ lines }) => lines.length));
  const row = (i: number) =>
    bands
      .filter(({ fitting, x1, x2 }) => x2 > x1 && (fitting[i] ?? "") !== "")
      .map(({ x1, x2, fitting }) => ({ x: (x1 + x2) / 2, text: fitting[i] as string }));
  return [
    Plot.rect(
      bands.filter(({ shown, x1, x2 }) => shown && x2 > x1),
      { x1: "x1", x2: "x2", y1: 0, y2: yMax, fill: MUTED, fillOpacity: 0.08 },
    ),
    Plot.ruleX(
      bands.slice(1).map(({ x1 }) => x1),
      { stroke: MUTED, strokeWidth: 1, strokeDasharray: "3 3" },
    ),
    ...Array.from({ length: count }, (_, i) =>
      Plot.text(row(i), {
        x: "x",
        text: "text",
        frameAnchor: "top",
        dy: -BAND_LINE * (count - i) - 1,
        fontSize: 11,
        fill: MUTED,
        fontWeight: i === 0 ? 600 : 400,
      }),
    ),
  ];
}
