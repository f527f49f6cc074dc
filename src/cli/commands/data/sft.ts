/**
 * `polaris data sft`: responses of any dialect to a set a format SFT learns from, as rows of TRL or verl. The rules are
 * those of the sft_data stage. Source: recipe B3.
 */
import { Command, Option } from "commander";
import { writeFileAtomic } from "../../../data/atomic.ts";
import { streamAnyRollouts } from "../../../data/rollout-dialects.ts";
import { openRowFile } from "../../../data/row-file.ts";
import { SFT_FORMATS, SFT_SCHEMAS, type SftFormat, sftRow } from "../../../data/training-rows.ts";
import { DataError } from "../../../errors.ts";
import {
  learntText,
  type SftCandidate,
  type SftRules,
  type SftSelection,
  selectSft,
} from "../../../recipe/builders/sft-selection.ts";
import { createVocabulary, type Vocabulary } from "../../../recipe/builders/vocabulary.ts";
import { promptMessages } from "../../../text/prompts.ts";
import { limitOrNone, wholeNumber } from "../../number-options.ts";
import { openResponseFiles, type ResponseFiles } from "../../response-files.ts";
import { dropsLines } from "./drops-table.ts";
import { addPromptOptions, type PromptOptions, promptOf } from "./prompt-options.ts";

interface SftOptions extends PromptOptions {
  out: string;
  format: SftFormat;
  problems?: string;
  model?: string;
  requiredSpans: number;
  maxTokens: number;
  overlong: SftRules["overlong"];
  maxPerProblem?: number;
  choose: SftRules["choose"];
  dedupe: boolean;
  allowIncorrect?: boolean;
  allowUnfinished?: boolean;
  grader: "strict" | "compat";
  seed: number;
  drops?: string;
  json?: boolean;
}

interface Candidate extends SftCandidate {
  generator: string;
}

/** All responses in order; a row of an unknown problem stands for its responses. */
async function* readCandidates({ files, problems, rows }: ResponseFiles): AsyncGenerator<Candidate> {
  const unmatched: string[] = [];
  const nobody = (): Candidate[] =>
    unmatched.splice(0).map((where) => ({
      problem: null,
      problemId: where,
      text: "",
      finishReason: "stop",
      lengthTokens: null,
      generator: "",
    }));
  const onUnmatched = (where: string): void => {
    unmatched.push(where);
  };
  const rollouts = streamAnyRollouts(files, { problems, rows, onUnmatched });
  for await (const { problem, text, finishReason, policyVersion, stage, dialect } of rollouts) {
    yield* nobody();
    // The file's token counts leave out the prompt: only the student's vocabulary counts both.
    const generator = dialect === "polaris" || policyVersion === "" ? stage : policyVersion;
    yield { problem, problemId: problem.id, text, finishReason, lengthTokens: null, generator };
  }
  yield* nobody();
}

/** Second pass: writes the chosen responses. @returns rows written */
async function writeChosen(
  input: ResponseFiles,
  options: SftOptions,
  selection: SftSelection,
  vocabulary: Vocabulary | null,
): Promise<number> {
  const variant = promptOf(options);
  const file = openRowFile(options.out, SFT_SCHEMAS[options.format]);
  try {
    let ordinal = 0;
    for await (const { text, generator } of readCandidates(input)) {
      const choice = selection.choices.get(ordinal++);
      if (choice === undefined) continue;
      const { problem, spans } = choice;
      const messages = promptMessages(problem.prompt, variant);
      const response = learntText(text, choice, vocabulary?.tokenizer ?? null);
      const row = { problem, messages, response, index: file.rows, generator, spans };
      file.write(sftRow(options.format, row));
    }
    file.close();
  } finally {
    file.discard();
  }
  return file.rows;
}

async function buildSft(paths: string[], options: SftOptions): Promise<void> {
  const input = await openResponseFiles(paths, options.problems);
  const vocabulary = options.model === undefined ? null : createVocabulary(options.model, promptOf(options));
  const { requiredSpans, maxTokens, overlong, maxPerProblem, choose, dedupe, seed } = options;
  const selection = await selectSft({
    candidates: () => readCandidates(input),
    rules: {
      requireCorrect: options.allowIncorrect !== true,
      requireFinished: options.allowUnfinished !== true,
      requiredSpans,
      maxTokens,
      overlong,
      ...(maxPerProblem === undefined ? {} : { maxPerProblem }),
      choose,
      dedupe,
    },
    grader: { mode: options.grader, answerFrom: "last_boxed" },
    vocabulary,
    seed,
  });
  const drops = selection.drops.file("data sft");
  if (options.drops !== undefined) writeFileAtomic(options.drops, `${JSON.stringify(drops, null, 2)}\n`);
  if (selection.choices.size === 0)
    throw new DataError(
      `none of ${drops.total} responses is left to learn from: ${drops.reasons
        .filter(({ count }) => count > 0)
        .map(({ reason, count }) => `${reason} ${count}`)
        .join(", ")}`,
      { hint: "loosen --required-spans or --max-tokens, or see the examples with --drops FILE" },
    );
  const rows = await writeChosen(input, options, selection, vocabulary);
  const { out, format, prompt, position } = options;
  if (options.json)
    process.stdout.write(`${JSON.stringify({ out, format, rows, prompt, position, drops })}\n`);
  else
    process.stdout.write(
      `${[...dropsLines(drops), `${out}: ${rows} rows for ${format}, prompts ${prompt} (${position})`].join("\n")}\n`,
    );
}

export function createSftCommand(): Command {
  const command = new Command("sft")
    .description("Builds the rows a format SFT learns from out of responses, for TRL or verl.")
    .argument(
      "<responses...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .requiredOption("--out <file>", "rows to write: .parquet, .jsonl or .jsonl.gz")
    .addOption(
      new Option("--format <format>", "TRL prompt and completion, TRL messages, or verl")
        .choices(SFT_FORMATS)
        .default("trl"),
    )
    .option("--problems <file>", "problems the responses answer, where the rows do not hold them")
    .option("--model <folder>", "the student: its tokenizer and chat template count tokens")
    .option(
      "--required-spans <n>",
      "distinct \\underline{} results a response needs",
      wholeNumber(0, 1000),
      3,
    )
    .option("--max-tokens <n|none>", "limit of prompt and response together", limitOrNone(2), 16_384)
    .addOption(
      new Option("--overlong <what>", "what happens to longer responses")
        .choices(["drop", "truncate"])
        .default("drop"),
    )
    .option("--max-per-problem <k>", "responses of one problem at most", wholeNumber(1))
    .addOption(
      new Option("--choose <which>", "which of more responses stay")
        .choices(["first", "shortest", "random"])
        .default("first"),
    )
    .option("--no-dedupe", "keep responses of one problem with the same text")
    .option("--allow-incorrect", "keep wrong responses too")
    .option("--allow-unfinished", "keep truncated responses too")
    .addOption(
      new Option("--grader <mode>", "strict, or the V1 grader bug for bug")
        .choices(["strict", "compat"])
        .default("strict"),
    )
    .option("--seed <n>", "seed of --choose random", wholeNumber(0, 4294967295), 0)
    .option("--drops <file>", "write what was left out, with examples, as JSON")
    .option("--json", "print one JSON object");
  return addPromptOptions(command).action(buildSft);
}
