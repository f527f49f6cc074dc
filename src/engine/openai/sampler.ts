/**
 * A Sampler over HTTP. Every response is a request of its own with its own seed, so that one failure costs one response
 * and a killed run loses only what was under way; servers share the prompt's work between them by their prefix caches.
 * A response that cannot be drawn is an error at the end of the call, never an empty or a wrong response.
 */
import { EngineError, InterruptedError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import type { ChatMessage } from "../../text/chat-template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Json } from "../../types.ts";
import type { Completion, SampleOptions, SampleRequest, Sampler } from "../seams.ts";
import { type Ask, type Dialect, faithfulLogprobs, type ServerFacts } from "./dialect.ts";
import { CERTIFICATE_HINT, isCertificateFailure, RequestFailure } from "./failure.ts";
import { runPool } from "./pool.ts";
import { type RequestSettings, requestJson } from "./request.ts";

/** A server that fails this many responses in a row, every attempt used up, is not coming back soon. */
const MAX_FAILURES_IN_A_ROW = 16;
/** Reasons shown in the error at the end. */
const MAX_REASONS = 3;
/** Answers carry text, ids and log-probabilities: llama.cpp needs about 400 bytes per token, others less. */
const BYTES_PER_TOKEN = 1024;
/** Every event of a stream repeats id, model and shape around its one token. */
const STREAM_BYTES_PER_TOKEN = 4096;
const BASE_BYTES = 2 ** 20;
/** `timeouts.total_ms: auto`: the queue and the prompt, then the response at the pace of a crowded server. */
const AUTO_BASE_MS = 600_000;
const AUTO_TOKENS_PER_SECOND = 5;
/** Tokens of responses under way are reported in portions: a report per token would cost more than the token. */
const REPORTED_TOKENS = 256;
/** Statuses that speak of one request: its prompt may be too long where others are not. */
const REQUEST_AT_FAULT = new Set([400, 413, 422]);

export interface OpenaiSamplerOptions {
  settings: RequestSettings;
  dialect: Dialect;
  facts: ServerFacts;
  /** Name sent with every request. */
  model: string;
  stop: readonly string[];
  /** Variables of the chat template. */
  templateVariables?: Readonly<Record<string, Json>>;
  /** Whole time for one response in milliseconds; auto = by its length. */
  totalMs: number | "auto";
  /** Requests under way at a time. */
  concurrency: number;
  /** The model's own tokenizer: prompts of a completions endpoint then go out as ids. */
  tokenizer?: Tokenizer;
  /** Closes what the settings hold open. */
  close?: () => void;
}

/** Whole time for one response in milliseconds. @param limit `timeouts.total_ms` */
export function responseTimeoutMs(limit: number | "auto", maxNewTokens: number): number {
  return limit === "auto" ? AUTO_BASE_MS + (1000 * maxNewTokens) / AUTO_TOKENS_PER_SECOND : limit;
}

/** Seeds fit 31 bits: llama.cpp takes 2^32 - 1 for a random one. */
function seedOf(request: SampleRequest, sample: number): number {
  return randomStream(request.seed, sample).uint32() >>> 1;
}

/** Remembers the last value: requests of one problem follow each other. */
function remembered<Value>(make: (key: string) => Value): (key: string) => Value {
  let last: { key: string; value: Value } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}

/** Turns conversations into texts by the server's template, each once; a failure is not remembered. */
type Render = (messages: readonly ChatMessage[], signal: AbortSignal) => Promise<string>;

function createRender(
  template: NonNullable<Dialect["render"]>,
  variables: Readonly<Record<string, Json>>,
  settings: RequestSettings,
): Render {
  let last: { key: string; text: Promise<string> } | undefined;
  return (messages, signal) => {
    const key = JSON.stringify(messages);
    if (last?.key === key) return last.text;
    const maxBytes = BASE_BYTES + 16 * key.length;
    const text = requestJson({ ...template(messages, variables), maxBytes, signal }, settings);
    const own = { key, text };
    last = own;
    text.catch(() => {
      if (last === own) last = undefined;
    });
    return text;
  };
}

/** Opens a sampler on servers that are known to be of this dialect. */
export function createOpenaiSampler(options: OpenaiSamplerOptions): Sampler {
  const { settings, dialect, facts, model, stop, concurrency, tokenizer, templateVariables = {} } = options;
  const chat = facts.endpoint === "chat";
  let limitField: Ask["limitField"] = "max_tokens";
  const encode = remembered((prompt) => tokenizer?.encode(prompt) ?? null);

  const askFor = async (
    request: SampleRequest,
    sample: number,
    render: Render | null,
    signal: AbortSignal,
  ): Promise<Ask> => {
    const { sampling } = request;
    const messages = request.messages ?? [{ role: "user" as const, content: request.prompt }];
    const prompt = render === null ? request.prompt : await render(messages, signal);
    return {
      model,
      messages: chat && render === null ? messages : null,
      prompt,
      promptTokens: chat ? null : encode(prompt),
      sampling,
      seed: seedOf(request, sample),
      stop,
      templateVariables,
      stream: facts.stream,
      limitField,
      logprobs: faithfulLogprobs(dialect.reported(facts, sampling), sampling),
    };
  };

  const drawOne: DrawOne<Ask> = async (ask, signal, onTokens) => {
    const { maxNewTokens } = ask.sampling;
    const promptBytes = 16 * (ask.prompt.length + JSON.stringify(ask.messages ?? "").length);
    const perToken = facts.stream ? STREAM_BYTES_PER_TOKEN : BYTES_PER_TOKEN;
    const maxBytes = BASE_BYTES + promptBytes + perToken * maxNewTokens;
    const totalMs = responseTimeoutMs(options.totalMs, maxNewTokens);
    const send = (asked: Ask): Promise<Completion> =>
      requestJson({ ...dialect.request(asked, facts), maxBytes, totalMs, signal, onTokens }, settings);
    try {
      return await send(ask);
    } catch (error) {
      const other = "max_completion_tokens";
      if (!(error instanceof RequestFailure) || error.status !== 400 || ask.limitField === other) throw error;
      if (facts.dialect !== "generic" || !error.message.includes(other)) throw error;
      limitField = other;
      return send({ ...ask, limitField });
    }
  };

  return {
    capabilities: dialect.capabilities(facts),
    tokenizer: tokenizer ?? null,
    remote: true,
    sample: (requests, sampleOptions) => {
      // Rendering ends with the call that asked for it.
      const render =
        chat && dialect.render !== undefined
          ? createRender(dialect.render, templateVariables, settings)
          : null;
      return drawAll({
        requests,
        options: sampleOptions ?? {},
        concurrency,
        drawOne: async ({ request, sample }, signal, onTokens) =>
          drawOne(await askFor(request, sample, render, signal), signal, onTokens),
      });
    },
    async close() {
      options.close?.();
    },
  };
}

/** The failure of one response among many, as the error that ends the call. */
function finalError(failed: number, total: number, reasons: readonly string[]): EngineError {
  const shown = reasons.slice(0, MAX_REASONS).join("; ");
  return new EngineError(`${failed} of ${total} responses could not be drawn: ${shown}`, {
    retryable: true,
    hint: "start again (a run with --resume): only these are asked for again",
    details: { failed, total, reasons },
  });
}

/** @param onTokens called with tokens of a stream as they come, those of attempts that fail later included */
type DrawOne<Wanted> = (
  wanted: Wanted,
  signal: AbortSignal,
  onTokens: (count: number) => void,
) => Promise<Completion>;

async function drawAll(call: {
  requests: readonly SampleRequest[];
  options: SampleOptions;
  concurrency: number;
  drawOne: DrawOne<{ request: SampleRequest; sample: number }>;
}): Promise<Completion[][]> {
  const { requests, options, concurrency, drawOne } = call;
  const { signal, onProgress, onResponse, onFailure, allowFailed = 0 } = options;
  const units = requests.flatMap(({ samples }, request) =>
    Array.from({ length: samples }, (_, sample) => ({ request, sample })),
  );
  const results = requests.map(({ samples }): Completion[] => new Array(onResponse ? 0 : samples));
  const reasons = new Set<string>();
  let done = 0;
  let tokens = 0;
  let unreported = 0;
  let failed = 0;
  let inARow = 0;
  /** The request whose refusal ended the call. */
  let stoppedAt: number | undefined;
  const onTokens = (count: number): void => {
    tokens += count;
    unreported += count;
    if (unreported < REPORTED_TOKENS) return;
    unreported = 0;
    onProgress?.(done, tokens);
  };
  /** Ends the call, unless other responses can be drawn or the caller leaves some out. */
  const endsCall = (error: RequestFailure): boolean =>
    error.kind === "fatal" && !(REQUEST_AT_FAULT.has(error.status ?? 0) && (done > 0 || allowFailed > 0));
  try {
    await runPool({
      tasks: units.length,
      concurrency,
      signal,
      async run(task, stopped) {
        const { request, sample } = units[task] as (typeof units)[number];
        let completion: Completion;
        let streamed = 0;
        try {
          const wanted = { request: requests[request] as SampleRequest, sample };
          completion = await drawOne(wanted, stopped, (count) => {
            streamed += count;
            onTokens(count);
          });
        } catch (error) {
          if (!(error instanceof RequestFailure)) throw error;
          if (endsCall(error)) {
            stoppedAt = request;
            throw error;
          }
          onFailure?.(request, sample, error.message);
          failed++;
          reasons.add(error.message);
          // Refusals that may be left out say nothing about the server's health.
          if (error.kind === "transient" || failed > allowFailed) inARow++;
          if (inARow >= MAX_FAILURES_IN_A_ROW) throw finalError(failed, units.length, [...reasons]);
          return;
        }
        inARow = 0;
        if (onResponse) onResponse(request, sample, completion);
        else (results[request] as Completion[])[sample] = completion;
        done++;
        tokens += Math.max(0, (completion.lengthTokens ?? completion.tokens.length) - streamed);
        unreported = 0;
        onProgress?.(done, tokens);
      },
    });
  } catch (error) {
    if (signal?.aborted)
      throw new InterruptedError(`stopped after ${done} of ${units.length} responses`, {
        hint: "start again (a run with --resume) to draw the others",
      });
    if (!(error instanceof RequestFailure)) throw error;
    throw new EngineError(error.message, {
      cause: error,
      hint: hintFor(error),
      details: {
        ...(error.status === undefined ? {} : { status: error.status }),
        ...(stoppedAt === undefined ? {} : { request: stoppedAt }),
        done,
        total: units.length,
      },
    });
  }
  if (failed > allowFailed) throw finalError(failed, units.length, [...reasons]);
  return results;
}

/** What to do about a refusal. */
function hintFor(failure: RequestFailure): string {
  const { status, message } = failure;
  if (isCertificateFailure(failure)) return CERTIFICATE_HINT;
  if (status === 401 || status === 403) return "check the key in the variable named by engine.api_key_env";
  if (status === 404) return "check engine.base_url and the name of the model";
  if (/context|too long|maximum.*(length|tokens)|max_model_len/i.test(message))
    return "lower sampling.max_new_tokens, leave out the long problems, or start the server with a longer context";
  return "the server refuses this request as it is; finished responses are kept";
}
