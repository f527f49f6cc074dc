/**
 * `polaris data convert`: problems of any format and column dialect to any other, JSON lines or Parquet, in bounded
 * memory. Source: recipe A1.6, A10.
 */
import { existsSync } from "node:fs";
import { Command } from "commander";
import { ConfigError } from "../../../errors.ts";
import { resolveReference } from "../../../recipe/references.ts";
import { createPromptMeasure } from "../../../text/prompt-length.ts";
import { wholeNumber } from "../../number-options.ts";
import { addInputOptions, openProblemInput, PROBLEMS_ARGUMENT } from "./problem-input.ts";
import { addOutputOptions, type SelectOptions, selectProblems } from "./select.ts";

interface ConvertOptions extends SelectOptions {
  out: string;
  dedupe?: boolean;
  verifiable?: boolean;
  model?: string;
  maxPromptTokens: number;
}

/** Folder of `builtin:<name>` or of a path. */
export function modelFolder(model: string): string {
  const reference = resolveReference(existsSync(model) ? `./${model}`.replace(/^\.\/\//, "/") : model, []);
  if (reference.kind !== "path") throw new ConfigError(`--model: expected a checkpoint folder, got ${model}`);
  return reference.path;
}

async function convert(paths: string[], options: ConvertOptions): Promise<void> {
  const input = await openProblemInput(paths, options);
  const { dedupe, verifiable, model, maxPromptTokens: limit } = options;
  const variant = { instruction: options.prompt, position: "after_suffix" } as const;
  const measure = model === undefined ? null : createPromptMeasure(modelFolder(model), variant);
  const rules = () => ({
    dedupe,
    requireVerifiable: verifiable,
    ...(measure === null ? {} : { tokens: { measure, limit } }),
  });
  await selectProblems("data convert", input, rules, options);
}

export function createConvertCommand(): Command {
  const command = new Command("convert")
    .description("Converts problems between POLARIS, verl, TRL and Polaris columns, JSON lines and Parquet.")
    .argument("<problems...>", PROBLEMS_ARGUMENT)
    .requiredOption("--out <file>", "rows to write: .parquet, .jsonl or .jsonl.gz");
  return addOutputOptions(addInputOptions(command))
    .option("--dedupe", "keep the first problem of each question")
    .option("--verifiable", "leave out problems whose own answer the grader does not accept")
    .option(
      "--model <folder>",
      "leave out prompts too long for this model: builtin:<name> or a checkpoint folder",
    )
    .option(
      "--max-prompt-tokens <n>",
      "longest prompt, chat template included",
      wholeNumber(1, 1_048_576),
      1024,
    )
    .action(convert);
}
