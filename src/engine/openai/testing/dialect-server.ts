/**
 * Servers that speak as vLLM, SGLang, llama.cpp and a plain OpenAI-compatible one do, with answers in the documented
 * shapes. Texts come from the test; ids are made up from them. For tests.
 */
import type { ServerResponse } from "node:http";
import type { DialectName } from "../dialect.ts";
import { llamaEvents, openaiEvents, type StreamManners, sendEvents } from "./event-server.ts";
import { type StubHandler, type StubRequest, type StubServer, sendJson, startStub } from "./stub-server.ts";

/** One response of the fake model. */
export interface FakeResponse {
  text: string;
  /** Thoughts that a reasoning parser has split off; chat endpoints only. */
  reasoning?: string;
  /** Default: stop. */
  finish?: "stop" | "length" | "abort";
}

export interface DialectServerOptions {
  dialect: DialectName;
  /** Names `/v1/models` lists. */
  models?: string[];
  /** vLLM only. */
  version?: string;
  /** The response to a request that asks for one. */
  respond: (request: StubRequest) => FakeResponse;
  /** How streams are sent; `count` generation requests came before. */
  manners?: (count: number) => StreamManners;
  /** llama.cpp only. */
  slots?: number;
  /** Sees a generation request first; true = it has answered. */
  intercept?: (request: StubRequest, answer: ServerResponse, count: number) => boolean;
  /** Sees a request for llama.cpp's template first; true = it has answered. */
  templates?: (answer: ServerResponse) => boolean;
}

/** One id per character, and a log-probability that depends on it. */
export function fakeTokens(text: string): { ids: number[]; logprobs: number[] } {
  const ids = [...text].map((character) => character.codePointAt(0) as number);
  return { ids, logprobs: ids.map((id) => -(id % 8) / 4) };
}

const PROMPT_IDS = [11, 12, 13];
const LLAMA_STOPS = { stop: "eos", length: "limit", abort: "none" } as const;

/** Paths that draw a response. */
export function isGeneration({ path }: StubRequest): boolean {
  return ["/v1/completions", "/v1/chat/completions", "/generate", "/completion"].includes(path);
}

function openaiAnswer(request: StubRequest, response: FakeResponse, dialect: DialectName): unknown {
  const { text, reasoning, finish = "stop" } = response;
  const { ids, logprobs } = fakeTokens(text);
  const body = request.body ?? {};
  const chat = request.path === "/v1/chat/completions";
  const scored = body["logprobs"] !== undefined && body["logprobs"] !== false;
  const named = (id: number): string => (body["return_tokens_as_token_ids"] ? `token_id:${id}` : "x");
  const withIds = dialect === "vllm" && body["return_token_ids"] === true;
  return {
    id: "cmpl-1",
    object: chat ? "chat.completion" : "text_completion",
    created: 1,
    model: body["model"],
    ...(withIds && chat ? { prompt_token_ids: PROMPT_IDS } : {}),
    choices: [
      {
        index: 0,
        ...(chat
          ? {
              message: {
                role: "assistant",
                content: text,
                ...(reasoning === undefined ? {} : { reasoning }),
              },
            }
          : { text }),
        finish_reason: finish,
        logprobs: !scored
          ? null
          : chat
            ? {
                content: ids.map((id, i) => ({
                  token: named(id),
                  logprob: logprobs[i],
                  bytes: [],
                  top_logprobs: [],
                })),
              }
            : {
                tokens: ids.map(named),
                token_logprobs: logprobs,
                text_offset: ids.map((_, i) => i),
                top_logprobs: [],
              },
        ...(withIds ? { token_ids: ids } : {}),
        ...(withIds && !chat ? { prompt_token_ids: PROMPT_IDS } : {}),
      },
    ],
    usage: { prompt_tokens: PROMPT_IDS.length, completion_tokens: ids.length, total_tokens: ids.length + 3 },
  };
}

