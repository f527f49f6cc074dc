/**
 * `polaris data rl`: graded responses of any dialect to the problems CORE trains on, as rows of verl, TRL or POLARIS.
 * The rules are those of the rl_data stage. Source: recipe B5.
 */
import { Command, Option } from "commander";
import { writeFileAtomic } from "../../../data/atomic.ts";
import { streamAnyRollouts } from "../../../data/rollout-dialects.ts";
import { openRowFile } from "../../../data/row-file.ts";
import { RL_FORMATS, type RlFormat, rlRow, rlSchema } from "../../../data/training-rows.ts";
import { DataError } from "../../../errors.ts";
import { gradeResponse } from "../../../math/index.ts";
import { UNSUITABLE_REASONS, type UnsuitableReason } from "../../../math/suitability.ts";
import { type GradedCounts, type RlProblem, selectRl } from "../../../recipe/builders/rl-selection.ts";
import { promptMessages } from "../../../text/prompts.ts";
import type { Problem } from "../../../types.ts";
import { share, wholeNumber } from "../../number-options.ts";
import { openResponseFiles, type ResponseFiles } from "../../response-files.ts";
import { dropsLines } from "./drops-table.ts";
import { addPromptOptions, type PromptOptions, promptOf } from "./prompt-options.ts";

interface RlOptions extends PromptOptions {
  out: string;
  format: RlFormat;
  problems?: string;
  tooEasyFrom: number;
  dropUnsolved?: boolean;
  minResponses: number;
  allow?: UnsuitableReason[];
  maxSymbols: number;
  grader: "strict" | "compat";
  drops?: string;
  json?: boolean;
}

interface Graded {
  problems: Problem[];
  counts: Map<string, GradedCounts>;
  failed: number;
  unmatchedRows: number;
}

async function gradeAll(input: ResponseFiles, mode: RlOptions["grader"]): Promise<Graded> {
  const known = new Map<string, Problem>(input.problems?.map((problem) => [problem.id, problem]));
  const counts = new Map<string, GradedCounts>();
  let failed = 0;
  let unmatchedRows = 0;
  const onUnmatched = (): void => {
    unmatchedRows++;
  };
  const { files, problems, rows } = input;
  const rollouts = streamAnyRollouts(files, { problems, rows, onUnmatched });
  for await (const { problem, text, finishReason } of rollouts) {
    known.set(problem.id, problem);
    const { correct } = gradeResponse(problem.answer, text, { finishReason, mode });
    if (correct === null) failed++;
    else {
      const count = counts.get(problem.id) ?? { correct: 0, responses: 0 };
      count.responses++;
      if (correct) count.correct++;
      counts.set(problem.id, count);
    }
  }
  return { problems: [...known.values()], counts, failed, unmatchedRows };
}

function writeRows(options: RlOptions, kept: readonly RlProblem[]): void {
  const variant = promptOf(options);
  const answerLists = kept.some(({ problem }) => Array.isArray(problem.answer));
  const file = openRowFile(options.out, rlSchema(options.format, answerLists));
  try {
    for (const [index, one] of kept.entries()) {
      const messages = promptMessages(one.problem.prompt, variant);
      file.write(rlRow(options.format, { ...one, messages, index, answerLists }));
    }
    file.close();
  } finally {
    file.discard();
  }
}

async function buildRl(paths: string[], options: RlOptions): Promise<void> {
  const input = await openResponseFiles(paths, options.problems);
  const graded = await gradeAll(input, options.grader);
  const { tooEasyFrom, minResponses, maxSymbols, allow = [] } = options;
  const { kept, drops: counter } = selectRl(graded.problems, graded.counts, {
    unsuitable: UNSUITABLE_REASONS.filter((reason) => !allow.includes(reason)),
    maxSymbols,
    tooEasyFrom,
    dropUnsolved: options.dropUnsolved === true,
    minResponses,
  });
  const drops = counter.file("data rl");
  if (options.drops !== undefined) writeFileAtomic(options.drops, `${JSON.stringify(drops, null, 2)}\n`);
  if (kept.length === 0)
    throw new DataError(
      `none of ${drops.total} problems is left to train on: ${drops.reasons
        .filter(({ count }) => count > 0)
        .map(({ reason, count }) => `${reason} ${count}`)
        .join(", ")}`,
      { hint: "loosen --too-easy-from or --min-responses, or see the examples with --drops FILE" },
    );
  writeRows(options, kept);
  const { out, format, prompt, position } = options;
  const { failed, unmatchedRows } = graded;
  const neverSolved = kept.filter(({ passRate }) => passRate === 0).length;
  if (options.json) {
    const result = { out, format, rows: kept.length, neverSolved, graderErrors: failed, unmatchedRows };
    process.stdout.write(`${JSON.stringify({ ...result, prompt, position, drops })}\n`);
    return;
  }
  const lines = dropsLines(drops);
  if (unmatchedRows > 0) lines.push(`${unmatchedRows} rows of other questions left out`);
  if (failed > 0) lines.push(`${failed} responses the grader failed on are in no pass rate`);
  const asked = format === "polaris" ? "bare questions" : `prompts ${prompt} (${position})`;
  lines.push(`${out}: ${kept.length} rows for ${format}, ${asked}; ${neverSolved} never solved`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

export function createRlCommand(): Command {
  const command = new Command("rl")
    .description("Builds the problems CORE trains on out of graded responses, for verl, TRL or POLARIS.")
    .argument(
      "<responses...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .requiredOption("--out <file>", "rows to write: .parquet, .jsonl or .jsonl.gz")
    .addOption(new Option("--format <format>", "columns of the rows").choices(RL_FORMATS).default("verl"))
    .option("--problems <file>", "problems the responses answer, where the rows do not hold them")
    .option("--too-easy-from <share>", "leave out problems with at least this pass rate", share, 1)
    .option("--drop-unsolved", "leave out problems never solved")
    .option("--min-responses <n>", "leave out problems with fewer graded responses", wholeNumber(1), 1)
    .addOption(
      new Option("--allow <reason...>", "reasons against automatic evaluation that do not count").choices(
        UNSUITABLE_REASONS,
      ),
    )
    .option("--max-symbols <n>", "different symbols an answer may have", wholeNumber(0, 100), 2)
    .addOption(
      new Option("--grader <mode>", "strict, or the V1 grader bug for bug")
        .choices(["strict", "compat"])
        .default("strict"),
    )
    .option("--drops <file>", "write what was left out, with examples, as JSON")
    .option("--json", "print one JSON object");
  return addPromptOptions(command).action(buildRl);
}
