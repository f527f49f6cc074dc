/** Accuracy against the token budget, one line per arm with its 95% band: what a shorter limit would have scored. */
import type { BudgetPoint } from "../../recipe/evaluation/evaluation-file.ts";
import { formatCount, formatNumber } from "../format.ts";
import type { SafeHtml } from "../html.ts";
import { bottomAxis, shortLabel, valueAxis } from "./axes.ts";
import { type ChartKit, niceCeiling, PANEL_WIDTH, SURFACE, spreadLabels } from "./render.ts";

export interface BudgetCurve {
  label: string;
  colour: string;
  points: readonly BudgetPoint[];
}

const HEIGHT = 250;
const MARGIN = { top: 12, right: 104, bottom: 42, left: 44 };
const LABEL_GAP = 14;
/** Longest label at the end of a line; a longer one ends in an ellipsis. */
const MAX_LABEL_CHARACTERS = 16;

/** Draws one panel; undefined when no curve has two points. */
export function drawBudgetCurves(
  kit: ChartKit,
  options: { title: string; curves: readonly BudgetCurve[] },
): SafeHtml | undefined {
  const { Plot } = kit;
  const curves = options.curves
    .filter(({ points }) => points.length > 1)
    .map(({ label, colour, points }) => ({
      label: shortLabel(label, MAX_LABEL_CHARACTERS),
      colour,
      points: points.map(({ budgetTokens, accuracy }) => ({
        x: budgetTokens,
        y: accuracy.value * 100,
        low: accuracy.low * 100,
        high: accuracy.high * 100,
      })),
    }));
  if (curves.length === 0) return undefined;
  const all = curves.flatMap(({ points }) => points);
  const last = Math.max(...all.map(({ x }) => x));
  const yMax = Math.min(100, niceCeiling(Math.max(...all.map(({ high }) => high))));
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const ends = curves.map(({ points }) => points[points.length - 1]!);
  const labels = spreadLabels(
    ends.map(({ y }) => MARGIN.top + plotHeight * (1 - y / yMax)),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  ).map((pixel) => (1 - (pixel - MARGIN.top) / plotHeight) * yMax);
  return kit.render(
    `${options.title}: ${curves.map(({ label, points }) => `${label} ${points.map(({ x, y }) => `${formatNumber(y, 1)} at ${formatCount(x)}`).join(", ")}`).join("; ")}`,
    {
      width: PANEL_WIDTH,
      height: HEIGHT,
      marginTop: MARGIN.top,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain: [0, last], label: null },
      y: { domain: [0, yMax], label: null },
      color: { type: "identity" },
      marks: [
        ...valueAxis(kit),
        bottomAxis(kit, "budget, tokens"),
        ...curves.map(({ points, colour }) =>
          Plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.13 }),
        ),
        ...curves.map(({ points, colour }) =>
          Plot.line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2.2 }),
        ),
        ...curves.map(({ points, colour }) =>
          Plot.dot(points, { x: "x", y: "y", fill: colour, r: 3, stroke: SURFACE, strokeWidth: 1 }),
        ),
        Plot.text(
          curves.map((curve, i) => ({ ...curve, y: labels[i]! })),
          {
            x: () => last,
            y: "y",
            text: "label",
            fill: "colour",
            textAnchor: "start",
            dx: 8,
            fontWeight: 600,
          },
        ),
      ],
    },
  );
}
