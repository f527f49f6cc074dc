/**
 * A JSON request that is repeated while repeating can help: exponential waits with jitter, `Retry-After` honoured, the
 * next server tried where there are several. A refusal that would come again ends it at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import { randomStream } from "../../random.ts";
import type { StreamFold } from "./dialect.ts";
import { createEventParser } from "./event-stream.ts";
import { cleanMessage, eventFailure, malformed, RequestFailure, statusFailure } from "./failure.ts";
import { type Answer, type Connections, type ExchangeLimits, exchange } from "./http.ts";
import type { Servers } from "./servers.ts";

/** The longest wait between two attempts, unless the server asks for more. */
const MAX_WAIT_MS = 60_000;
/** Times in a row a busy server may ask one request to wait: hours at the usual waits, and an end. */
const MAX_THROTTLED = 200;
/** A kept connection that was closed meanwhile is replaced at once; more often than this it is a failure. */
const MAX_STALE = 3;

/** How requests are sent and repeated. */
export interface RequestSettings {
  servers: Servers;
  connections?: Connections;
  /** API key; sent as a bearer token, taken out of every message. */
  secret?: string;
  timeouts: { connectMs: number; idleMs: number; totalMs: number };
  /** Attempts after the first. */
  retries: number;
  /** Wait before the second attempt; doubles each time. */
  retryBaseMs: number;
  /** Waits; replaced in tests. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface JsonRequest<Value> {
  method?: "GET" | "POST";
  /** Begins with a slash; the server's address stands before it. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Largest answer in bytes. */
  maxBytes: number;
  /** Whole time allowed; default that of the settings. */
  totalMs?: number;
  /** @throws {RequestFailure} when the answer is not what it should be */
  parse: (answer: unknown) => Value;
  /** Takes the answer as a stream of events, where the server sends one. */
  fold?: () => StreamFold;
  /** Response tokens of a stream as they come, those of attempts that fail later included. */
  onTokens?: (count: number) => void;
  signal?: AbortSignal;
}

const jitter = randomStream(0, "openai", "retry");

function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal });
}

/** Half to the whole of an exponentially growing wait. The wait decides nothing but the time. */
function backoffMs(attempt: number, baseMs: number): number {
  return Math.min(MAX_WAIT_MS, baseMs * 2 ** attempt) * (0.5 + jitter.uniform() / 2);
}

function parseJson(text: string, secret: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw malformed(`JSON (${cleanMessage((cause as Error).message, secret).slice(0, 80)})`);
  }
}

function parseAnswer<Value>(
  answer: Answer,
  fold: StreamFold | undefined,
  request: JsonRequest<Value>,
  secret: string | undefined,
): Value {
  const { status, headers, body, streamed } = answer;
  if (status < 200 || status > 299)
    throw statusFailure({ status, retryAfter: headers["retry-after"], body, secret, nowMs: Date.now() });
  // A server that does not stream answers in one piece.
  const value = streamed && fold !== undefined ? fold.answer() : parseJson(body.toString("utf8"), secret);
  return request.parse(value);
}

/** Reads the events of one attempt into its fold. */
function readEvents(
  fold: StreamFold,
  request: Pick<JsonRequest<unknown>, "onTokens">,
  secret: string | undefined,
): (piece: Buffer) => void {
  const parser = createEventParser((data) => {
    if (data === "[DONE]") return;
    const event = parseJson(data, secret);
    const failure = eventFailure(event, secret);
    if (failure !== null) throw failure;
    const tokens = fold.add(event);
    if (tokens > 0) request.onTokens?.(tokens);
  });
  return (piece) => parser.push(piece);
}

/** The failure with the address in front, as the user reads it. */
function located(failure: RequestFailure, place: string, attempts: number): RequestFailure {
  const tried = attempts > 1 ? ` (${attempts} attempts)` : "";
  return new RequestFailure(failure.kind, `${place}: ${failure.message}${tried}`, {
    cause: failure,
    ...(failure.status === undefined ? {} : { status: failure.status }),
  });
}

/**
 * Sends a request until it succeeds, is refused for good, or its attempts are used up.
 *
 * @throws {RequestFailure} with the address and the server's own message; transient when the attempts are used up
 * @throws the signal's reason when it fires
 */
export async function requestJson<Value>(
  request: JsonRequest<Value>,
  settings: RequestSettings,
): Promise<Value> {
  const { servers, secret, timeouts, retries, retryBaseMs, sleep = sleepFor } = settings;
  const { signal } = request;
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const headers: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const limits: ExchangeLimits = {
    ...timeouts,
    totalMs: request.totalMs ?? timeouts.totalMs,
    maxBytes: request.maxBytes,
  };
  const method = request.method ?? (body === undefined ? "GET" : "POST");
  let attempt = 0;
  let throttled = 0;
  let stale = 0;
  for (;;) {
    const { server, waitMs, done } = servers.take();
    const url = `${server.base}${request.path}`;
    try {
      if (waitMs > 0) await sleep(waitMs, signal);
      // After a stale connection the next attempt opens its own.
      const connections = stale > 0 ? undefined : settings.connections;
      const fold = request.fold?.();
      const onEvents = fold === undefined ? undefined : readEvents(fold, request, secret);
      const answer = await exchange({ method, url, headers, body, limits, connections, signal, onEvents });
      const value = parseAnswer(answer, fold, request, secret);
      servers.answered(server);
      return value;
    } catch (error) {
      if (signal?.aborted || !(error instanceof RequestFailure)) throw error;
      if (error.stale && stale < MAX_STALE) {
        stale++;
        continue;
      }
      if (error.throttled && throttled < MAX_THROTTLED) throttled++;
      else attempt++;
      if (error.kind !== "transient" || attempt > retries)
        throw located(error, `${method} ${url}`, attempt + throttled);
      const ms = error.retryAfterMs ?? backoffMs(Math.max(0, attempt + throttled - 1), retryBaseMs);
      // All requests leave a busy or broken server alone; with a single one, a bad answer delays this request only.
      if (error.throttled) servers.rest(server, ms);
      else if (servers.all.length > 1)
        servers.fail(server, (failures) => error.retryAfterMs ?? backoffMs(failures - 1, retryBaseMs));
      else await sleep(ms, signal);
    } finally {
      done();
    }
  }
}