function sglangAnswer(request: StubRequest, { text, finish = "stop" }: FakeResponse): unknown {
  const { ids, logprobs } = fakeTokens(text);
  return {
    text,
    output_ids: ids,
    meta_info: {
      id: "r1",
      finish_reason: finish === "stop" ? { type: "stop", matched: 2 } : { type: finish, length: ids.length },
      prompt_tokens: PROMPT_IDS.length,
      completion_tokens: ids.length,
      cached_tokens: 0,
      ...(request.body?.["return_logprob"]
        ? { output_token_logprobs: ids.map((id, i) => [logprobs[i], id, null]) }
        : {}),
    },
  };
}

function llamaAnswer(request: StubRequest, { text, finish = "stop" }: FakeResponse): unknown {
  const { ids, logprobs } = fakeTokens(text);
  const { n_probs, post_sampling_probs } = request.body ?? {};
  return {
    index: 0,
    content: text,
    tokens: ids,
    id_slot: 0,
    stop: true,
    model: "m",
    tokens_predicted: ids.length,
    tokens_evaluated: PROMPT_IDS.length,
    generation_settings: {},
    prompt: request.body?.["prompt"],
    has_new_line: false,
    truncated: false,
    stop_type: LLAMA_STOPS[finish],
    stopping_word: "",
    tokens_cached: 0,
    timings: {},
    ...(Number(n_probs) > 0
      ? {
          completion_probabilities: ids.map((id, i) => ({
            id,
            token: "x",
            bytes: [],
            ...(post_sampling_probs ? { prob: Math.exp(logprobs[i] as number) } : { logprob: logprobs[i] }),
          })),
        }
      : {}),
  };
}

function eventsOf(request: StubRequest, response: FakeResponse, dialect: DialectName): unknown[] {
  const { text, reasoning, finish = "stop" } = response;
  if (request.path === "/completion") return llamaEvents({ text, stopType: LLAMA_STOPS[finish] });
  return openaiEvents(request, {
    text,
    reasoning,
    finish,
    scored: fakeTokens(text),
    withIds: dialect === "vllm" && request.body?.["return_token_ids"] === true,
    promptIds: PROMPT_IDS,
  });
}

/** Starts a server of a dialect. */
export function startDialectServer(options: DialectServerOptions): Promise<StubServer> {
  const { dialect, models = ["m"], version = "0.11.0", respond, intercept } = options;
  const owner = { vllm: "vllm", sglang: "sglang", llama_cpp: "llamacpp", generic: "someone" }[dialect];
  const facts: Record<string, unknown> = {
    "/v1/models": {
      object: "list",
      data: models.map((id) => ({ id, object: "model", owned_by: owner })),
    },
    ...(dialect === "vllm" ? { "/version": { version } } : {}),
    ...(dialect === "sglang" ? { "/get_model_info": { model_path: "/models/m", is_generation: true } } : {}),
    ...(dialect === "llama_cpp"
      ? {
          "/props": {
            default_generation_settings: {},
            total_slots: options.slots ?? 4,
            build_info: "b1-abc",
          },
        }
      : {}),
  };
  let generations = 0;
  const handler: StubHandler = (request, answer, count) => {
    if (request.method === "GET") {
      const fact = facts[request.path];
      if (fact === undefined) sendJson(answer, { detail: "Not Found" }, 404);
      else sendJson(answer, fact);
      return;
    }
    if (request.path === "/apply-template") {
      if (options.templates?.(answer)) return;
      const messages = request.body?.["messages"] as { role: string; content: string }[];
      sendJson(answer, {
        prompt: `${messages.map(({ role, content }) => `<${role}>${content}`).join("")}<assistant>`,
      });
      return;
    }
    if (intercept?.(request, answer, count)) return;
    const response = respond(request);
    if (request.body?.["stream"] === true) {
      sendEvents(answer, eventsOf(request, response, dialect), options.manners?.(generations++));
      return;
    }
    if (request.path === "/generate") sendJson(answer, sglangAnswer(request, response));
    else if (request.path === "/completion") sendJson(answer, llamaAnswer(request, response));
    else sendJson(answer, openaiAnswer(request, response, dialect));
  };
  return startStub(handler);
}
