/**
 * Values with intervals over a small whole-number scale that has a middle, for example steps before and after the one
 * where two responses part: a line of dots per series, with a level at which nothing happens.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis, valueAxis } from "./axes.ts";
import { type ChartKit, INK, MUTED, PANEL_WIDTH, SURFACE, spreadLabels } from "./render.ts";

export interface OffsetSeries {
  label: string;
  colour: string;
  points: { offset: number; estimate: Estimate }[];
  /** Drawn thin and dashed, without intervals: something to compare with. */
  faint?: boolean;
}

export interface OffsetsOptions {
  title: string;
  series: OffsetSeries[];
  /** Upper end of the y axis, which begins at 0. */
  yMax: number;
  /** Level drawn as a line, with what it means. */
  level: { value: number; text: string };
  axisLabel: string;
  /** Names the offset 0. */
  middle: string;
}

const HEIGHT = 280;
const MARGIN = { top: 22, right: 112, bottom: 44, left: 36 };
const LABEL_GAP = 15;
/** Series stand side by side within one step of the axis. */
const DODGE = 0.09;

/** Draws one panel; undefined when no series has a point. */
export function drawOffsets(kit: ChartKit, options: OffsetsOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { yMax, level } = options;
  const series = options.series.filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  const offsets = series.flatMap(({ points }) => points.map(({ offset }) => offset));
  const [first, last] = [Math.min(...offsets, 0), Math.max(...offsets, 0)];
  const inside = (value: number): number => Math.min(yMax, Math.max(0, value));
  const lines = series.map((entry, i) => {
    const shift = entry.faint ? 0 : (i - (series.length - 1) / 2) * DODGE;
    const points = entry.points.map(({ offset, estimate }) => ({
      x: offset + shift,
      y: inside(estimate.value),
      low: inside(estimate.low),
      high: inside(estimate.high),
      colour: entry.colour,
    }));
    return { ...entry, drawn: points };
  });
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const labels = spreadLabels(
    lines.map(({ drawn }) => MARGIN.top + plotHeight * (1 - drawn[drawn.length - 1]!.y / yMax)),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  );
  const labelled = lines.map(({ label, colour }, i) => ({
    label,
    colour,
    y: (1 - (labels[i]! - MARGIN.top) / plotHeight) * yMax,
  }));
  const strong = lines.filter(({ faint }) => !faint).flatMap(({ drawn }) => drawn);
  const description = series
    .map(
      ({ label, points }) =>
        `${label} ${points.map(({ offset, estimate }) => `${formatNumber(offset, 0)}: ${formatNumber(estimate.value, 2)}`).join(", ")}`,
    )
    .join("; ");
  return kit.render(`${options.title}: ${description}`, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { domain: [first - 0.4, last + 0.4], label: null },
    y: { domain: [0, yMax], label: null },
    color: { type: "identity" },
    marks: [
      ...valueAxis(kit),
      bottomAxis(kit, options.axisLabel, {
        ticks: Array.from({ length: last - first + 1 }, (_, i) => first + i),
        tickFormat: (offset: number) => (offset > 0 ? `+${offset}` : formatNumber(offset, 0)),
      }),
      Plot.ruleX([0], { stroke: MUTED, strokeWidth: 1, strokeDasharray: "2 3" }),
      Plot.text([options.middle], {
        x: 0,
        frameAnchor: "top",
        dy: -14,
        text: (text: string) => text,
        fill: MUTED,
      }),
      Plot.ruleY([level.value], { stroke: INK, strokeWidth: 1 }),
      Plot.text([level.text], {
        x: first - 0.4,
        y: level.value,
        text: (text: string) => text,
        textAnchor: "start",
        dx: 3,
        dy: -7,
        fill: MUTED,
        stroke: SURFACE,
        strokeWidth: 4,
      }),
      ...lines.map(({ drawn, colour, faint }) =>
        Plot.line(drawn, {
          x: "x",
          y: "y",
          stroke: colour,
          strokeWidth: faint ? 1.2 : 2.2,
          strokeDasharray: faint ? "4 3" : undefined,
        }),
      ),
      Plot.ruleX(strong, {
        x: "x",
        y1: "low",
        y2: "high",
        stroke: "colour",
        strokeWidth: 3,
        strokeLinecap: "round",
        strokeOpacity: 0.4,
      }),
      Plot.dot(strong, { x: "x", y: "y", fill: "colour", r: 3.6, stroke: SURFACE, strokeWidth: 1.2 }),
      Plot.text(labelled, {
        x: () => last + 0.4,
        y: "y",
        text: "label",
        fill: "colour",
        textAnchor: "start",
        dx: 6,
        fontWeight: 600,
      }),
    ],
  });
}
