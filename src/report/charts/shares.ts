/**
 * Shares of a whole, before and after something: a hollow mark for what a part is by size, a filled one with its
 * interval for what it is by effect. The gap between the two is the message.
 */
import type { Estimate } from "../../recipe/result-files.ts";
import { formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis } from "./axes.ts";
import { type ChartKit, GRID, INK, MUTED, PANEL_WIDTH, SURFACE } from "./render.ts";

export interface ShareRow {
  label: string;
  colour: string;
  /** In 0..1. */
  size: number;
  effect: Estimate;
}

export interface SharesOptions {
  title: string;
  /** Groups of rows, each under its name. */
  groups: { name: string; rows: ShareRow[] }[];
  axisLabel: string;
  /** What the two marks mean. */
  names: { size: string; effect: string };
}

const ROW_HEIGHT = 27;
const LABEL_WIDTH = 122;

/** Draws one panel; undefined when there is no row. */
export function drawShares(kit: ChartKit, options: SharesOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const lines = options.groups.flatMap(({ name, rows }, g) =>
    rows.length === 0
      ? []
      : [
          { key: `${g}`, text: name, head: true as const },
          ...rows.map((row, i) => ({ key: `${g}/${i}`, text: row.label, head: false as const, row })),
        ],
  );
  if (lines.length === 0) return undefined;
  const drawn = lines.flatMap(({ key, ...line }) => {
    if (line.head) return [];
    const { size, effect, colour } = line.row;
    return [
      {
        key,
        colour,
        size: size * 100,
        value: effect.value * 100,
        low: effect.low * 100,
        high: effect.high * 100,
        text: formatNumber(effect.value * 100, 0),
      },
    ];
  });
  const low = Math.min(0, ...drawn.map((row) => row.low));
  const high = Math.max(100, ...drawn.map((row) => row.high));
  const texts = new Map(lines.map(({ key, text }) => [key, text]));
  const heads = new Set(lines.filter(({ head }) => head).map(({ key }) => key));
  const marginTop = 6;
  const marginBottom = 40;
  const description = lines
    .flatMap((line) =>
      line.head
        ? [`${line.text}:`]
        : [
            `${line.text} ${formatNumber(line.row.size * 100, 0)}% ${options.names.size}, ${formatNumber(line.row.effect.value * 100, 0)}% ${options.names.effect};`,
          ],
    )
    .join(" ");
  return kit.render(`${options.title}: ${description}`, {
    width: PANEL_WIDTH,
    height: marginTop + marginBottom + lines.length * ROW_HEIGHT,
    marginTop,
    marginBottom,
    marginLeft: LABEL_WIDTH,
    marginRight: 24,
    x: { domain: [low, high], label: null },
    y: { type: "band", domain: lines.map(({ key }) => key), label: null, padding: 0 },
    color: { type: "identity" },
    marks: [
      Plot.gridX({ stroke: GRID, strokeOpacity: 1, ticks: 5 }),
      bottomAxis(kit, options.axisLabel, { tickSize: 0 }),
      Plot.axisY({
        tickSize: 0,
        color: MUTED,
        tickFormat: (key: string) => (heads.has(key) ? "" : (texts.get(key) ?? "")),
        label: null,
      }),
      Plot.text(
        lines.filter(({ head }) => head),
        {
          y: "key",
          frameAnchor: "left",
          dx: 4 - LABEL_WIDTH,
          text: "text",
          fill: INK,
          fontWeight: 600,
          textAnchor: "start",
        },
      ),
      Plot.link(drawn, {
        x1: "size",
        x2: "value",
        y1: "key",
        y2: "key",
        stroke: "colour",
        strokeWidth: 1,
        strokeDasharray: "1 3",
      }),
      Plot.ruleY(drawn, {
        y: "key",
        x1: "low",
        x2: "high",
        stroke: "colour",
        strokeWidth: 3,
        strokeLinecap: "round",
        strokeOpacity: 0.5,
      }),
      Plot.dot(drawn, { y: "key", x: "size", fill: SURFACE, stroke: "colour", r: 4.2, strokeWidth: 1.6 }),
      Plot.dot(drawn, { y: "key", x: "value", fill: "colour", r: 5, stroke: SURFACE, strokeWidth: 1.5 }),
      Plot.text(drawn, {
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
  });
}
