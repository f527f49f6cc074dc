/** From repeats to a table: tokens per second, best and median, and the ratio of the engine to each peer. */
import type { Measurement } from "./peer-process.ts";

/** One row: a workload measured on one side. */
export interface BenchRow {
  workload: string;
  model: string;
  cores: number;
  side: string;
  repeats: number;
  /** Tokens per second of the fastest repeat. */
  best: number;
  /** Tokens per second of the middle repeat. */
  median: number;
  /** Wall seconds of the middle repeat. */
  medianSeconds: number;
  /** Tokens per processor second over all repeats: what remains comparable on a machine that is not quiet. */
  perCpuSecond: number;
  /** Processor seconds per wall second, over all repeats: what `cores` was in fact. */
  coresUsed: number;
  /** Engine over this side; absent in the engine's own rows. */
  ratio?: { best: number; median: number; perCpuSecond: number };
}

/** Middle value, the mean of two for an even count. @throws {RangeError} when empty */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: expected one value or more, got none");
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Puts measurements one after another. */
export function joinMeasurements(parts: readonly Measurement[]): Measurement {
  return {
    tokens: parts.flatMap((part) => part.tokens),
    seconds: parts.flatMap((part) => part.seconds),
    cpuSeconds: parts.flatMap((part) => part.cpuSeconds),
  };
}

/** Row of one side; `engine` is the engine's own row of the same workload. */
export function summarize(
  name: Pick<BenchRow, "workload" | "model" | "cores" | "side">,
  { tokens, seconds, cpuSeconds }: Measurement,
  engine?: BenchRow,
): BenchRow {
  const speeds = tokens.map((count, i) => count / seconds[i]!);
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const row = {
    ...name,
    repeats: speeds.length,
    best: Math.max(...speeds),
    median: median(speeds),
    medianSeconds: median(seconds),
    perCpuSecond: sum(tokens) / sum(cpuSeconds),
    coresUsed: sum(cpuSeconds) / sum(seconds),
  };
  if (engine === undefined) return row;
  const ratio = {
    best: engine.best / row.best,
    median: engine.median / row.median,
    perCpuSecond: engine.perCpuSecond / row.perCpuSecond,
  };
  return { ...row, ratio };
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const times = (value: number | undefined): string => (value === undefined ? "" : `${value.toFixed(2)}x`);

/** Title and text of each column; the last three are the engine's speed over that side's. */
const COLUMNS: [string, (row: BenchRow) => string][] = [
  ["workload", (row) => row.workload],
  ["model", (row) => row.model],
  ["cores", (row) => String(row.cores)],
  ["side", (row) => row.side],
  ["n", (row) => String(row.repeats)],
  ["best tok/s", (row) => count(row.best)],
  ["median tok/s", (row) => count(row.median)],
  ["median s", (row) => row.medianSeconds.toFixed(3)],
  ["tok/cpu-s", (row) => count(row.perCpuSecond)],
  ["cores used", (row) => row.coresUsed.toFixed(2)],
  ["by best", (row) => times(row.ratio?.best)],
  ["by median", (row) => times(row.ratio?.median)],
  ["by cpu", (row) => times(row.ratio?.perCpuSecond)],
];

/** A Markdown table, columns aligned for a terminal. */
export function formatTable(rows: readonly BenchRow[]): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, text]) => text(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(cells[0]!), line(widths.map((width) => "-".repeat(width))), ...cells.slice(1).map(line)].join(
    "\n",
  );
}
