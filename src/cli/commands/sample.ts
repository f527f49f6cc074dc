/** `polaris sample`: a file of problems and a server in, a file of graded rollouts out; a stopped one continues. */
import { Command, Option } from "commander";
import type { z } from "zod";
import { openaiEngineSchema } from "../../config/engine.ts";
import { camelToSnake } from "../../config/key-case.ts";
import { graderSchema, MAX_SAMPLES, promptSchema, samplingSchema } from "../../config/stages/common.ts";
import { readProblems } from "../../data/problems.ts";
import { ConfigError } from "../../errors.ts";
import type { FailedResponse } from "../../recipe/journaled-sampling.ts";
import { sampleFile } from "../../recipe/sample-file.ts";
import { listenForInterrupt } from "../interrupt.ts";
import { createRenderer } from "../render.ts";
import { formatCount, formatSeconds, printable } from "../style.ts";
import { collect } from "./run.ts";

interface SampleCommandOptions {
  baseUrl: string[];
  out: string;
  model: string;
  samples: string;
  temperature: string;
  topP: string;
  topK: string;
  minP: string;
  maxNewTokens: string;
  seed: string;
  prompt: string;
  dialect: string;
  endpoint: string;
  tokenizer?: string;
  chatTemplateKwargs?: string;
  stop?: string[];
  logprobs: string;
  revision: string;
  stream?: boolean;
  allowFailed: string;
  apiKeyEnv?: string;
  concurrency: string;
  timeout: string;
  retries: string;
  limit?: string;
  grade: boolean;
  overwrite?: boolean;
  json?: boolean;
}

/** A validated value, or one line that names the option. */
function parseOptions<Value>(schema: z.ZodType<Value>, value: unknown): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = camelToSnake(String(issue?.path[0] ?? "")).replaceAll("_", "-");
  const message = issue?.message.endsWith("received NaN") ? "expected a number" : issue?.message;
  throw new ConfigError(`--${name}: ${message}`, { hint: "polaris sample --help" });
}

/** The variables of `--chat-template-kwargs`; their values are checked with the engine's keys. */
function parseVariables(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Said below, with every other value that is no object.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigError(
      `--chat-template-kwargs: expected a JSON object, for example '{"enable_thinking": false}', got ${text.slice(0, 80)}`,
    );
  return value as Record<string, unknown>;
}

/** Longest time a response may be given, in seconds: a day. */
const MAX_TIMEOUT_SECONDS = 86_400;

/** Seconds as milliseconds, or `auto`. */
function totalMs(text: string): number | "auto" {
  if (text === "auto") return text;
  const seconds = Number(text);
  if (text.trim() === "" || !(seconds >= 0.001 && seconds <= MAX_TIMEOUT_SECONDS))
    throw new ConfigError(
      `--timeout: expected auto, or seconds up to ${MAX_TIMEOUT_SECONDS}, got ${text.slice(0, 40)}`,
    );
  return Math.round(seconds * 1000);
}

/** An integer option within bounds. */
function integer(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < low || value > high)
    throw new ConfigError(`--${name}: expected an integer of ${low} to ${high}, got ${text.slice(0, 40)}`);
  return value;
}

/** Responses named on the terminal; the JSON summary has them all. */
const MAX_NAMED = 5;

