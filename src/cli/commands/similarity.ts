/**
 * `polaris similarity`: the similarity study of responses from anywhere, with an optional judge. The study itself is
 * recipe/comparison/similarity.ts, which the stage of that name runs too. Source: recipe B2, D77 to D79.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { writeFileAtomic } from "../../data/atomic.ts";
import { type CachedJudge, createCachedJudge } from "../../engine/judge/cached-judge.ts";
import { createJudgeEndpoint } from "../../engine/judge/endpoint.ts";
import { openReplyCache } from "../../engine/judge/reply-cache.ts";
import { ConfigError } from "../../errors.ts";
import { buildSimilarityFile } from "../../recipe/comparison/similarity.ts";
import { type ComparedFilesOptions, describeRead, readComparedFiles } from "../compared-files.ts";
import { listenForInterrupt } from "../interrupt.ts";
import { wholeNumber } from "../number-options.ts";
import { similarityLines } from "../similarity-table.ts";

interface SimilarityCommandOptions extends ComparedFilesOptions {
  maxResponses: number;
  resamples: number;
  seed: number;
  judge?: string;
  judgeModel?: string;
  judgeKeyEnv?: string;
  judgePairs: number;
  judgeConcurrency: number;
  judgeTemperature: number;
  judgeMaxTokens: number;
  judgeTimeoutMs: number;
  judgeRetries: number;
  judgeCache: string;
  out?: string;
  json?: boolean;
}

function temperature(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 2))
    throw new InvalidArgumentError("Expected a number from 0 to 2.");
  return value;
}

/** Options every command that compares responses has. */
export function addComparedOptions(command: Command): Command {
  return command
    .argument(
      "<rollouts...>",
      "files of responses in any dialect, rollout stores, or folders runs/<run>/stages/<stage>",
    )
    .option("--problems <file>", "the problems, where the rows do not hold questions and answers")
    .option(
      "--limit-tokens <n>",
      "token limit of the responses, for files without finish reasons",
      wholeNumber(1),
    )
    .addOption(
      new Option("--grader <mode>", "strict, or the V1 grader bug for bug")
        .choices(["strict", "compat"])
        .default("strict"),
    )
    .addOption(
      new Option("--matching <level>", "two steps are one result: same text, same tokens or same mathematics")
        .choices(["exact", "latex", "symbolic"])
        .default("symbolic"),
    );
}

async function openJudge(
  options: SimilarityCommandOptions,
  signal: AbortSignal,
): Promise<CachedJudge | null> {
  if (options.judge === undefined) return null;
  if (options.judgeModel === undefined)
    throw new ConfigError("--judge needs --judge-model, the judge's name at that server");
  const endpoint = createJudgeEndpoint({
    baseUrl: options.judge,
    model: options.judgeModel,
    apiKeyEnv: options.judgeKeyEnv,
    temperature: options.judgeTemperature,
    maxTokens: options.judgeMaxTokens,
    timeoutMs: options.judgeTimeoutMs,
    retries: options.judgeRetries,
    signal,
  });
  return createCachedJudge(endpoint, await openReplyCache(options.judgeCache));
}

async function similarity(paths: string[], options: SimilarityCommandOptions): Promise<void> {
  const note = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  const interrupt = listenForInterrupt(() =>
    note("stopping; answered pairs are kept, the same command goes on"),
  );
  try {
    const judge = await openJudge(options, interrupt.signal);
    const { summary, compared } = await readComparedFiles(paths, options);
    let shown = 0;
    const file = await buildSimilarityFile(compared, {
      stage: "similarity",
      model: paths.join(", "),
      seed: options.seed,
      resamples: options.resamples,
      maxResponses: options.maxResponses,
      ...(judge === null
        ? {}
        : {
            judge: {
              judge,
              pairsPerClass: options.judgePairs,
              concurrency: options.judgeConcurrency,
              onJudged(done: number, total: number) {
                const tenth = Math.floor((10 * done) / total);
                if (tenth === shown) return;
                shown = tenth;
                note(`judged ${done} of ${total} pairs, ${judge.counts.cached} from ${options.judgeCache}`);
              },
            },
          }),
    });
    const result = { ...file, read: summary, seed: options.seed, matching: options.matching };
    if (options.out !== undefined) writeFileAtomic(options.out, `${JSON.stringify(result, null, 2)}\n`);
    const lines = options.json
      ? [JSON.stringify(result)]
      : [...describeRead(summary), "", ...similarityLines(file)];
    process.stdout.write(`${lines.join("\n")}\n`);
  } finally {
    interrupt.dispose();
  }
}

export function createSimilarityCommand(): Command {
  return addComparedOptions(new Command("similarity"))
    .description("Do two responses share intermediate results, by whether they are right or wrong?")
    .option(
      "--max-responses <n>",
      "responses of one problem that are compared at most",
      wholeNumber(2, 4096),
      256,
    )
    .option("--resamples <n>", "bootstrap draws of the intervals", wholeNumber(100, 100_000), 1000)
    .option("--seed <n>", "of the bootstrap and of the pairs a judge sees", wholeNumber(0, 4_294_967_295), 0)
    .option("--judge <url>", "OpenAI-compatible server of a judge that scores pairs from 1 to 10")
    .option("--judge-model <name>", "the judge's name at that server")
    .option("--judge-key-env <name>", "environment variable with the API key")
    .option("--judge-pairs <n>", "pairs per class and problem that are judged", wholeNumber(1, 10_000), 8)
    .option("--judge-concurrency <n>", "calls at a time", wholeNumber(1, 1024), 8)
    .option("--judge-temperature <t>", "of the judge", temperature, 0)
    .option("--judge-max-tokens <n>", "length of a reply, reasoning included", wholeNumber(16, 131_072), 4096)
    .option("--judge-timeout-ms <n>", "until a reply must be complete", wholeNumber(1, 86_400_000), 120_000)
    .option("--judge-retries <n>", "further attempts after a transient failure", wholeNumber(0, 100), 5)
    .option("--judge-cache <file>", "replies that were paid for; never asked again", "judge-replies.jsonl")
    .option("--out <file>", "write the study as JSON")
    .option("--json", "print the study as one JSON line")
    .action(similarity);
}
