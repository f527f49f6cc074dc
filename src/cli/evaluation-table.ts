/** Evaluations on the terminal: scores per benchmark and arm, and differences with their intervals. */
import { isDecided } from "../recipe/evaluation/comparison.ts";
import type { ArmComparison, Estimate, EvaluationFile } from "../recipe/evaluation/evaluation-file.ts";
import { PAPER_CAVEAT, paperTablesFor } from "../recipe/evaluation/paper-results.ts";
import type { SummaryRow } from "../types.ts";
import { formatTable, printable, type Style } from "./style.ts";

/** Values of k shown per kind of metric; the file has them all. */
const MAX_PASS_COLUMNS = 3;

const percent = (value: number): string => (100 * value).toFixed(1);

/** `+3.1` for a difference in points; no sign on what rounds to zero. */
function points(value: number): string {
  const text = percent(value);
  if (/^-?0\.0$/.test(text)) return "0.0";
  return value > 0 ? `+${text}` : text;
}

function withInterval(
  row: Pick<SummaryRow, "value" | "low" | "high">,
  format: (value: number) => string,
  style: Style,
): string {
  if (row.low === row.high) return format(row.value);
  return `${format(row.value)} ${style.dim(`(${format(row.low)} to ${format(row.high)})`)}`;
}

/** Metrics shown, in order: avg@k, some pass@k, maj@k, and what went wrong. */
function shownMetrics(rows: readonly SummaryRow[]): string[] {
  const all = [...new Set(rows.map(({ metric }) => metric))];
  const starting = (prefix: string): string[] => all.filter((metric) => metric.startsWith(prefix));
  const pass = starting("pass@");
  // The largest k are the ones avg@k says least about.
  return [
    ...starting("avg@"),
    ...pass.slice(-MAX_PASS_COLUMNS),
    ...starting("maj@"),
    "truncated",
    "format_error",
  ].filter((metric) => all.includes(metric));
}

/** Rows of one metric, by benchmark and arm. */
function findRow(file: EvaluationFile, benchmark: string, arm: string, kind: string): SummaryRow | undefined {
  const rows = file.rows.filter(
    (row) =>
      row.benchmark === benchmark &&
      row.arm === arm &&
      (kind.endsWith("@") ? row.metric.startsWith(kind) : row.metric === kind),
  );
  return rows.at(-1);
}

/** Several benchmarks in one table, k as each was drawn, and their mean below. */
function overview(file: EvaluationFile, benchmarks: readonly string[], style: Style): string[] {
  const several = file.arms.length > 1;
  const columns: [title: string, kind: string][] = [
    ["avg@k", "avg@"],
    ["pass@k", "best@"],
    ["maj@k", "maj@"],
    ["truncated", "truncated"],
    ["format_error", "format_error"],
  ];
  const shown = columns.filter(([, kind]) =>
    benchmarks.some((benchmark) => file.arms.some(({ arm }) => findRow(file, benchmark, arm, kind))),
  );
  const body = benchmarks.flatMap((benchmark) =>
    file.arms.flatMap(({ arm }, i) => {
      const first = findRow(file, benchmark, arm, "avg@");
      if (first === undefined) return [];
      return [
        [
          i === 0 ? printable(benchmark) : "",
          i === 0 ? `${first.problems} \u00d7 ${first.samples}` : "",
          ...(several ? [printable(arm)] : []),
          ...shown.map(([, kind]) => {
            const row = findRow(file, benchmark, arm, kind);
            if (row === undefined) return "";
            return kind === "avg@" ? withInterval(row, percent, style) : percent(row.value);
          }),
          findRow(file, benchmark, arm, "length_tokens")?.value.toFixed(0) ?? "",
        ],
      ];
    }),
  );
  const means = file.arms.flatMap(({ arm, mean }, i) =>
    mean === undefined
      ? []
      : [
          [
            i === 0 ? "mean, equal weight" : "",
            "",
            ...(several ? [printable(arm)] : []),
            meanText(mean, style),
          ],
        ],
  );
  const header = ["", "problems", ...(several ? [""] : []), ...shown.map(([title]) => title), "tokens"];
  const lines = formatTable(
    [...body, ...means],
    header.map((name) => style.dim(name)),
  );
  return [style.dim("per cent, k responses per problem"), ...lines.map((line) => `  ${line}`), ""];
}

