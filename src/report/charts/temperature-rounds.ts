/**
 * The sweeps of several rounds in one panel: a curve over temperature per round, later ones stronger, the chosen
 * temperature of each ringed, and the value they are matched to. Source: recipe A4.3, after figure 8 of the report.
 */
import type { SafeHtml } from "../html.ts";
import {
  type ChartKit,
  GRID,
  INK,
  MUTED,
  niceCeiling,
  PANEL_WIDTH,
  SURFACE,
  spreadLabels,
} from "./render.ts";

/** One round's curve; values in 0..1. */
export interface RoundCurve {
  round: number;
  points: readonly { temperature: number; value: number }[];
  chosen: number;
}

export interface TemperatureRoundsOptions {
  title: string;
  rounds: readonly RoundCurve[];
  colour: string;
  /** Value to reach, in 0..1. */
  target?: number;
}

const HEIGHT = 250;
const MARGIN = { top: 14, right: 66, bottom: 42, left: 44 };
const LABEL_GAP = 14;
/** Strength of the first round's curve; the last has 1. */
const FAINTEST = 0.35;
const LEAST_PADDING = 0.02;
const PADDING = 0.05;

/** Draws one panel; undefined when no round has a point. */
export function drawTemperatureRounds(
  kit: ChartKit,
  options: TemperatureRoundsOptions,
): SafeHtml | undefined {
  const { Plot } = kit;
  const { colour, target } = options;
  const drawn = options.rounds.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return undefined;
  const rounds = drawn.map(({ round, points, chosen }, i) => ({
    round,
    chosen,
    strength: FAINTEST + (1 - FAINTEST) * ((i + 1) / drawn.length),
    points: points
      .map(({ temperature, value }) => ({ x: temperature, y: value * 100 }))
      .sort((a, b) => a.x - b.x),
  }));
  const all = rounds.flatMap(({ points }) => points);
  const goal = target === undefined ? [] : [target * 100];
  const [least, most] = [Math.min(...all.map(({ x }) => x)), Math.max(...all.map(({ x }) => x))];
  const padding = Math.max(LEAST_PADDING, (most - least) * PADDING);
  const yMax = Math.min(100, niceCeiling(Math.max(...all.map(({ y }) => y), ...goal)));
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const ends = rounds.map(({ points }) => points.at(-1) as { x: number; y: number });
  const labels = spreadLabels(
    ends.map(({ y }) => MARGIN.top + plotHeight * (1 - y / yMax)),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  ).map((pixel, i) => ({
    text: `round ${rounds[i]?.round}`,
    end: ends[i] as { x: number; y: number },
    y: (1 - (pixel - MARGIN.top) / plotHeight) * yMax,
    strength: rounds[i]?.strength ?? 1,
  }));
  const description = rounds
    .map(
      ({ round, points, chosen }) =>
        `round ${round}: ${points.map(({ x, y }) => `${y.toFixed(1)} at ${x}`).join(", ")}, chosen ${chosen}`,
    )
    .join("; ");
  return kit.render(`${options.title}: ${description}`, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { domain: [least - padding, most + padding], label: null },
    y: { domain: [0, yMax], label: null },
    color: { type: "identity" },
    marks: [
      Plot.gridY({ stroke: GRID, strokeOpacity: 1, ticks: 5 }),
      Plot.axisY({ ticks: 5, tickSize: 0, color: MUTED, label: null }),
      Plot.axisX({
        ticks: 6,
        tickSize: 4,
        color: MUTED,
        label: "temperature",
        labelAnchor: "center",
        labelArrow: "none",
      }),
      ...goal.flatMap((y) => [
        Plot.ruleY([y], { stroke: INK, strokeWidth: 1.2, strokeDasharray: "2 3" }),
        Plot.text([`target ${y.toFixed(1)}`], {
          x: () => most + padding,
          y: () => y,
          textAnchor: "end",
          dx: -4,
          dy: -7,
          fill: INK,
          stroke: SURFACE,
          strokeWidth: 4,
        }),
      ]),
      ...rounds.flatMap(({ points, chosen, strength }) => [
        Plot.line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2.2, strokeOpacity: strength }),
        Plot.dot(points, { x: "x", y: "y", fill: colour, fillOpacity: strength, r: 3, stroke: SURFACE }),
        Plot.dot(
          points.filter(({ x }) => x === chosen),
          { x: "x", y: "y", stroke: INK, r: 6, strokeWidth: 1.8 },
        ),
      ]),
      Plot.link(labels, {
        x1: (d) => d.end.x,
        y1: (d) => d.end.y,
        x2: () => most + padding,
        y2: "y",
        stroke: colour,
        strokeOpacity: 0.5,
        strokeDasharray: "1 3",
      }),
      Plot.text(labels, {
        x: () => most + padding,
        y: "y",
        text: "text",
        textAnchor: "start",
        dx: 6,
        fill: colour,
        fillOpacity: (d) => Math.max(0.7, d.strength),
        fontWeight: 600,
      }),
    ],
  });
}
