/** The paper's scores beside those of an evaluation, as Markdown, where a benchmark has the paper's name. */
import type { EvaluationFile } from "./evaluation-file.ts";
import { cell, estimateText, table } from "./markdown-table.ts";
import { PAPER_CAVEAT, paperTablesFor } from "./paper-results.ts";

/** Lines of the section; none where no benchmark is the paper's, or the run was a trial on some problems. */
export function paperMarkdown(file: EvaluationFile, benchmarks: readonly string[]): string[] {
  const tables = file.problems?.limit === undefined ? paperTablesFor([...benchmarks]) : [];
  if (tables.length === 0) return [];
  const headline = (arm: string, benchmark: string, samples: number | null): string => {
    const row = file.rows.find(
      (candidate) =>
        candidate.arm === arm && candidate.benchmark === benchmark && candidate.metric.startsWith("avg@"),
    );
    if (row === undefined) return "";
    return `${estimateText(row)}${samples === row.samples ? "" : ` ${row.metric}`}`;
  };
  return [
    "## Beside the paper",
    "",
    PAPER_CAVEAT,
    "",
    ...tables.flatMap(({ title, columns, rows }) => [
      ...table(
        [
          cell(title),
          ...columns.map(({ paper: name, samples }) => `${name}${samples === null ? "" : ` avg@${samples}`}`),
        ],
        [
          ...rows.map(({ model, values }) => [
            `paper: ${cell(model)}`,
            ...values.map((value) => (value === null ? "" : value.toFixed(1))),
          ]),
          ...file.arms.map(({ arm }) => [
            `**this run: ${cell(arm)}**`,
            ...columns.map(({ own, samples }) => headline(arm, own, samples)),
          ]),
        ],
      ),
    ]),
  ];
}
