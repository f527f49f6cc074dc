/**
 * An evaluation file as Markdown: conditions, scores with intervals, comparisons, lengths, budgets, the hardest problems,
 * and the paper's numbers where a benchmark has the paper's name. Everything is read from the file.
 */
import type { SummaryRow } from "../../types.ts";
import type { EvaluationArm, EvaluationFile } from "./evaluation-file.ts";
import { paperMarkdown } from "./markdown-paper.ts";
import { cell, estimateText, percent, points, table } from "./markdown-table.ts";
import { tableMetrics } from "./metrics.ts";

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
    ...paperMarkdown(file, benchmarksOf(file)),
  ]
    .join("\n")
    .trimEnd()}\n`;
}
