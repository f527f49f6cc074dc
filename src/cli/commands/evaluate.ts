/**
 * `polaris evaluate`: one model on files of problems without writing a recipe. It writes the recipe itself and runs it, so
 * that an interrupted evaluation goes on when the command is repeated, and a recipe's evaluation is the same thing. Each
 * way of asking has a folder of its own: another temperature never replaces a result.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { writeFileAtomic } from "../../data/atomic.ts";
import type { EvaluationFile } from "../../recipe/evaluation/evaluation-file.ts";
import { evaluationMarkdown } from "../../recipe/evaluation/markdown.ts";
import { readEvaluation } from "../../recipe/evaluation/read-evaluation.ts";
import type { Json } from "../../types.ts";
import {
  defaultFolder,
  EVALUATION_STAGE,
  type EvaluateCommandOptions,
  evaluateRecipe,
} from "../evaluate-recipe.ts";
import { comparisonTable, scoreTable } from "../evaluation-table.ts";
import { createStyle, printable, wantsColor } from "../style.ts";
import { collect } from "./run.ts";

function number(minimum: number, maximum: number, whole = false): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= minimum && value <= maximum) || (whole && !Number.isInteger(value)))
      throw new InvalidArgumentError(
        `Expected ${whole ? "a whole number" : "a number"} from ${minimum} to ${maximum}.`,
      );
    return value;
  };
}

function numberList(text: string): number[] {
  return text.split(",").map(number(1, 4096, true));
}

/** `minerva=4`, added to those before it. */
function samplesOf(
  text: string,
  before: [string, number][] = [],
): NonNullable<EvaluateCommandOptions["samplesOf"]> {
  const cut = text.lastIndexOf("=");
  if (cut < 1) throw new InvalidArgumentError("Expected <benchmark>=<n>, for example minerva=4.");
  return [...before, [text.slice(0, cut), number(1, 4096, true)(text.slice(cut + 1))]];
}

/** Runs the recipe in its folder and returns the folder. */
async function runEvaluation(recipe: Json, options: EvaluateCommandOptions): Promise<string> {
  const [
    { parseLocated },
    { checkRecipe },
    { applyOverride },
    session,
    { runRecipe },
    { createRenderer },
    { listenForInterrupt },
  ] = await Promise.all([
    import("../../config/located.ts"),
    import("../../config/check.ts"),
    import("../../config/overrides.ts"),
    import("../run-session.ts"),
    import("../../recipe/runner.ts"),
    import("../render.ts"),
    import("../interrupt.ts"),
  ]);
  const kinds = await session.loadStageKinds();
  // JSON is YAML: the tree knows which key of the command's recipe an error is about.
  let tree = parseLocated(JSON.stringify(recipe, null, 1), "polaris evaluate");
  for (const override of options.set ?? []) tree = applyOverride(tree, override);
  const checked = checkRecipe(tree, session.schemasOf(kinds));
  const folder = options.runDir ?? defaultFolder(checked.name, recipe, options.set ?? []);
  const runFolder = resolve(folder);
  const renderer = createRenderer({ json: options.json === true });
  const interrupt = listenForInterrupt(() =>
    renderer.line("stopping after the responses in hand; press Ctrl-C again to stop now"),
  );
  try {
    await runRecipe({
      recipe: checked,
      tree,
      kinds,
      runFolder,
      resume: options.overwrite !== true,
      overwrite: options.overwrite,
      signal: interrupt.signal,
      observe: renderer.observe,
    });
  } finally {
    renderer.close();
    interrupt.dispose();
  }
  return folder;
}

/** Writes the result where the user wants it; a name ending in .md gets the tables instead. */
function deliver(file: EvaluationFile, path: string, out: string): void {
  writeFileAtomic(out, out.endsWith(".md") ? evaluationMarkdown(file) : readFileSync(path));
}

