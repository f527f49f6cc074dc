/** `polaris data dedupe`: the first problem of each question, and which rows repeat or contradict it. Source: recipe C3 row 10. */
import { Command, Option } from "commander";
import { findContradictions } from "../../../recipe/builders/problem-selection.ts";
import { addInputOptions, openProblemInput, PROBLEMS_ARGUMENT } from "./problem-input.ts";
import { addOutputOptions, type SelectOptions, selectProblems } from "./select.ts";

interface DedupeOptions extends SelectOptions {
  contradictions: "keep_first" | "drop";
}

async function dedupe(paths: string[], options: DedupeOptions): Promise<void> {
  const input = await openProblemInput(paths, options);
  const contradicted =
    options.contradictions === "drop" ? await findContradictions(input.stream(() => {})) : undefined;
  await selectProblems("data dedupe", input, () => ({ dedupe: true, contradicted }), options);
}

export function createDedupeCommand(): Command {
  const command = new Command("dedupe")
    .description("Keeps the first problem of each question; instructions and spacing do not count.")
    .argument("<problems...>", PROBLEMS_ARGUMENT)
    .option("--out <file>", "rows to write: .parquet, .jsonl or .jsonl.gz; without it, only the report")
    .addOption(
      new Option(
        "--contradictions <rule>",
        "questions whose rows disagree about the answer: keep the first, or none",
      )
        .choices(["keep_first", "drop"])
        .default("keep_first"),
    );
  return addOutputOptions(addInputOptions(command)).action(dedupe);
}
