/**
 * Where problems went between two calibrations: a grid of how often they were solved before (rows) and after (columns).
 * Dark cells hold many problems; what lies right of the diagonal got easier.
 */
import type { SafeHtml } from "../html.ts";
import { bottomAxis } from "./axes.ts";
import { type ChartKit, INK, MUTED, PANEL_WIDTH } from "./render.ts";

export interface TransitionsOptions {
  title: string;
  /** counts[i][j]: problems solved i times before and j times after. */
  counts: readonly (readonly number[])[];
}

const CELL = 32;
const MARGIN = { top: 10, right: 10, bottom: 44, left: 58 };
/** Counts are written into cells up to this many rows or columns; finer grids show colour alone. */
const MAX_WRITTEN = 13;
/** Labels on an axis at most. */
const MAX_LABELS = 11;

/** Draws one panel; undefined when there is nothing to show. */
export function drawTransitions(kit: ChartKit, options: TransitionsOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const { counts } = options;
  const columns = counts[0]?.length ?? 0;
  const cells = counts.flatMap((row, before) => row.map((count, after) => ({ before, after, count })));
  const most = Math.max(0, ...cells.map(({ count }) => count));
  if (most === 0) return undefined;
  const filled = cells
    .filter(({ count }) => count > 0)
    // The root keeps a cell of one problem visible beside one of hundreds.
    .map((cell) => ({ ...cell, opacity: 0.12 + 0.5 * Math.sqrt(cell.count / most) }));
  const written = Math.max(counts.length, columns) <= MAX_WRITTEN;
  const every = (length: number): number => Math.ceil(length / MAX_LABELS);
  const label = (length: number) => (value: number) => `${value}/${length - 1}`;
  const ticks = (length: number): number[] =>
    Array.from({ length }, (_, i) => i).filter((i) => i % every(length) === 0);
  const height = Math.min(counts.length * CELL, 320);
  const moved = (test: (before: number, after: number) => boolean): number =>
    cells.reduce(
      (sum, { before, after, count }) =>
        test(before / (counts.length - 1), after / (columns - 1)) ? sum + count : sum,
      0,
    );
  return kit.render(
    `${options.title}: ${moved((a, b) => b > a)} problems easier, ${moved((a, b) => b < a)} harder, ${moved((a, b) => a === b)} alike`,
    {
      width: PANEL_WIDTH,
      height: MARGIN.top + MARGIN.bottom + height,
      marginTop: MARGIN.top,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { type: "band", domain: Array.from({ length: columns }, (_, i) => i), label: null, padding: 0.06 },
      y: { type: "band", domain: counts.map((_, i) => counts.length - 1 - i), label: null, padding: 0.06 },
      marks: [
        Plot.cell(cells, { x: "after", y: "before", fill: "var(--grid)" }),
        Plot.cell(filled, { x: "after", y: "before", fill: "var(--arm-core)", fillOpacity: "opacity" }),
        Plot.cell(
          cells.filter(({ before, after }) => before * (columns - 1) === after * (counts.length - 1)),
          { x: "after", y: "before", stroke: MUTED, strokeWidth: 1 },
        ),
        ...(written
          ? [Plot.text(filled, { x: "after", y: "before", text: (d) => `${d.count}`, fill: INK })]
          : []),
        bottomAxis(kit, "responses correct after", {
          ticks: ticks(columns),
          tickFormat: label(columns),
          tickSize: 0,
        }),
        Plot.axisY({
          ticks: ticks(counts.length),
          tickFormat: label(counts.length),
          tickSize: 0,
          color: MUTED,
          label: "before",
          labelAnchor: "center",
          labelArrow: "none",
        }),
      ],
      opacity: { type: "identity" },
    },
  );
}
