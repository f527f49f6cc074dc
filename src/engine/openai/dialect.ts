/**
 * What a dialect is: the request for one response in a server's own field names, every sampling field written out, and
 * the reading of its answer. Servers fill unset fields from the model's `generation_config.json` (Qwen3 ships top-k 20),
 * so an unset field is a field set by someone else.
 */
import type { ChatMessage } from "../../text/chat-template.ts";
import type { Json, SamplingParameters } from "../../types.ts";
import type { Completion, SamplerCapabilities } from "../seams.ts";

export type DialectName = "vllm" | "sglang" | "llama_cpp" | "generic";

/**
 * Which log-probabilities a server reports: of softmax(z), of softmax(z / T), or after temperature and filters.
 * Source: peers.md section 9; vLLM `--logprobs-mode`; SGLang `SGLANG_RETURN_ORIGINAL_LOGPROB`; llama.cpp
 * `post_sampling_probs`.
 */
export type ReportedLogprobs = "none" | "raw" | "tempered" | "processed";

/** The request for one response. */
export interface Ask {
  model: string;
  /** Conversation for a chat endpoint; null = the text is complete. */
  messages: readonly ChatMessage[] | null;
  prompt: string;
  /** The prompt's ids under the model's own tokenizer, where it is known here. */
  promptTokens: readonly number[] | null;
  sampling: SamplingParameters;
  /** 0..2^31-1, which every server accepts. */
  seed: number;
  stop: readonly string[];
  /** Variables of the chat template, under the template's own names. */
  templateVariables: Readonly<Record<string, Json>>;
  /** Token by token, as server-sent events. */
  stream: boolean;
  /** OpenAI's name of the limit; its own reasoning models refuse the older one. */
  limitField: "max_tokens" | "max_completion_tokens";
  /** What to ask for; none unless it would equal log softmax(z / T). */
  logprobs: ReportedLogprobs;
}

/** Puts the events of a stream together to the answer that the same server gives in one piece. */
export interface StreamFold {
  /** @returns response tokens the event brought, as far as can be seen */
  add(event: unknown): number;
  /** @throws {RequestFailure} when the stream ended before the response did */
  answer(): unknown;
}

export interface WireRequest {
  path: string;
  body: Record<string, Json>;
  /** Present when the answer is asked for as a stream; each attempt has its own. */
  fold?: () => StreamFold;
  /** @throws {RequestFailure} when the answer is not what was asked for */
  parse: (answer: unknown) => Completion;
}

/** What is known of a server before the first response. */
export interface ServerFacts {
  dialect: DialectName;
  /** As the server says it; empty when it does not. */
  version: string;
  endpoint: "chat" | "completions";
  /** The server was started so that equal seeds give equal responses. */
  deterministic: boolean;
  logprobs: "auto" | "none" | "raw" | "processed";
  /** Responses are taken token by token. */
  stream: boolean;
}

export interface Dialect {
  readonly name: DialectName;
  capabilities(facts: ServerFacts): SamplerCapabilities;
  /** Why responses cannot be streamed; null when they can. */
  unstreamable?(facts: ServerFacts): string | null;
  /** What the server reports at these settings; `none` when it is not to be asked. */
  reported(facts: ServerFacts, sampling: SamplingParameters): ReportedLogprobs;
  request(ask: Ask, facts: ServerFacts): WireRequest;
  /** Servers that answer in full only to text: the request that turns a conversation into it. */
  render?(
    messages: readonly ChatMessage[],
    templateVariables: Readonly<Record<string, Json>>,
  ): {
    path: string;
    body: Record<string, Json>;
    parse: (answer: unknown) => string;
  };
}

/** True when no filter is on: the distribution sampled from is softmax(z / T) itself. */
export function isUnfiltered({ topK, topP, minP }: SamplingParameters): boolean {
  return topK === 0 && topP === 1 && minP === 0;
}

/**
 * What is worth asking for: log-probabilities that equal log softmax(z / T) before top-k, top-p and min-p, the only ones
 * a rollout may carry. Greedy responses have none: z / 0 is no distribution.
 */
export function faithfulLogprobs(reported: ReportedLogprobs, sampling: SamplingParameters): ReportedLogprobs {
  const faithful =
    sampling.temperature > 0 &&
    (reported === "tempered" ||
      (reported === "raw" && sampling.temperature === 1) ||
      (reported === "processed" && isUnfiltered(sampling)));
  return faithful ? reported : "none";
}
