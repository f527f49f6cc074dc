/**
 * An evaluation file as Markdown: conditions, scores with intervals, comparisons, lengths, budgets, the hardest problems,
 * and the paper's numbers where a benchmark has the paper's name. Everything is read from the file.
 */
import type { SummaryRow } from "../../types.ts";
import type { Estimate, EvaluationArm, EvaluationFile } from "./evaluation-file.ts";
import { tableMetrics } from "./metrics.ts";
import { PAPER_CAVEAT, paperTablesFor } from "./paper-results.ts";

/** Most rows of one table; a sweep of many arms and benchmarks stays readable. */
const MAX_ROWS = 2000;

/** Text inside a table cell: no line break, no bar, no mark-up of its own. */
function cell(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").replace(/[\\`*_[\]<>|#]/g, (character) => `\\${character}`);
}

/** Columns of names, to the left; all others are numbers. */
const NAME_COLUMNS: readonly string[] = ["arm", "benchmark"];

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
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

const percent = (value: number): string => (100 * value).toFixed(1);
/** A per cent without a sign for what rounds to zero. */
const points = (value: number): string => {
  const text = percent(value);
  return /^-?0\.0$/.test(text) ? "0.0" : value > 0 ? `+${text}` : text;
};

/** `31.4 (28.9 to 33.9)`, in per cent. */
function estimateText(estimate: Estimate, format = percent): string {
  if (estimate.low === estimate.high) return format(estimate.value);
  return `${format(estimate.value)} (${format(estimate.low)} to ${format(estimate.high)})`;
}

const benchmarksOf = (file: EvaluationFile): string[] => [
  ...new Set(file.arms.flatMap(({ benchmarks }) => benchmarks.map(({ benchmark }) => benchmark))),
];

function conditions(file: EvaluationFile): string[] {
  const { sampling, prompt, grader, problems } = file;
  const lines = [
    `- sampling: temperature ${sampling.temperature}, top-k ${sampling.topK || "off"}, top-p ${sampling.topP}, min-p ${sampling.minP}, at most ${sampling.maxNewTokens} new tokens, seed ${file.seed}`,
    `- grader: ${cell(file.graderVersion)}${grader === undefined ? "" : `, ${grader.mode}, answer from ${cell(grader.answerFrom)}`}`,
  ];
  if (prompt !== undefined)
    lines.push(
      `- prompt: ${cell(prompt.instruction)}${prompt.instruction === "boxed_and_underline" ? `, ${cell(prompt.position)}` : ""}${prompt.system === undefined ? "" : `, system message: ${cell(prompt.system.slice(0, 200))}`}`,
    );
  if (problems !== undefined)
    lines.push(
      `- problems: ${cell(problems.reference)}, ${problems.count}, SHA-256 ${problems.sha256.slice(0, 16)}`,
    );
  for (const { arm, model, modelSha256, ropeScaling } of file.arms) {
    const hash = typeof modelSha256 === "string" ? `, SHA-256 ${modelSha256.slice(0, 16)}` : "";
    const rope =
      ropeScaling == null
        ? ""
        : `, YaRN ${ropeScaling.factor} over ${ropeScaling.originalLength} tokens, attention scale ${ropeScaling.attentionScale}, betas ${ropeScaling.betaFast} and ${ropeScaling.betaSlow}`;
    lines.push(`- ${cell(arm)}: ${cell(model)}${hash}${rope}`);
  }
  const own = file.arms[0]?.benchmarks.filter((benchmark) => benchmark.sampling !== undefined) ?? [];
  for (const { benchmark, samplesPerProblem, sampling: changed } of own)
    lines.push(
      `- ${cell(benchmark)} was drawn differently: ${samplesPerProblem} samples, temperature ${changed?.temperature}, top-k ${changed?.topK || "off"}, top-p ${changed?.topP}, min-p ${changed?.minP}, at most ${changed?.maxNewTokens} new tokens`,
    );
  return [...lines, ""];
}

/** Several benchmarks at a glance, with their mean. */
function overview(file: EvaluationFile): string[] {
  const benchmarks = benchmarksOf(file);
  if (benchmarks.length < 2) return [];
  const find = (arm: string, benchmark: string): SummaryRow | undefined =>
    file.rows.find((row) => row.arm === arm && row.benchmark === benchmark && row.metric.startsWith("avg@"));
  return table(
    ["arm", ...benchmarks.map(cell), "mean, equal weight"],
    file.arms.map(({ arm, mean }) => [
      cell(arm),
      ...benchmarks.map((benchmark) => {
        const row = find(arm, benchmark);
        return row === undefined ? "" : `${estimateText(row)} ${row.metric}`;
      }),
      mean === undefined ? "" : estimateText(mean),
    ]),
  );
}

/** What a trial must not be taken for. */
function trialNote(file: EvaluationFile): string[] {
  const limit = file.problems?.limit;
  if (limit === undefined) return [];
  return [
    `**A trial: only the first ${limit} problems of each benchmark were asked. This is no score of the benchmark.**`,
    "",
  ];
}