/** Where the result lies, and how to look at the responses. */
function closingLines(folder: string, file: EvaluationFile, kept: boolean): string[] {
  const wrong = file.rows.some(({ metric, value }) => metric.startsWith("avg@") && value < 1);
  const shown = /^[\w@%+=:,./-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`;
  return [
    `result     ${join(folder, "evaluations", `${EVALUATION_STAGE}.json`)}`,
    `tables     ${join(folder, "stages", EVALUATION_STAGE, "evaluation.md")}`,
    kept
      ? `responses  polaris rollouts show ${shown}${wrong ? " --wrong" : ""}`
      : "responses  were not kept; --keep-rollouts keeps them",
  ].map(printable);
}

export function createEvaluateCommand(): Command {
  return new Command("evaluate")
    .description(
      "Samples a model on problems and scores it: avg@k, pass@k, maj@k with intervals, truncated and boxless responses apart from wrong ones. Repeat the command to continue an interrupted one.",
    )
    .argument("<model>", "checkpoint folder, builtin:<name>, or served:<name> with --base-url")
    .argument(
      "<problems...>",
      "JSONL or Parquet files, or practice:chain,inverse for built-in benchmarks; the column `source` or `data_source` names the benchmark",
    )
    .option("-n, --samples <n>", "responses per problem, k of avg@k", number(1, 4096, true), 4)
    .option(
      "--samples-of <benchmark=n>",
      "another number of responses for one benchmark, for example minerva=4; repeatable",
      samplesOf,
    )
    .option(
      "--limit <n>",
      "only the first n problems of each benchmark, to try things out",
      number(1, 1_000_000, true),
    )
    .option("-t, --temperature <t>", "logits are divided by it; 0 = greedy", number(0, 10), 1)
    .option(
      "--top-k <k>",
      "0 = off; at temperatures above 1 it moves scores by points",
      number(0, 1_000_000, true),
      0,
    )
    .option("--top-p <p>", "1 = off", number(0, 1), 1)
    .option("--min-p <p>", "0 = off", number(0, 1), 0)
    .requiredOption("--max-new-tokens <n>", "response limit in tokens", number(1, 1_048_576, true))
    .addOption(
      new Option("--prompt <instruction>", "what follows the question")
        .choices(["plain", "boxed", "boxed_and_underline"])
        .default("boxed"),
    )
    .addOption(
      new Option("--grader <mode>", "how answers are compared")
        .choices(["strict", "compat"])
        .default("strict"),
    )
    .addOption(
      new Option("--answer-from <where>", "where the answer is looked for")
        .choices(["last_boxed", "think_close"])
        .default("last_boxed"),
    )
    .option("--arm <name>", "name of the model in tables")
    .option(
      "--against <model>",
      "a second model, sampled with the same seeds and compared problem by problem",
    )
    .option("--count <n>", "problems per practice benchmark", number(1, 100_000, true), 100)
    .option("--seed <n>", "seed of the draws", number(0, 4294967295, true), 0)
    .option("--pass-at <list>", "k of pass@k, for example 1,8,32", numberList)
    .option(
      "--hardest <n>",
      "compare on the n problems the reference does worst on, with fresh samples",
      number(1, 10_000, true),
    )
    .option("--rope-factor <f>", "YaRN: longest length over the original length", number(1, 1024))
    .option(
      "--rope-original <n>",
      "YaRN: length the model was trained at, in tokens",
      number(1, 16_777_216, true),
    )
    .option(
      "--rope-attention-scale <s>",
      "YaRN: what cos and sin are multiplied by; 1 leaves attention alone",
      number(0.01, 16),
    )
    .option("--base-url <url>", "OpenAI-compatible server to sample from; the model is then a name it serves")
    .option("--keep-rollouts", "keep the responses themselves")
    .option(
      "--run-dir <folder>",
      "where the evaluation is kept; default: a folder under runs/ for each way of asking",
    )
    .option("--overwrite", "start over instead of continuing")
    .option("--out <file>", "copy the result here: .json, or .md for the tables")
    .option("--set <path=value>", "change a key of the recipe the command writes; repeatable", collect)
    .option("--json", "print JSON")
    .action(async (model: string, problems: string[], options: EvaluateCommandOptions) => {
      const folder = await runEvaluation(evaluateRecipe(model, problems, options), options);
      const path = join(folder, "evaluations", `${EVALUATION_STAGE}.json`);
      const file = readEvaluation(path);
      if (options.out !== undefined) deliver(file, path, options.out);
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ event: "evaluation", file: path, rows: file.rows, comparisons: file.comparisons })}\n`,
        );
        return;
      }
      const style = createStyle(wantsColor(process.stdout.isTTY === true));
      const lines = [
        "",
        ...scoreTable(file, style),
        ...comparisonTable(file.comparisons ?? [], style),
        ...((file.comparisons ?? []).length === 0 ? [] : [""]),
        ...closingLines(folder, file, options.keepRollouts === true),
      ];
      process.stdout.write(`${lines.join("\n")}\n`);
    });
}
