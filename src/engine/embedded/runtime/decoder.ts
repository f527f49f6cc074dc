/**
 * The decoding loop of one lane: prompts are prefilled once for all their samples, sequences at different positions share
 * a batch, finished ones leave it at once and waiting ones take their place. Uniforms come from one stream per sample, so
 * a response does not depend on what else is in the batch except through floating-point rounding.
 */
import { InterruptedError } from "../../../errors.ts";
import { type RandomStream, randomStream } from "../../../random.ts";
import type { Qwen3Config } from "../../../tensors/qwen3-config.ts";
import { packPrompts } from "../model/packed-batch.ts";
import { type CacheShape, KeyValueCache } from "./key-value-cache.ts";
import { CONTROL, type DecodedSequence, type DecodeJob } from "./messages.ts";
import type { Feed, GraphSession } from "./session.ts";

export interface DecoderSessions {
  prefill(): Promise<GraphSession>;
  decode(filtered: boolean): Promise<GraphSession>;
}

export interface DecodeOptions {
  config: Qwen3Config;
  sessions: DecoderSessions;
  /** Parameters and rotary tables. */
  feeds: Record<string, Feed>;
  /** Sequences in the batch at once. */
  maxRows: number;
  endTokenId: number | null;
  control: Int32Array;
}

/** New prompts wait until this share of the batch is free, so that prefill runs on batches too. */
const REFILL_SHARE = 0.25;

/** A sequence being decoded. */
interface Row {
  job: DecodeJob;
  result: DecodedSequence;
  stream: RandomStream;
  /** Position of the token to feed next. */
  position: number;
  token: number;
}

function needsFilter({ temperature, topK, topP, minP }: DecodeJob["sampling"]): boolean {
  return temperature === 0 || topK > 0 || topP < 1 || minP > 0;
}

/** Runs the prompts' shared part and hands each admitted sequence its keys and values. */
async function prefill(
  rows: readonly Row[],
  firstSlot: number,
  cache: KeyValueCache,
  options: DecodeOptions,
) {
  const prompts = [...new Set(rows.map((row) => row.job.promptTokens))];
  cache.reserve(Math.max(...prompts.map((prompt) => prompt.length)));
  if (prompts.every((prompt) => prompt.length === 1)) {
    for (const [i] of rows.entries()) cache.clear(firstSlot + i);
    return;
  }
  const block = packPrompts(prompts, options.config);
  const session = await options.sessions.prefill();
  const results = await session.run({
    ...options.feeds,
    ...block.feeds,
    tokens: { data: Int32Array.from(block.tokens), shape: [block.rows] },
    positions: { data: BigInt64Array.from(block.positions, BigInt), shape: [block.rows, 1] },
  });
  rows.forEach((row, i) => {
    const start = block.starts[prompts.indexOf(row.job.promptTokens)] as number;
    cache.fill(firstSlot + i, results, start, row.job.promptTokens.length - 1);
  });
}

/** Inputs of one step that do not live in the cache. */
function stepFeeds(rows: readonly Row[], filtered: boolean): Record<string, Feed> {
  const count = rows.length;
  const column = (value: (row: Row) => number): Feed => ({
    data: Float32Array.from(rows, value),
    shape: [count, 1],
  });
  return {
    tokens: { data: Int32Array.from(rows, (row) => row.token), shape: [count] },
    positions: { data: BigInt64Array.from(rows, (row) => BigInt(row.position)), shape: [count, 1] },
    uniforms: column((row) => row.stream.uniform()),
    inverse_temperature: column(({ job }) =>
      job.sampling.temperature === 0 ? 1 : 1 / job.sampling.temperature,
    ),
    ...(filtered
      ? {
          top_k: column(({ job: { sampling } }) =>
            sampling.temperature === 0 ? 1 : sampling.topK > 0 ? sampling.topK : 2 ** 24,
          ),
          top_p: column(({ job }) => job.sampling.topP),
          min_p: column(({ job }) => job.sampling.minP),
        }
      : {}),
  };
}

/** Appends a drawn token; true when the sequence is finished. */
function accept(row: Row, token: number, logprob: number, endTokenId: number | null): boolean {
  row.result.tokens.push(token);
  row.result.logprobs.push(logprob);
  row.token = token;
  row.position += 1;
  if (token === endTokenId) return true;
  if (row.result.tokens.length < row.job.sampling.maxNewTokens) return false;
  row.result.finishReason = "length";
  return true;
}

/**
 * Draws every job's samples; result[i][j] is sample j of job i.
 * @throws {InterruptedError} when the control flag asks to stop
 */
export async function decode(
  jobs: readonly DecodeJob[],
  options: DecodeOptions,
): Promise<DecodedSequence[][]> {
  const { config, control, maxRows } = options;
  const results = jobs.map((job) =>
    Array.from(
      { length: job.samples },
      (): DecodedSequence => ({ tokens: [], logprobs: [], finishReason: "stop" }),
    ),
  );
  const waiting = jobs.flatMap((job, i) =>
    (results[i] as DecodedSequence[]).map(
      (result, sample): Row => ({
        job,
        result,
        stream: randomStream(job.seed, "sample", sample),
        position: job.promptTokens.length - 1,
        token: job.promptTokens[job.promptTokens.length - 1] as number,
      }),
    ),
  );
  const filtered = jobs.some((job) => needsFilter(job.sampling));
  const session = await options.sessions.decode(filtered);
  const shape: CacheShape = { layers: config.layers, heads: config.keyValueHeads, headDim: config.headDim };
  const cache = new KeyValueCache(shape, Math.min(maxRows, waiting.length));
  const rows: Row[] = [];
  let next = 0;
  while (rows.length > 0 || next < waiting.length) {
    if (Atomics.load(control, CONTROL.stop) === 1) throw new InterruptedError("sampling was stopped");
    const free = maxRows - rows.length;
    if (next < waiting.length && (rows.length === 0 || free >= maxRows * REFILL_SHARE)) {
      const admitted = waiting.slice(next, next + free);
      next += admitted.length;
      await prefill(admitted, rows.length, cache, options);
      rows.push(...admitted);
    }
    cache.reserve(Math.max(...rows.map((row) => row.position)) + 1);
    const output = await session.run({
      ...options.feeds,
      ...stepFeeds(rows, filtered),
      ...cache.feeds(rows.length),
    });
    const tokens = output["token"] as Int32Array;
    const logprobs = output["logprob"] as Float32Array;
    cache.append(
      output,
      rows.map((row) => row.position),
    );
    let finished = 0;
    for (let slot = rows.length - 1; slot >= 0; slot--) {
      if (!accept(rows[slot] as Row, tokens[slot] as number, logprobs[slot] as number, options.endTokenId))
        continue;
      finished += 1;
      // The last row takes the free slot, so the batch stays dense.
      const last = rows.length - 1;
      cache.move(last, slot);
      rows[slot] = rows[last] as Row;
      rows.pop();
    }
    Atomics.add(control, CONTROL.tokens, tokens.length);
    if (finished > 0) Atomics.add(control, CONTROL.done, finished);
  }
  return results;
}
