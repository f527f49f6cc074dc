/**
 * Responses from anywhere: files of rollouts or results that Polaris, verl, TRL, SkyRL, vLLM, OpenAI-compatible servers,
 * lm-eval and the V1 evaluation wrote, each response beside the problem it answers. JSONL (gzip by name) or Parquet;
 * the dialect is read off the columns of each row (rollout-columns.ts).
 *
 * One question is one problem, whatever ids its rows carry. With `problems`, rows are matched to them by question, then
 * by id, and their answers are the ones that count; rows of other questions are left out and counted.
 */
import { DataError } from "../errors.ts";
import type { FinishReason, Json, Problem } from "../types.ts";
import { readJsonl } from "./jsonl.ts";
import { readParquet } from "./parquet-read.ts";
import { createProblemIndex } from "./rollout-problem.ts";
import { parseRolloutRow, type RolloutRow } from "./rollout-row.ts";

/** A response with as much of a Rollout as its file tells. */
export interface AnyRollout {
  problem: Problem;
  text: string;
  /** Index within the responses of one problem, stage and step, from 0. */
  sample: number;
  /** 0 where the file has no steps. */
  step: number;
  /** The file's own stage, otherwise its dialect. */
  stage: string;
  /** Model or weights, or "" when the file does not say. */
  policyVersion: string;
  finishReason: FinishReason;
  /** True when the file does not say how the response ended, see `assumeFinish`. */
  finishAssumed: boolean;
  /** Tokens of the response where recorded. */
  lengthTokens: number | null;
  /** Reward or correctness somebody else recorded; never used as a verdict. */
  score: number | null;
  dialect: string;
  /** `file:line`. */
  where: string;
}

export interface ReadAnyOptions {
  /** Problems the responses belong to; otherwise the rows must hold questions and answers. */
  problems?: readonly Problem[];
  /**
   * Token limit the responses were sampled with. Where a file has token counts and no finish reasons, a response that
   * reached it without a box was cut.
   */
  limitTokens?: number;
  /** Called for a row whose problem is not among `problems`. */
  onUnmatched?: (where: string) => void;
  /** Rows of a path, for what is no file, such as a store. @default JSONL or Parquet by name */
  rows?: (path: string) => AsyncIterable<{ value: Json; where: string }>;
}

/** Responses of a file or several, with their problems. */
export interface AnyRollouts {
  rollouts: AnyRollout[];
  /** In order of first appearance, or as given. */
  problems: Problem[];
  /** Rows of each dialect. */
  dialects: Record<string, number>;
  /** Rows left out because their question is not among the given problems. */
  unmatchedRows: number;
  /** Responses whose file does not say how they ended. */
  assumedFinish: number;
}

/** More responses than any study holds in memory. */
const MAX_RESPONSES = 5_000_000;

/**
 * How a response ended whose file does not say: `stop`, unless it has no box and its recorded length reached the limit.
 * A response without a box is wrong either way; what is at stake is whether it counts as truncated.
 */
export function assumeFinish(text: string, lengthTokens: number | null, limitTokens?: number): FinishReason {
  const reached = lengthTokens !== null && limitTokens !== undefined && lengthTokens >= limitTokens;
  return reached && !text.includes("\\boxed") ? "length" : "stop";
}

async function* rowsOf(
  path: string,
  read: NonNullable<ReadAnyOptions["rows"]> = (file) =>
    file.endsWith(".parquet") ? readParquet(file) : readJsonl(file),
): AsyncGenerator<{ row: RolloutRow; where: string }> {
  for await (const { value, where } of read(path)) yield { row: parseRolloutRow(value, where), where };
}

/**
 * Streams the responses of files in order.
 *
 * @param paths JSONL, JSONL.gz or Parquet
 * @throws {DataError} naming file and line of the first row that no dialect fits, that has no question or no answer
 *   where no problems are given, or whose answer contradicts an earlier row of the same question
 */
export async function* streamAnyRollouts(
  paths: readonly string[],
  options: ReadAnyOptions = {},
): AsyncGenerator<AnyRollout> {
  const index = createProblemIndex(options.problems);
  const samples = new Map<string, number>();
  for (const path of paths) {
    for await (const { row, where } of rowsOf(path, options.rows)) {
      const problem = index.resolve(row, where);
      if (problem === null) {
        options.onUnmatched?.(where);
        continue;
      }
      const stage = row.stage ?? row.dialect;
      const step = row.step ?? 0;
      const group = JSON.stringify([problem.id, stage, step]);
      for (const response of row.responses) {
        const sample = response.sample ?? samples.get(group) ?? 0;
        samples.set(group, Math.max(samples.get(group) ?? 0, sample + 1));
        yield {
          problem,
          text: response.text,
          sample,
          step,
          stage,
          policyVersion: row.policyVersion ?? "",
          finishReason:
            response.finishReason ?? assumeFinish(response.text, response.tokens, options.limitTokens),
          finishAssumed: response.finishReason === null,
          lengthTokens: response.tokens,
          score: response.score,
          dialect: row.dialect,
          where,
        };
      }
    }
  }
}

/**
 * All responses of one file or several.
 *
 * @throws {DataError} as `streamAnyRollouts`, or when there is no response at all
 */
export async function readAnyRollouts(
  paths: string | readonly string[],
  options: ReadAnyOptions = {},
): Promise<AnyRollouts> {
  const files = typeof paths === "string" ? [paths] : paths;
  const rollouts: AnyRollout[] = [];
  const problems = new Map<string, Problem>(options.problems?.map((problem) => [problem.id, problem]));
  const rows = new Map<string, Set<string>>();
  let unmatchedRows = 0;
  let assumedFinish = 0;
  const onUnmatched = (where: string): void => {
    unmatchedRows++;
    options.onUnmatched?.(where);
  };
  for await (const rollout of streamAnyRollouts(files, { ...options, onUnmatched })) {
    if (rollouts.length >= MAX_RESPONSES)
      throw new DataError(`${rollout.where}: expected at most ${MAX_RESPONSES} responses`);
    rollouts.push(rollout);
    problems.set(rollout.problem.id, rollout.problem);
    const seen = rows.get(rollout.dialect);
    if (seen === undefined) rows.set(rollout.dialect, new Set([rollout.where]));
    else seen.add(rollout.where);
    if (rollout.finishAssumed) assumedFinish++;
  }
  if (rollouts.length === 0)
    throw new DataError(
      unmatchedRows > 0
        ? `${files.join(", ")}: none of ${unmatchedRows} rows belongs to the ${problems.size} problems given`
        : `${files.join(", ")}: expected responses, got none`,
    );
  return {
    rollouts,
    problems: [...problems.values()],
    dialects: Object.fromEntries([...rows].map(([name, seen]) => [name, seen.size])),
    unmatchedRows,
    assumedFinish,
  };
}

/** Responses of each problem, shape [problems][samples], in the order of `problems`; may be empty for some. */
export function groupAnyRollouts({
  rollouts,
  problems,
}: Pick<AnyRollouts, "rollouts" | "problems">): AnyRollout[][] {
  const groups = new Map<string, AnyRollout[]>(problems.map(({ id }) => [id, []]));
  for (const rollout of rollouts) groups.get(rollout.problem.id)?.push(rollout);
  return problems.map(({ id }) => groups.get(id) as AnyRollout[]);
}
