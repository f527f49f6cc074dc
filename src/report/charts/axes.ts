/** Axes and marks that charts share: the value axis with its grid, the labelled axis below, temperatures, a target. */
import { formatNumber } from "../format.ts";
import { type ChartKit, GRID, INK, MUTED, SURFACE } from "./render.ts";

/** Grid lines and numbers of the vertical axis. */
export function valueAxis({ Plot }: ChartKit, ticks = 5) {
  return [
    Plot.gridY({ stroke: GRID, strokeOpacity: 1, ticks }),
    Plot.axisY({ ticks, tickSize: 0, color: MUTED, label: null }),
  ];
}

export interface BottomAxisOptions {
  /** How many, or which. Default: 5. */
  ticks?: number | number[];
  tickFormat?: (value: number) => string;
  /** Pixels. Default: 4. */
  tickSize?: number;
}

/** The horizontal axis, its label in the middle below it. */
export function bottomAxis({ Plot }: ChartKit, label: string, options: BottomAxisOptions = {}) {
  const { ticks = 5, tickSize = 4, ...rest } = options;
  return Plot.axisX({
    ...rest,
    ticks,
    tickSize,
    color: MUTED,
    label,
    labelAnchor: "center",
    labelArrow: "none",
  });
}

/** Room beside the first and last temperature, as a share of their distance; at least this much temperature. */
const PADDING = 0.05;
const LEAST_PADDING = 0.02;

/** Ends of a temperature axis around what was tried, and the room it leaves on either side. */
export function temperatureDomain(temperatures: readonly number[]): {
  domain: [number, number];
  padding: number;
} {
  const [least, most] = [Math.min(...temperatures), Math.max(...temperatures)];
  const padding = Math.max(LEAST_PADDING, (most - least) * PADDING);
  return { domain: [least - padding, most + padding], padding };
}

/** A dashed line at a value to reach, named at one of its ends. */
export function targetLine({ Plot }: ChartKit, y: number, x: number, end: "start" | "end") {
  return [
    Plot.ruleY([y], { stroke: INK, strokeWidth: 1.2, strokeDasharray: "2 3" }),
    Plot.text([`target ${formatNumber(y, 1)}`], {
      x: () => x,
      y: () => y,
      textAnchor: end,
      dx: end === "end" ? -4 : 4,
      dy: -7,
      fill: INK,
      stroke: SURFACE,
      strokeWidth: 4,
    }),
  ];
}

/** A name that fits beside its line or bar; a longer one ends in an ellipsis. */
export function shortLabel(label: string, maxCharacters: number): string {
  return label.length > maxCharacters ? `${label.slice(0, maxCharacters - 1)}\u2026` : label;
}

/** Colours of curves that are told apart by their names, in order; more than these cannot be told apart in a frame. */
export const SERIES_COLOURS = [
  "var(--arm-sft)",
  "var(--arm-grpo)",
  "var(--arm-core)",
  "var(--arm-filtered)",
  "var(--arm-distilled)",
  "var(--arm-base)",
] as const;
