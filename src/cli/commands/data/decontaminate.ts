/**
 * `polaris data decontaminate`: leaves out problems that are a benchmark's question, in full, in part or with words
 * changed, and shows both texts. Source: `data/contamination.ts`.
 */
import { Command } from "commander";
import { createContaminationIndex } from "../../../data/contamination.ts";
import type { Problem } from "../../../types.ts";
import { share, wholeNumber } from "../../number-options.ts";
import { addInputOptions, openProblemInput, PROBLEMS_ARGUMENT } from "./problem-input.ts";
import { addOutputOptions, type SelectOptions, selectProblems } from "./select.ts";

interface DecontaminateOptions extends SelectOptions {
  against: string[];
  words: number;
  minWords: number;
  phraseQuestions: number;
  nearShare: number;
}

async function decontaminate(paths: string[], options: DecontaminateOptions): Promise<void> {
  const { against, words, minWords, phraseQuestions, nearShare } = options;
  const benchmarks: Problem[] = [];
  // Benchmarks have the usual columns; those named on the command line are the problems'.
  const reference = await openProblemInput(against, {});
  for await (const problem of reference.stream(() => {})) benchmarks.push(problem);
  const contamination = createContaminationIndex(benchmarks, {
    words,
    minWords,
    phraseQuestions,
    nearShare,
  });
  const input = await openProblemInput(paths, options);
  await selectProblems("data decontaminate", input, () => ({ contamination }), options);
}

export function createDecontaminateCommand(): Command {
  const command = new Command("decontaminate")
    .description(
      "Leaves out problems that are a benchmark's question, in full, in part or with words changed.",
    )
    .argument("<problems...>", PROBLEMS_ARGUMENT)
    .requiredOption("--against <benchmarks...>", "benchmarks, named as the problems are")
    .option("--out <file>", "rows to write: .parquet, .jsonl or .jsonl.gz; without it, only the report")
    .option("--words <n>", "words of a shared run", wholeNumber(3, 100), 13)
    .option("--min-words <n>", "shorter benchmark questions match only as a whole", wholeNumber(1, 100), 6)
    .option(
      "--phrase-questions <n>",
      "a run that this many benchmark questions share is a phrase; 0 = none is",
      wholeNumber(0, 1000),
      3,
    )
    .option(
      "--near-share <share>",
      "share of a benchmark question's words that makes a copy with words changed; 0 = none",
      share,
      0.6,
    );
  return addOutputOptions(addInputOptions(command)).action(decontaminate);
}
