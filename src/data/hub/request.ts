/**
 * Requests to the Hub: the token goes to the Hub alone, a server that is silent is given up, a failure that may pass is
 * tried again, and what failed is said in one line that never holds the token.
 * Source: huggingface_hub, reference of environment variables (HF_HUB_DOWNLOAD_TIMEOUT).
 */
import { setTimeout as wait } from "node:timers/promises";
import { HubApiError } from "@huggingface/hub";
import { DataError, PolarisError } from "../../errors.ts";
import type { HubEnvironment } from "./environment.ts";

/** Tries of a request the server or the network failed, with pauses of 1 and 2 s between. */
const TRIES = 3;
/** A list of files has a page per thousand; a server that always names another page is stopped here. */
const MAX_REQUESTS = 10_000;

/** Asks the Hub on behalf of one data set. */
export interface HubRequests {
  /** For @huggingface/hub: a fetch that can be stopped and keeps the token to the Hub. */
  fetch: typeof fetch;
  /** Runs an action again after a passing failure. `progress` is told apart: more of it means the tries start over. */
  ask<Result>(action: () => Promise<Result>, progress?: () => number): Promise<Result>;
}

export interface HubRequestOptions {
  /** Data set and revision, for errors. */
  name: string;
  revision: string;
  environment: HubEnvironment;
  fetch: typeof fetch;
  signal: AbortSignal | undefined;
  /** Base of the pause between tries. */
  pauseMs: number;
}

/** What a failed request means to the user. */
function requestError({ name, revision, environment }: HubRequestOptions, cause: unknown): unknown {
  if (cause instanceof PolarisError) return cause;
  const kind = (cause as Error)?.name;
  if (kind === "AbortError") return cause;
  const { endpoint } = environment;
  const where = `data set ${name} at ${revision}`;
  const details = { dataset: name, revision, endpoint };
  if (cause instanceof HubApiError) {
    const status = cause.statusCode;
    if (status === 401 || status === 403)
      return new DataError(`${where}: ${endpoint} refuses it (status ${status})`, {
        cause,
        details: { ...details, status },
        hint:
          environment.token === null
            ? "check the name; if it is private or gated, set HF_TOKEN to a token of an account that may read it"
            : `open ${endpoint}/datasets/${name} in a browser with the token's account: its conditions may have to be accepted`,
      });
    if (status === 404)
      return new DataError(`${where}: ${endpoint} has no such data set or revision`, {
        cause,
        details: { ...details, status },
        hint: "check the spelling; a private data set needs HF_TOKEN",
      });
    return new DataError(`${where}: ${endpoint} answers with status ${status}`, {
      cause,
      details: { ...details, status },
      hint: "try again later",
    });
  }
  const reason =
    kind === "TimeoutError"
      ? `silent for ${environment.timeoutMs / 1000} s`
      : ((cause as { cause?: { code?: string } })?.cause?.code ?? (cause as Error)?.message ?? String(cause));
  return new DataError(`${where}: ${endpoint} cannot be reached (${reason.slice(0, 200)})`, {
    cause,
    details,
    hint: "check the network and HF_ENDPOINT; HF_HUB_OFFLINE=1 uses what the cache holds",
  });
}

/** Worth another try: the server's own failures, too many requests, silence, and a broken connection. */
function isPassing(cause: unknown): boolean {
  if (cause instanceof HubApiError) return cause.statusCode === 429 || cause.statusCode >= 500;
  if ((cause as Error)?.name === "TimeoutError") return true;
  return cause instanceof TypeError && (cause as { cause?: unknown }).cause !== undefined;
}

/** Body whose every piece arrives within the time, or it fails. */
async function* pieces(
  body: ReadableStream<Uint8Array>,
  arm: () => void,
  disarm: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    arm();
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      // The reader's own work, hashing and writing, is not the server's silence.
      disarm();
      yield piece;
      arm();
    }
  } finally {
    disarm();
  }
}

/** The pieces of an answer's body. A server silent for `timeoutMs` fails it. */
export interface HubAnswer {
  response: Response;
  body: AsyncIterable<Uint8Array>;
}

/**
 * One request whose body is read piece by piece.
 * @throws what fetch throws; a `TimeoutError` when nothing comes for `timeoutMs`
 */
export async function openAnswer(
  base: typeof fetch,
  url: string,
  headers: Record<string, string>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<HubAnswer> {
  const silence = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const disarm = (): void => clearTimeout(timer);
  const arm = (): void => {
    disarm();
    timer = setTimeout(() => silence.abort(new DOMException("silent", "TimeoutError")), timeoutMs);
  };
  arm();
  try {
    const response = await base(url, {
      headers,
      signal: signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]),
    });
    const { body } = response;
    return { response, body: body === null ? (async function* () {})() : pieces(body, arm, disarm) };
  } finally {
    disarm();
  }
}

/** Prepares requests for one data set. */
export function createHubRequests(options: HubRequestOptions): HubRequests {
  const { environment, signal, pauseMs } = options;
  const { origin } = new URL(environment.endpoint);
  let requests = 0;
  const request: typeof fetch = async (input, init = {}) => {
    if (++requests > MAX_REQUESTS)
      throw new DataError(`data set ${options.name}: its list of files has more than ${MAX_REQUESTS} pages`);
    const address = input instanceof Request ? input.url : String(input);
    const headers = new Headers(init.headers);
    // Answers name addresses of other hosts.
    if (new URL(address).origin !== origin) headers.delete("authorization");
    const silence = new AbortController();
    const timer = setTimeout(
      () => silence.abort(new DOMException("silent", "TimeoutError")),
      environment.timeoutMs,
    );
    const signals = [silence.signal, ...(signal === undefined ? [] : [signal])];
    try {
      return await options.fetch(input, { ...init, headers, signal: AbortSignal.any(signals) });
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    fetch: request,
    async ask(action, progress = () => 0) {
      let reached = progress();
      for (let attempt = 1; ; attempt++) {
        try {
          return await action();
        } catch (cause) {
          if (progress() > reached) {
            reached = progress();
            attempt = 1;
          }
          if (attempt >= TRIES || !isPassing(cause)) throw requestError(options, cause);
          await wait(pauseMs * 2 ** (attempt - 1), undefined, { signal });
        }
      }
    },
  };
}
