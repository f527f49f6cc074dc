/**
 * Histograms: counts or shares over ordered bins, one colour, the shape to be seen at a glance and the numbers on
 * request (each bar carries a tooltip).
 */
import type { SafeHtml } from "../html.ts";
import { valueAxis } from "./axes.ts";
import { type ChartKit, MUTED, PANEL_WIDTH } from "./render.ts";

export interface Bar {
  label: string;
  /** In display units. */
  value: number;
  colour: string;
  /** Shown on hover and counted in the description. */
  detail: string;
}

export interface BarsOptions {
  title: string;
  bars: Bar[];
  yMax: number;
  axisLabel: string;
  /** Labels shown under the axis when there are too many for all; every label when absent. */
  ticks?: string[];
  /** A vertical line before this bar, for a threshold. */
  rule?: { before: number; text: string };
}

const HEIGHT = 220;

/** Draws one panel; undefined when there is no bar. */
export function drawBars(kit: ChartKit, options: BarsOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { bars, rule } = options;
  if (bars.length === 0) return undefined;
  const rows = bars.map((bar, i) => ({ ...bar, x1: i + 0.06, x2: i + 0.94 }));
  const shown = rows.filter(({ label }) => options.ticks === undefined || options.ticks.includes(label));
  return kit.render(`${options.title}: ${bars.map(({ detail }) => detail).join("; ")}`, {
    width: PANEL_WIDTH,
    height: HEIGHT,
    marginTop: 18,
    marginBottom: 40,
    marginLeft: 44,
    marginRight: 10,
    x: { domain: [0, bars.length], axis: null },
    y: { domain: [0, options.yMax], label: null },
    color: { type: "identity" },
    marks: [
      ...valueAxis(kit, 4),
      Plot.rect(rows, { x1: "x1", x2: "x2", y1: () => 0, y2: "value", fill: "colour", title: "detail" }),
      Plot.text(shown, { x: (d) => (d.x1 + d.x2) / 2, y: () => 0, text: "label", dy: 13, fill: MUTED }),
      Plot.text([options.axisLabel], { frameAnchor: "bottom", dy: 32, fill: MUTED }),
      ...(rule === undefined
        ? []
        : [
            Plot.ruleX([rule.before], { stroke: "var(--ink)", strokeWidth: 1.2, strokeDasharray: "4 3" }),
            Plot.text([rule], {
              x: "before",
              text: "text",
              frameAnchor: "top",
              dy: -12,
              fill: "var(--ink)",
              textAnchor: rule.before > bars.length / 2 ? "end" : "start",
            }),
          ]),
    ],
  });
}