function scores(file: EvaluationFile, benchmark: string): string[] {
  const rows = file.rows.filter((row) => row.benchmark === benchmark);
  const metrics = tableMetrics(rows);
  const find = (arm: string, metric: string): SummaryRow | undefined =>
    rows.find((row) => row.arm === arm && row.metric === metric);
  const [sample] = rows;
  return [
    `### ${cell(benchmark)}`,
    "",
    `${sample?.problems ?? 0} problems, ${sample?.samples ?? 0} samples each; per cent.`,
    "",
    ...table(
      ["arm", ...metrics, "tokens"],
      file.arms.map(({ arm }) => {
        const length = find(arm, "length_tokens");
        return [
          cell(arm),
          ...metrics.map((metric) => {
            const row = find(arm, metric);
            return row === undefined ? "" : estimateText(row);
          }),
          length === undefined ? "" : length.value.toFixed(0),
        ];
      }),
    ),
  ];
}

function comparisons(file: EvaluationFile): string[] {
  const list = file.comparisons ?? [];
  if (list.length === 0 || file.reference == null) return [];
  return [
    `## Against ${cell(file.reference)}`,
    "",
    "Paired by problem, in points; p by sign flips over problems, not corrected for the number of comparisons.",
    "",
    ...table(
      ["arm", "benchmark", "difference", "better", "worse", "equal", "p"],
      list.map((one) => [
        cell(one.arm),
        cell(one.benchmark === "mean" ? "all, equal weight" : one.benchmark),
        estimateText(one, points),
        String(one.wins),
        String(one.losses),
        String(one.ties),
        one.p.toFixed(4),
      ]),
    ),
  ];
}

/** Rows of every arm and benchmark. */
function perBenchmark<Row>(
  arms: readonly EvaluationArm[],
  rowsOf: (benchmark: EvaluationArm["benchmarks"][number]) => readonly Row[],
  text: (row: Row) => string[],
): string[][] {
  return arms.flatMap(({ arm, benchmarks }) =>
    benchmarks.flatMap((benchmark) =>
      rowsOf(benchmark).map((row) => [cell(arm), cell(benchmark.benchmark), ...text(row)]),
    ),
  );
}

function lengths(file: EvaluationFile): string[] {
  const buckets = perBenchmark(
    file.arms,
    ({ lengths: rows = [] }) => rows,
    ({ fromTokens, toTokens, responses, truncated, accuracy }) => [
      toTokens === null ? `${fromTokens} and more` : `${fromTokens} to ${toTokens - 1}`,
      String(responses),
      accuracy === null ? "" : estimateText(accuracy),
      String(truncated),
    ],
  );
  const budgets = perBenchmark(
    file.arms,
    ({ budgets: rows = [] }) => rows,
    ({ budgetTokens, accuracy, truncated }) => [
      String(budgetTokens),
      estimateText(accuracy),
      percent(truncated),
    ],
  );
  return [
    ...(buckets.length === 0
      ? []
      : [
          "## By response length",
          "",
          ...table(["arm", "benchmark", "tokens", "responses", "accuracy", "cut"], buckets),
        ]),
    ...(budgets.length === 0
      ? []
      : [
          "## Had the limit been shorter",
          "",
          "From the same responses: one longer than the budget counts as truncated and wrong.",
          "",
          ...table(["arm", "benchmark", "budget, tokens", "accuracy", "truncated"], budgets),
        ]),
  ];
}

function hardest(file: EvaluationFile): string[] {
  const study = file.hardest ?? null;
  if (study === null) return [];
  const { problems, arms, reference, regression } = study;
  return [
    `## The ${problems.length} problems ${cell(reference)} does worst on`,
    "",
    `Chosen by one set of samples (${cell(reference)}: ${percent(regression.selectedOn)}), shown with fresh ones, ${study.samplesPerProblem} per problem (${cell(reference)}: ${percent(regression.fresh)}). The first number is the regression to the mean.`,
    "",
    ...table(
      ["problem", ...arms.map(({ arm }) => cell(arm))],
      [
        ...problems.map(({ benchmark, id }, i) => [
          `${cell(benchmark)} ${cell(id)}`,
          ...arms.map(({ accuracies }) => percent(accuracies[i] as number)),
        ]),
        ["mean", ...arms.map(({ mean }) => estimateText(mean))],
      ],
    ),
  ];
}

function paper(file: EvaluationFile): string[] {
  const tables = file.problems?.limit === undefined ? paperTablesFor(benchmarksOf(file)) : [];
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

/** The whole document; ends in a line break. */
export function evaluationMarkdown(file: EvaluationFile): string {
  return `${[
    // The command calls its only stage so.
    file.stage === "evaluation" ? "# Evaluation" : `# Evaluation ${cell(file.stage)}`,
    "",
    ...trialNote(file),
    ...conditions(file),
    "## Scores",
    "",
    "Intervals are 95% and take the problem as the unit. Truncated responses and responses without a box are counted apart from wrong ones.",
    "",
    ...overview(file),
    ...benchmarksOf(file).flatMap((benchmark) => scores(file, benchmark)),
    ...comparisons(file),
    ...lengths(file),
    ...hardest(file),
    ...paper(file),
  ]
    .join("\n")
    .trimEnd()}\n`;
}
