/**
 * The temperature zones of several policies below each other, one bar each: how far the robust and the exploration zone
 * reach, and where each was sampled. A bar ends where temperatures were tried, not where its zone would.
 */
import type { SafeHtml } from "../html.ts";
import { bottomAxis, shortLabel, temperatureDomain } from "./axes.ts";
import { type ChartKit, GRID, INK, PANEL_WIDTH, SURFACE } from "./render.ts";
import type { ZoneBand } from "./temperature-curve.ts";

/** One policy. */
export interface ZoneRow {
  label: string;
  bands: readonly ZoneBand[];
  chosen: number;
}

export interface ZoneBarsOptions {
  title: string;
  rows: readonly ZoneRow[];
}

const ROW_HEIGHT = 40;
const MARGIN = { top: 12, right: 16, bottom: 42, left: 96 };
/** Share of a row its bar fills. */
const FILL = 0.62;
const MAX_LABEL = 14;
/** Pixels a zone needs for its name. */
const LETTER_WIDTH = 8;

/** Draws one panel; undefined when there is no row. */
export function drawZoneBars(kit: ChartKit, { title, rows }: ZoneBarsOptions): SafeHtml | undefined {
  const { Plot } = kit;
  const ends = rows.flatMap(({ bands }) => bands.flatMap(({ from, to }) => [from, to]));
  if (ends.length === 0) return undefined;
  const { domain, padding } = temperatureDomain(ends);
  const perPixel = (domain[1] - domain[0]) / (PANEL_WIDTH - MARGIN.left - MARGIN.right);
  // A zone of one temperature is drawn a little wide, or it could not be seen.
  const sliver = padding / 2;
  const bars = rows.flatMap(({ label, bands }, row) =>
    bands.map(({ name, colour, from, to }) => ({
      name,
      colour,
      x1: from === to ? from - sliver : from,
      x2: from === to ? to + sliver : to,
      y1: row + (1 - FILL) / 2,
      y2: row + (1 + FILL) / 2,
      y: row + 0.5,
      detail: `${label}: ${name} ${from} to ${to}`,
    })),
  );
  const chosen = rows.map((one, row) => ({ x: one.chosen, y: row + 0.5, y1: row + 0.08, y2: row + 0.92 }));
  const labels = rows.map(({ label }, row) => ({
    y: row + 0.5,
    text: shortLabel(label, MAX_LABEL),
  }));
  return kit.render(
    `${title}: ${bars.map(({ detail }) => detail).join("; ")}; chosen ${rows.map((row) => `${row.label} ${row.chosen}`).join(", ")}`,
    {
      width: PANEL_WIDTH,
      height: MARGIN.top + MARGIN.bottom + rows.length * ROW_HEIGHT,
      marginTop: MARGIN.top,
      marginRight: MARGIN.right,
      marginBottom: MARGIN.bottom,
      marginLeft: MARGIN.left,
      x: { domain, label: null },
      y: { domain: [rows.length, 0], axis: null },
      color: { type: "identity" },
      marks: [
        Plot.gridX({ stroke: GRID, strokeOpacity: 1, ticks: 6 }),
        bottomAxis(kit, "temperature", { ticks: 6 }),
        Plot.rect(bars, {
          x1: "x1",
          x2: "x2",
          y1: "y1",
          y2: "y2",
          fill: "colour",
          fillOpacity: 0.3,
          stroke: "colour",
          strokeWidth: 1,
          title: "detail",
        }),
        Plot.text(
          bars.filter(({ name, x1, x2 }) => (x2 - x1) / perPixel > name.length * LETTER_WIDTH),
          { x: (d) => (d.x1 + d.x2) / 2, y: "y", text: "name", fill: INK, fontWeight: 600 },
        ),
        Plot.ruleX(chosen, { x: "x", y1: "y1", y2: "y2", stroke: INK, strokeWidth: 2 }),
        Plot.dot(chosen, { x: "x", y: "y1", r: 4, fill: INK, stroke: SURFACE, strokeWidth: 1.2 }),
        Plot.text(labels, { x: () => domain[0], y: "y", text: "text", textAnchor: "end", dx: -8, fill: INK }),
      ],
    },
  );
}
