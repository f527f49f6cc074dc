/** Tables of the Markdown that evaluations are written as: cells nobody can break out of, per cents and intervals. */
import type { Estimate } from "./evaluation-file.ts";

/** Most rows of one table; a sweep of many arms and benchmarks stays readable. */
const MAX_ROWS = 2000;

/** Text inside a table cell: no line break, no bar, no mark-up of its own. */
export function cell(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").replace(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}

/** Columns of names, to the left; all others are numbers. */
const NAME_COLUMNS: readonly string[] = ["arm", "benchmark"];

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const shown = rows.slice(0, MAX_ROWS).map(line);
  const rest = rows.length > MAX_ROWS ? ["", `${rows.length - MAX_ROWS} more rows are in the file.`] : [];
  return [
    line(header),
    line(header.map((name, i) => (i === 0 || NAME_COLUMNS.includes(name) ? "---" : "---:"))),
    ...shown,
    ...rest,
    "",
  ];
}

/** Per cent with one decimal. */
export const percent = (value: number): string => (100 * value).toFixed(1);
/** A per cent without a sign for what rounds to zero. */
export const points = (value: number): string => {
  const text = percent(value);
  return /^-?0\.0$/.test(text) ? "0.0" : value > 0 ? `+${text}` : text;
};

/** `31.4 (28.9 to 33.9)`, in per cent. */
export function estimateText(estimate: Estimate, format = percent): string {
  if (estimate.low === estimate.high) return format(estimate.value);
  return `${format(estimate.value)} (${format(estimate.low)} to ${format(estimate.high)})`;
}
