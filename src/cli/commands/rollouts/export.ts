/** `polaris rollouts export`: rollouts as JSON lines, Parquet, columns of TRL and verl, or one compressed store. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { openRowFile } from "../../../data/row-file.ts";
import { ConfigError } from "../../../errors.ts";
import {
  ROLLOUT_FORMATS,
  ROLLOUT_SCHEMAS,
  type RolloutFormat,
  rolloutRow,
} from "../../../store/rollouts/export-rows.ts";
import { openRolloutReader } from "../../../store/rollouts/open.ts";
import { openRolloutSink } from "../../../store/rollouts/sink.ts";
import { findRolloutParts, type RolloutPart, streamParts } from "../../../store/rollouts/source.ts";
import { type PromptInstruction, promptMessages } from "../../../text/prompts.ts";
import type { Problem, Rollout } from "../../../types.ts";
import { formatCount, printable } from "../../style.ts";
import { addFilterOptions, type FilterOptions, openReading } from "./filter-options.ts";
import { readProblemsOf } from "./problems.ts";

interface ExportOptions extends FilterOptions {
  out: string;
  format: RolloutFormat;
  problems?: string;
  prompt: PromptInstruction;
}

const ROW_FILE = /\.(parquet|jsonl|jsonl\.gz)$/;

/** The records themselves: JSON lines as stages read them, or a new store. */
async function exportRecords(path: string, rollouts: AsyncIterable<Rollout>): Promise<number> {
  const sink = openRolloutSink(path);
  try {
    for await (const rollout of rollouts) sink.write(rollout);
    sink.close();
  } finally {
    sink.discard();
  }
  return sink.rollouts;
}

/** A file of rows with the columns of a format. */
async function exportRows(
  paths: readonly string[],
  rollouts: AsyncIterable<Rollout>,
  options: ExportOptions,
): Promise<number> {
  const { out, format, prompt } = options;
  const problems = format === "polaris" ? undefined : await readProblemsOf(paths, options.problems);
  const file = openRowFile(out, ROLLOUT_SCHEMAS[format]);
  try {
    for await (const rollout of rollouts) {
      const problem = problems?.get(rollout.problemId);
      const messagesOf = ({ prompt: question }: Problem) =>
        promptMessages(question, { instruction: prompt, position: "after_suffix" });
      file.write(rolloutRow(format, rollout, { problem, messagesOf }));
    }
    file.close();
  } finally {
    file.discard();
  }
  return file.rows;
}

/** @throws {ConfigError} when the output cannot be what is asked, or would replace what is read */
function checkOutput({ out, format }: ExportOptions, parts: readonly RolloutPart[]): void {
  if (parts.some(({ path }) => resolve(path) === resolve(out)))
    throw new ConfigError(`--out ${out}: expected another place than what is read`);
  if (ROW_FILE.test(out)) return;
  if (format !== "polaris")
    throw new ConfigError(
      `--out ${out}: expected a file .parquet, .jsonl or .jsonl.gz for --format ${format}`,
    );
  if (existsSync(out))
    throw new ConfigError(
      `--out ${out}: expected a new folder for a store, or .parquet, .jsonl or .jsonl.gz`,
    );
}

export function createExportCommand(): Command {
  const command = new Command("export").description(
    "Writes rollouts as JSON lines, Parquet, columns of TRL or verl, or one compressed store.",
  );
  return addFilterOptions(command)
    .requiredOption("--out <path>", ".parquet, .jsonl or .jsonl.gz; a new folder becomes a store")
    .addOption(
      new Option("--format <name>", "columns: the record itself, TRL preference rows, verl rollout dumps")
        .choices(ROLLOUT_FORMATS)
        .default("polaris"),
    )
    .option(
      "--problems <file>",
      "problems the rollouts answer, for trl and verl; those of the run by default",
    )
    .addOption(
      new Option("--prompt <instruction>", "what followed the question, for trl and verl")
        .choices(["plain", "boxed", "boxed_and_underline"])
        .default("plain"),
    )
    .action(async (paths: string[], options: ExportOptions) => {
      const reading = openReading(options);
      const parts = findRolloutParts(paths);
      checkOutput(options, parts);
      const rollouts = streamParts(parts, reading.stream);
      const asRows = options.format !== "polaris" || options.out.endsWith(".parquet");
      const count = asRows
        ? await exportRows(paths, rollouts, options)
        : await exportRecords(options.out, rollouts);
      const bytes = ROW_FILE.test(options.out)
        ? statSync(options.out).size
        : openRolloutReader(options.out).size().bytes;
      process.stdout.write(
        `${printable(options.out)}: ${count} rollouts, ${formatCount(bytes)}B${count > 0 ? `, ${formatCount(bytes / count)}B each` : ""}\n`,
      );
      reading.finish();
    });
}