/** What was left out and why: never counted as wrong. */
function leftOut(failed: readonly FailedResponse[]): string[] {
  if (failed.length === 0) return [];
  const shown = failed
    .slice(0, MAX_NAMED)
    .map(({ problemId, sample, reason }) => `  ${printable(`${problemId}#${sample}: ${reason}`)}`);
  return [
    `left out ${failed.length}, in no rollout and no count above`,
    ...shown,
    ...(failed.length > MAX_NAMED ? [`  and ${failed.length - MAX_NAMED} more`] : []),
  ];
}

async function sample(path: string, options: SampleCommandOptions): Promise<void> {
  const { json = false } = options;
  const engine = parseOptions(openaiEngineSchema, {
    kind: "openai",
    baseUrl: options.baseUrl,
    dialect: options.dialect,
    endpoint: options.endpoint,
    tokenizer: options.tokenizer,
    chatTemplateKwargs: parseVariables(options.chatTemplateKwargs),
    stop: options.stop,
    logprobs: options.logprobs,
    revision: options.revision,
    stream: options.stream,
    apiKeyEnv: options.apiKeyEnv,
    concurrency: Number(options.concurrency),
    retries: Number(options.retries),
    timeouts: { totalMs: totalMs(options.timeout) },
  });
  const sampling = parseOptions(samplingSchema, {
    temperature: Number(options.temperature),
    topP: Number(options.topP),
    topK: Number(options.topK),
    minP: Number(options.minP),
    maxNewTokens: Number(options.maxNewTokens),
  });
  const samplesPerProblem = integer("samples", options.samples, 1, MAX_SAMPLES);
  const seed = integer("seed", options.seed, 0, 4294967295);
  const limit = options.limit === undefined ? undefined : integer("limit", options.limit, 1, 2 ** 31);
  const problems = (await readProblems(path)).slice(0, limit);
  const renderer = createRenderer({ json });
  const interrupt = listenForInterrupt(() => renderer.line("stopping; finished responses are kept"));
  const stage = { stage: "sample", kind: options.model, index: 0, total: 1 };
  const startedMs = performance.now();
  const elapsed = (): number => (performance.now() - startedMs) / 1000;
  let drawn = 0;
  try {
    renderer.observe({ event: "stage-start", ...stage, attempt: 1 });
    const summary = await sampleFile({
      problems,
      engine,
      model: options.model,
      sampling,
      samplesPerProblem,
      prompt: parseOptions(promptSchema, options.prompt),
      grader: options.grade ? graderSchema.parse({}) : null,
      seed,
      out: options.out,
      overwrite: options.overwrite,
      allowFailed: integer("allow-failed", options.allowFailed, 0, 2 ** 31),
      signal: interrupt.signal,
      onProgress: (done, steps, tokens, failed) => {
        drawn = tokens;
        const values: Record<string, number> = failed > 0 ? { failed } : {};
        const event = { event: "stage-progress", stage: "sample" } as const;
        renderer.observe({ ...event, values, done, steps, tokens, seconds: elapsed() });
      },
    });
    const seconds = elapsed();
    renderer.close();
    if (json) {
      process.stdout.write(
        `${JSON.stringify({ event: "summary", out: options.out, ...summary, seconds })}\n`,
      );
      return;
    }
    const share = (count: number): string => `${((100 * count) / summary.responses).toFixed(1)}%`;
    const lines = [
      `${options.out}: ${summary.responses} responses to ${summary.problems} problems, ${formatCount(summary.tokens)} tokens, ${formatSeconds(seconds)}${drawn > 0 ? `, ${formatCount(drawn / seconds)} tok/s` : ""}`,
      ...(summary.correct === null ? [] : [`correct ${summary.correct} (${share(summary.correct)})`]),
      `truncated ${summary.truncated} (${share(summary.truncated)})`,
      ...(summary.graderErrors > 0 ? [`not gradable ${summary.graderErrors}`] : []),
      ...leftOut(summary.failed),
    ];
    for (const line of lines) renderer.line(line);
  } finally {
    renderer.close();
    interrupt.dispose();
  }
}

export function createSampleCommand(): Command {
  return new Command("sample")
    .description(
      "Draws responses to a file of problems from a vLLM, SGLang, llama.cpp or other OpenAI-compatible server. Repeat the command to continue a stopped one: finished responses are never asked for again.",
    )
    .argument("<problems>", "JSONL or Parquet problems, any column dialect")
    .requiredOption(
      "--url, --base-url <url>",
      "address of the server, with or without /v1; repeat it for replicas",
      collect,
    )
    .requiredOption(
      "--out <file>",
      "rollouts as JSONL, gzip by name; a name without an ending becomes a store",
    )
    .option("--model <name>", "name the server lists; default: the only one", "default")
    .option("--samples <n>", "responses per problem", "8")
    .option("--temperature <t>", "0 = greedy", "1")
    .option("--top-p <p>", "1 = off", "1")
    .option("--top-k <k>", "0 = off", "0")
    .option("--min-p <p>", "0 = off", "0")
    .option("--max-tokens, --max-new-tokens <n>", "response limit in tokens", "4096")
    .option("--seed <n>", "seed of the requests", "0")
    .addOption(
      new Option("--prompt <instruction>", "what follows the question")
        .choices(["plain", "boxed", "boxed_and_underline"])
        .default("boxed"),
    )
    .addOption(
      new Option("--dialect <name>", "whose field names are sent")
        .choices(["auto", "vllm", "sglang", "llama_cpp", "generic"])
        .default("auto"),
    )
    .addOption(
      new Option(
        "--endpoint <name>",
        "chat: the server's chat template; completions: bare text, or the template of --tokenizer",
      )
        .choices(["chat", "completions"])
        .default("chat"),
    )
    .option("--tokenizer <folder>", "tokenizer and chat template for --endpoint completions")
    .option(
      "--chat-template-kwargs <json>",
      "variables of the chat template, for example '{\"enable_thinking\": false}'",
    )
    .option("--stop <text>", "text that ends a response, beside the end token; repeatable", collect)
    .addOption(
      new Option("--logprobs <kind>", "which log-probabilities the server reports; none = never asked for")
        .choices(["auto", "none", "raw", "processed"])
        .default("auto"),
    )
    .option("--revision <label>", "your label of the weights, kept in every rollout as model@label", "")
    .option("--stream", "take responses token by token: live tok/s, silence noticed early")
    .option("--api-key-env <name>", "environment variable that holds the API key")
    .option("--concurrency <n>", "requests under way at a time", "64")
    .option("--timeout <seconds>", "for one whole response; auto = by the response limit", "auto")
    .option("--retries <n>", "further attempts after a transient failure", "6")
    .option(
      "--allow-failed <n>",
      "responses that may be left out when they cannot be drawn, instead of an error; never counted as wrong",
      "0",
    )
    .option("--limit <n>", "use only the first n problems")
    .option("--no-grade", "write no verdicts")
    .option("--overwrite", "replace the output file")
    .option("--json", "print one JSON object per event instead of text")
    .action(sample);
}