function meanText(mean: Estimate, style: Style): string {
  return style.bold(withInterval(mean, percent, style));
}

/** One table per benchmark, or one over several; per cent with 95% intervals over problems. */
export function scoreTable(file: EvaluationFile, style: Style): string[] {
  const benchmarks = [...new Set(file.rows.map(({ benchmark }) => benchmark))];
  const limit = file.problems?.limit;
  const trial =
    limit === undefined
      ? []
      : [
          style.yellow(
            `a trial: only the first ${limit} problems of each benchmark were asked; this is no score of the benchmark`,
          ),
          "",
        ];
  const tables =
    benchmarks.length > 1 ? overview(file, benchmarks, style) : benchmarkTables(file, benchmarks, style);
  return [...tables, ...(limit === undefined ? paperLines(file, benchmarks, style) : []), ...trial];
}

function benchmarkTables(file: EvaluationFile, benchmarks: readonly string[], style: Style): string[] {
  return benchmarks.flatMap((benchmark) => {
    const rows = file.rows.filter((row) => row.benchmark === benchmark);
    const metrics = shownMetrics(rows);
    const find = (arm: string, metric: string): SummaryRow | undefined =>
      rows.find((row) => row.arm === arm && row.metric === metric);
    const [first] = rows;
    const body = file.arms
      .filter(({ arm }) => rows.some((row) => row.arm === arm))
      .map(({ arm }) => {
        const length = find(arm, "length_tokens");
        return [
          printable(arm),
          ...metrics.map((metric) => {
            const row = find(arm, metric);
            if (row === undefined) return "";
            return metric.startsWith("avg@") ? withInterval(row, percent, style) : percent(row.value);
          }),
          length === undefined ? "" : length.value.toFixed(0),
        ];
      });
    const title = `${style.bold(printable(benchmark))}  ${style.dim(`${first?.problems ?? 0} problems × ${first?.samples ?? 0}, %`)}`;
    return [
      title,
      ...formatTable(
        body,
        ["", ...metrics, "tokens"].map((name) => style.dim(name)),
      ).map((line) => `  ${line}`),
      "",
    ];
  });
}

/** The paper's numbers for benchmarks of its name, this evaluation below them. */
function paperLines(file: EvaluationFile, benchmarks: readonly string[], style: Style): string[] {
  const tables = paperTablesFor(benchmarks);
  if (tables.length === 0) return [];
  return [
    ...tables.flatMap(({ title, columns, rows }) => [
      style.bold(`paper: ${title}`),
      ...formatTable(
        [
          ...rows.map(({ model, values }) => [
            model,
            ...values.map((value) => (value === null ? "" : value.toFixed(1))),
          ]),
          ...file.arms.map(({ arm }) => [
            `here: ${printable(arm)}`,
            ...columns.map(({ own, samples }) => {
              const row = findRow(file, own, arm, "avg@");
              if (row === undefined) return "";
              return `${percent(row.value)}${samples === row.samples ? "" : ` (${row.metric})`}`;
            }),
          ]),
        ],
        [
          "",
          ...columns.map(({ paper, samples }) => (samples === null ? paper : `${paper} avg@${samples}`)),
        ].map((name) => style.dim(name)),
      ).map((line) => `  ${line}`),
    ]),
    style.dim(PAPER_CAVEAT),
    "",
  ];
}

/** Differences arm - reference in points; bold where they are told from zero. Empty without comparisons. */
export function comparisonTable(comparisons: readonly ArmComparison[], style: Style): string[] {
  if (comparisons.length === 0) return [];
  const rows = comparisons.map((one) => {
    const text = withInterval(one, points, style);
    return [
      `${printable(one.arm)} - ${printable(one.reference)}`,
      one.benchmark === "mean" ? "all, equal weight" : printable(one.benchmark),
      isDecided(one) ? style.bold(text) : text,
      String(one.wins),
      String(one.losses),
      String(one.ties),
      one.p < 0.0001 ? "<0.0001" : one.p.toFixed(4),
    ];
  });
  const header = ["arms", "benchmark", "difference, points", "better", "worse", "equal", "p"].map((name) =>
    style.dim(name),
  );
  return formatTable(rows, header);
}
