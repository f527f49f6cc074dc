/** The headline of summary.json as a table: one row per arm, one column per benchmark. Reads records, owns no logic. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SummaryRow } from "../types.ts";
import { formatTable, printable, type Style } from "./style.ts";

/** A summary holds a few hundred rows. */
const MAX_SUMMARY_BYTES = 16 << 20;
const MAX_COLUMNS = 8;

/** The rows of a run's summary.json; none when there is no readable one. */
export function readSummaryRows(runFolder: string): SummaryRow[] {
  const path = join(runFolder, "summary.json");
  if (!existsSync(path) || statSync(path).size > MAX_SUMMARY_BYTES) return [];
  try {
    const { rows } = JSON.parse(readFileSync(path, "utf8")) as { rows?: unknown };
    return Array.isArray(rows) ? (rows as SummaryRow[]) : [];
  } catch {
    return [];
  }
}

function percent(value: number): string {
  return (100 * value).toFixed(1);
}

/** Lines of `avg@k` per arm and benchmark, percent with 95% intervals; empty when there is nothing to show. */
export function resultsTable(rows: readonly SummaryRow[], style: Style): string[] {
  const headline = rows.filter((row) => row.metric.startsWith("avg@"));
  const benchmarks = [...new Set(headline.map((row) => row.benchmark))].slice(0, MAX_COLUMNS);
  const arms = [...new Set(headline.map((row) => row.arm))];
  if (arms.length === 0) return [];
  const cell = (arm: string, benchmark: string): string => {
    const row = headline.find((candidate) => candidate.arm === arm && candidate.benchmark === benchmark);
    if (!row) return "";
    const interval = row.low === row.high ? "" : style.dim(` (${percent(row.low)}–${percent(row.high)})`);
    return percent(row.value) + interval;
  };
  const metrics = [...new Set(headline.map((row) => row.metric))].join(", ");
  const header = [style.dim(`${metrics}, %`), ...benchmarks.map((name) => style.bold(printable(name)))];
  return formatTable(
    arms.map((arm) => [printable(arm), ...benchmarks.map((benchmark) => cell(arm, benchmark))]),
    header,
  );
}
