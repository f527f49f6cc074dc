/**
 * Draws Observable Plot charts to SVG text without a browser. Both libraries are loaded at the first chart, so that
 * commands which draw nothing do not pay for them. Styles live in the page's one style sheet: what Plot would inline
 * is taken out, so that the page's content security policy needs no exception.
 */
import type { PlotOptions } from "@observablehq/plot";
import { escapeHtml, type SafeHtml, trustedHtml } from "../html.ts";

type PlotModule = typeof import("@observablehq/plot");

/** What a chart function is given. */
export interface ChartKit {
  Plot: PlotModule;
  /** Renders to SVG; `description` is what a screen reader says in its place. */
  render(description: string, options: PlotOptions): SafeHtml;
}

/** Width of one panel in CSS pixels; panels stand side by side on a wide page and below each other on a phone. */
export const PANEL_WIDTH = 440;

/** Colours of charts that are not an arm's. */
export const INK = "var(--ink)";
export const MUTED = "var(--muted)";
export const GRID = "var(--grid)";
export const SURFACE = "var(--surface)";

let loaded: Promise<ChartKit> | undefined;

/** The chart kit, loaded once. */
export function loadChartKit(): Promise<ChartKit> {
  loaded ??= createChartKit();
  return loaded;
}

async function createChartKit(): Promise<ChartKit> {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  return {
    Plot,
    render(description, options) {
      const { document } = parseHTML("<!doctype html><html><body></body></html>");
      const svg = Plot.plot({ width: PANEL_WIDTH, ...options, document }) as unknown as SvgElement;
      for (const style of svg.querySelectorAll("style")) style.remove();
      for (const element of svg.querySelectorAll("[style]")) element.removeAttribute("style");
      for (const element of svg.querySelectorAll("*")) roundGeometry(element);
      // The picture is described as a whole; names of its parts would only be read out one by one.
      for (const element of svg.querySelectorAll("[aria-label]")) element.removeAttribute("aria-label");
      svg.removeAttribute("style");
      svg.setAttribute("class", "chart");
      svg.setAttribute("font-size", "12");
      svg.setAttribute("role", "img");
      // The serialiser leaves angle brackets in attributes alone, so the one attribute with foreign text is written here.
      const markup = svg.outerHTML.slice("<svg".length);
      return trustedHtml(`<svg aria-label="${escapeHtml(description)}"${markup}`);
    },
  };
}

/** The part of the DOM used here; the project compiles without browser types. */
interface SvgElement {
  outerHTML: string;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  remove(): void;
  querySelectorAll(selector: string): Iterable<SvgElement>;
}

const GEOMETRY = ["d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "transform"];

/** Two decimals of a pixel are enough; full doubles would triple the page. */
function roundGeometry(element: SvgElement): void {
  for (const name of GEOMETRY) {
    const value = element.getAttribute(name);
    if (value === null || !value.includes(".")) continue;
    const rounded = value.replace(/-?\d+\.\d{3,}(e-?\d+)?/g, (number) =>
      String(Math.round(Number(number) * 100) / 100),
    );
    if (rounded !== value) element.setAttribute(name, rounded);
  }
}

/**
 * Moves labels apart: positions at least `gap` pixels from each other, as near as possible to where they belong, and
 * inside the frame. Order is kept.
 *
 * @param wanted positions in pixels, any order
 */
export function spreadLabels(wanted: readonly number[], gap: number, low: number, high: number): number[] {
  const order = wanted
    .map((position, i) => ({ position, i }))
    .sort((a, b) => a.position - b.position || a.i - b.i);
  const placed = order.map(({ position }) => position);
  // Forward pass pushes down, backward pass pulls back into the frame.
  for (let i = 0; i < placed.length; i++)
    placed[i] = Math.max(placed[i]!, i === 0 ? low : placed[i - 1]! + gap);
  for (let i = placed.length - 1; i >= 0; i--)
    placed[i] = Math.min(placed[i]!, i === placed.length - 1 ? high : placed[i + 1]! - gap);
  const result = new Array<number>(wanted.length);
  order.forEach(({ i }, rank) => {
    result[i] = placed[rank]!;
  });
  return result;
}

/** A round upper end for an axis that starts at 0: 1, 2, 2.5 or 5 times a power of ten above `value`. */
export function niceCeiling(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
    if (value <= step * power * (1 + 1e-9)) return step * power;
  return 10 * power;
}
