/**
 * What `data convert`, `dedupe` and `decontaminate` have in common: problems stream through the rules into a file of
 * any dialect, and what was left out is counted, shown and written on request.
 */
import { type Command, Option } from "commander";
import { writeFileAtomic } from "../../../data/atomic.ts";
import { dialectOf, PROBLEM_DIALECTS, type ProblemDialect } from "../../../data/problem-dialects.ts";
import { writeProblemFile } from "../../../data/problem-file.ts";
import { createIdAssigner } from "../../../data/problems.ts";
import { openRowFile, type RowFile } from "../../../data/row-file.ts";
import { ConfigError, DataError } from "../../../errors.ts";
import {
  createProblemSelector,
  type ProblemRules,
  type ProblemSelector,
} from "../../../recipe/builders/problem-selection.ts";
import type { PromptInstruction } from "../../../text/prompts.ts";
import type { Problem } from "../../../types.ts";
import { wholeNumber } from "../../number-options.ts";
import { printable } from "../../style.ts";
import { dropsLines } from "./drops-table.ts";
import type { ProblemInput, ProblemInputOptions } from "./problem-input.ts";

export interface SelectOptions extends ProblemInputOptions {
  out?: string;
  to?: ProblemDialect;
  prompt: PromptInstruction;
  writeSplit?: string;
  keepIndex?: boolean;
  limit?: number;
  drops?: string;
  dropped?: string;
  json?: boolean;
}

/** Adds the options that say what is written. */
export function addOutputOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--to <dialect>", "columns to write (default: those of the input)").choices(
        PROBLEM_DIALECTS,
      ),
    )
    .addOption(
      new Option("--prompt <instruction>", "what the rows' prompts ask for beyond the question")
        .choices(["plain", "boxed", "boxed_and_underline"])
        .default("plain"),
    )
    .option("--write-split <name>", "extra_info.split of verl rows")
    .option("--keep-index", "keep extra_info.index as it is in the input; rows are numbered from 0 otherwise")
    .option("--limit <n>", "keep the first n problems", wholeNumber(1))
    .option("--drops <file>", "write counts and examples of what was left out, as JSON")
    .option("--dropped <file>", "write every problem left out, with its reason (.jsonl or .jsonl.gz)")
    .option("--json", "print the result as JSON");
}

/** A selection that ran to its end. */
interface Pass {
  selector: ProblemSelector;
  dropped: RowFile | null;
}

/**
 * Streams the problems through the rules and writes those that are left.
 *
 * @param rules made anew for every pass: the output is written twice when a late row widens a column
 * @param command name for the report
 */
export async function selectProblems(
  command: string,
  input: ProblemInput,
  rules: () => ProblemRules,
  options: SelectOptions,
): Promise<void> {
  const { out, limit = Number.POSITIVE_INFINITY } = options;
  if (out !== undefined && !/\.(parquet|jsonl(\.gz)?)$/.test(out))
    throw new ConfigError(`--out: expected a name that ends in .parquet, .jsonl or .jsonl.gz, got ${out}`);
  let pass: Pass | null = null;
  async function* kept(): AsyncGenerator<Problem> {
    pass?.dropped?.discard();
    const dropped = options.dropped === undefined ? null : openRowFile(options.dropped, {});
    const selector = createProblemSelector(rules(), (row) => dropped?.write({ ...row }));
    pass = { selector, dropped };
    const assign = createIdAssigner(command, "name_source");
    let count = 0;
    for await (const problem of input.stream(selector.dropRow)) {
      if (!selector.judge(problem)) continue;
      if (count >= limit) selector.drop(problem, "beyond_limit", `limit ${limit}`);
      else {
        count++;
        selector.keep();
        yield assign(problem);
      }
    }
  }
  const dialect = options.to ?? dialectOf(await input.firstRow());
  let rows = 0;
  try {
    if (out === undefined) for await (const _ of kept()) rows++;
    else
      rows = await writeProblemFile(out, kept, {
        dialect,
        instruction: options.prompt,
        split: options.writeSplit,
        keepIndex: options.keepIndex,
      });
    (pass as Pass | null)?.dropped?.close();
  } finally {
    (pass as Pass | null)?.dropped?.discard();
  }
  const drops = (pass as Pass | null)!.selector.counter.file(command);
  if (drops.total === 0) throw new DataError(`${input.files.join(", ")}: expected problems, got none`);
  if (options.drops !== undefined) writeFileAtomic(options.drops, `${JSON.stringify(drops, null, 2)}\n`);
  const { commits } = input;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ out, dialect, rows, commits, drops })}\n`);
    return;
  }
  const lines = dropsLines(drops);
  for (const { name, revision, commit } of commits) lines.push(`${name} at ${revision}: commit ${commit}`);
  if (out !== undefined) lines.push(`${out}: ${rows} ${dialect} rows`);
  process.stdout.write(`${lines.map(printable).join("\n")}\n`);
}
