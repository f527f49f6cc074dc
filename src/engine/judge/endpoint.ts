/**
 * A judge behind an OpenAI-compatible chat endpoint: one question, one reply. Requests go out as the sampler's do
 * (engine/openai/request.ts); here stands what a failure means: it ends one question where only that one is at fault,
 * and the study where no question will be answered. What is asked and how replies are read is
 * consensus/judge-similarity.ts. Source: peers.md section 5.
 */
import { z } from "zod";
import { ConfigError, EngineError, InterruptedError } from "../../errors.ts";
import { parseShape } from "../openai/answers.ts";
import { CERTIFICATE_HINT, isCertificateFailure, RequestFailure } from "../openai/failure.ts";
import { openConnections } from "../openai/http.ts";
import { type RequestSettings, requestJson } from "../openai/request.ts";
import { createServers } from "../openai/servers.ts";

export interface JudgeEndpointOptions {
  /** With or without `/v1` at the end. */
  baseUrl: string;
  model: string;
  /** Name of the environment variable with the API key; the key is in no message and no file. */
  apiKeyEnv?: string;
  temperature?: number;
  /** Length of a reply, reasoning included. Tokens. */
  maxTokens?: number;
  /** A reply that is not complete by then counts as hanging. */
  timeoutMs?: number;
  /** Further attempts after a transient failure. */
  retries?: number;
  /** Wait before the first further attempt; doubles each time, up to a minute. */
  retryBaseMs?: number;
  signal?: AbortSignal;
  environment?: NodeJS.ProcessEnv;
}

/** The reply to one question, or why there is none although the service is well. */
export type JudgeAnswer = { reply: string } | { refused: string };

export interface JudgeEndpoint {
  model: string;
  /** What shapes a reply beside the question; part of the cache key. */
  settings: { model: string; temperature: number; maxTokens: number };
  /**
   * @throws {EngineError} when the service cannot be used or stays away; {InterruptedError} when the signal fires
   */
  ask(question: string): Promise<JudgeAnswer>;
}

/** A reply is a few kilobytes; a server that sends more is not answering the question. */
const MAX_BODY_BYTES = 2 ** 22;
/** Until the connection stands. Milliseconds. */
const CONNECT_MS = 10_000;
/** Connections kept at most; how many are used is the study's concurrency. */
const MAX_CONNECTIONS = 1024;
/** The question is at fault, for example longer than the judge's context: the others may still be answered. */
const QUESTION_AT_FAULT = new Set([400, 413, 422]);

const replySchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish() }) })).min(1),
});

function readKey(options: JudgeEndpointOptions): string | undefined {
  if (options.apiKeyEnv === undefined) return undefined;
  const key = (options.environment ?? process.env)[options.apiKeyEnv];
  if (key === undefined || key === "")
    throw new ConfigError(`judge: the environment variable ${options.apiKeyEnv} is not set`, {
      hint: `export ${options.apiKeyEnv}=<key>, or leave api_key_env out for a server without keys`,
    });
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new ConfigError(`judge: ${options.apiKeyEnv} holds spaces or characters no key has`);
  return key;
}

/** @throws {ConfigError} for anything but plain http(s) */
function checkAddress(baseUrl: string): void {
  let url: URL | null = null;
  try {
    url = new URL(baseUrl);
  } catch {
    // Said below, with the other addresses that cannot be used.
  }
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}${url.search}` !== "")
    throw new ConfigError(
      "judge: expected an address like http://localhost:8000/v1, without name, key or query",
    );
}

/** What to do about a service that answers no question. */
function hintFor(failure: RequestFailure): string {
  if (isCertificateFailure(failure)) return CERTIFICATE_HINT;
  return failure.status === 401 || failure.status === 403
    ? "give the name of the environment variable with the key: api_key_env"
    : "check the address and the model's name";
}

/** Opens the endpoint; nothing is sent yet. @throws {ConfigError} for an unusable address or a missing key */
export function createJudgeEndpoint(options: JudgeEndpointOptions): JudgeEndpoint {
  const { model, temperature = 0, maxTokens = 4096, timeoutMs = 120_000, signal } = options;
  const { retries = 5, retryBaseMs = 500 } = options;
  checkAddress(options.baseUrl);
  const settings: RequestSettings = {
    servers: createServers([options.baseUrl]),
    connections: openConnections(MAX_CONNECTIONS),
    secret: readKey(options),
    timeouts: { connectMs: CONNECT_MS, idleMs: timeoutMs, totalMs: timeoutMs },
    retries,
    retryBaseMs,
  };
  /** OpenAI's own reasoning models refuse the older name; other servers may not know the newer one. */
  let limitField: "max_tokens" | "max_completion_tokens" = "max_tokens";

  const send = (question: string): Promise<string> =>
    requestJson(
      {
        path: "/v1/chat/completions",
        body: {
          model,
          messages: [{ role: "user", content: question }],
          temperature,
          [limitField]: maxTokens,
          stream: false,
        },
        maxBytes: MAX_BODY_BYTES,
        // A reply that is all reasoning is empty text.
        parse: (answer) => parseShape(replySchema, answer).choices[0]?.message.content ?? "",
        signal,
      },
      settings,
    );

  const ask = async (question: string): Promise<JudgeAnswer> => {
    const sentField = limitField;
    try {
      return { reply: await send(question) };
    } catch (cause) {
      if (signal?.aborted) throw new InterruptedError("stopped while the judge was asked", { cause });
      if (!(cause instanceof RequestFailure)) throw cause;
      const { kind, status, message } = cause;
      if (kind === "transient") throw new EngineError(`judge: ${message}`, { cause, retryable: true });
      if (status === 400 && sentField === "max_tokens" && message.includes("max_completion_tokens")) {
        limitField = "max_completion_tokens";
        return ask(question);
      }
      if (kind === "refused" || QUESTION_AT_FAULT.has(status ?? 0)) return { refused: message };
      throw new EngineError(`judge: ${message}`, { cause, hint: hintFor(cause), details: { status } });
    }
  };

  return { model, settings: { model, temperature, maxTokens }, ask };
}
