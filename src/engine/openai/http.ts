/**
 * One HTTP exchange with every limit in place: connection, silence, whole time, size, cancellation. On `node:http`
 * instead of `fetch`, whose five-minute limit on response headers cannot be raised without another package: a long
 * response that is not streamed sends its first byte when the last token is drawn.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { RequestFailure } from "./failure.ts";

export interface ExchangeLimits {
  /** Until the connection stands, TLS included. */
  connectMs: number;
  /** Between two pieces of an answer that has begun. */
  idleMs: number;
  /** From the call to the last byte. */
  totalMs: number;
  /** Largest answer. */
  maxBytes: number;
}

export interface ExchangeOptions {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  limits: ExchangeLimits;
  /** Connections kept between requests; none = a connection of its own. */
  connections?: Connections;
  signal?: AbortSignal;
  /** Takes the pieces of an event stream as they come; none = every answer is collected. What it throws ends the exchange. */
  onEvents?: (piece: Buffer) => void;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Empty when it was a stream of events. */
  body: Buffer;
  /** The body went to `onEvents`. */
  streamed: boolean;
}

/** Connections that are kept open between requests. */
export interface Connections {
  http: HttpAgent;
  https: HttpsAgent;
  close(): void;
}

/** @param size connections per server */
export function openConnections(size: number): Connections {
  const settings = { keepAlive: true, maxSockets: size, maxFreeSockets: size };
  const http = new HttpAgent(settings);
  const https = new HttpsAgent(settings);
  return {
    http,
    https,
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/** What the operating system says about a connection, in words. */
function connectionError(cause: NodeJS.ErrnoException, stale: boolean): RequestFailure {
  const reasons: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    ECONNRESET: "the connection was closed by the server",
    EPIPE: "the connection was closed by the server",
    ENOTFOUND: "no such host",
    EAI_AGAIN: "the host name cannot be looked up now",
    EHOSTUNREACH: "host unreachable",
    ENETUNREACH: "network unreachable",
    ETIMEDOUT: "connection timed out",
    EPROTO: "no TLS: the server may want http:// instead of https://",
  };
  // The certificate is the same at every attempt.
  if (/CERT|SIGNATURE/.test(cause.code ?? ""))
    return new RequestFailure("fatal", `TLS certificate refused: ${cause.message}`, { cause });
  const reason = reasons[cause.code ?? ""] ?? (cause.code?.startsWith("HPE_") ? "no HTTP" : cause.message);
  return new RequestFailure("transient", reason, { cause, stale });
}

const seconds = (ms: number): string => `${ms / 1000} s`;

/**
 * Sends a request and reads the whole answer, whatever its status.
 *
 * @throws {RequestFailure} transient: no connection, closed, silent, late, too large
 * @throws the signal's reason when it fires; the socket is closed
 */
export function exchange(options: ExchangeOptions): Promise<Answer> {
  const { method, url, headers, body, limits, connections, signal, onEvents } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const secure = url.startsWith("https:");
    const agent = connections === undefined ? false : secure ? connections.https : connections.http;
    const outgoing = (secure ? httpsRequest : httpRequest)(url, {
      method,
      agent,
      headers: {
        accept: onEvents === undefined ? "application/json" : "text/event-stream, application/json",
        "accept-encoding": "identity",
        ...headers,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      },
    });
    let settled = false;
    let connectTimer: NodeJS.Timeout | undefined;
    let idleTimer: NodeJS.Timeout | undefined;
    const onAbort = (): void => fail(signal?.reason);
    const totalTimer = setTimeout(
      () => fail(new RequestFailure("transient", `no complete answer within ${seconds(limits.totalMs)}`)),
      limits.totalMs,
    );
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      for (const timer of [totalTimer, connectTimer, idleTimer]) clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      return true;
    };
    const fail = (error: unknown): void => {
      if (!settle()) return;
      // Closes the socket, so that the server notices and stops generating.
      outgoing.destroy();
      reject(error);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    outgoing.on("socket", (socket) => {
      if (!socket.connecting) return;
      connectTimer = setTimeout(
        () => fail(new RequestFailure("transient", `no connection within ${seconds(limits.connectMs)}`)),
        limits.connectMs,
      );
      socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(connectTimer));
    });
    outgoing.on("error", (cause) => fail(connectionError(cause, outgoing.reusedSocket)));
    outgoing.on("response", (incoming) => {
      const pieces: Buffer[] = [];
      let size = 0;
      const status = incoming.statusCode ?? 0;
      const streamed =
        onEvents !== undefined &&
        status >= 200 &&
        status <= 299 &&
        /^text\/event-stream/i.test(incoming.headers["content-type"] ?? "");
      const hold = (): void => {
        clearTimeout(idleTimer);
        idleTimer = setTimeout(
          () => fail(new RequestFailure("transient", `the answer paused for ${seconds(limits.idleMs)}`)),
          limits.idleMs,
        );
      };
      // The head of a stream may come while the request still waits in the server's queue.
      if (!streamed) hold();
      incoming.on("data", (piece: Buffer) => {
        if (settled) return;
        size += piece.length;
        if (size > limits.maxBytes) {
          fail(new RequestFailure("transient", `the answer is larger than ${limits.maxBytes} bytes`));
          return;
        }
        hold();
        if (!streamed) {
          pieces.push(piece);
          return;
        }
        try {
          onEvents(piece);
        } catch (error) {
          fail(error);
        }
      });
      const cut = (cause?: Error): void =>
        fail(
          new RequestFailure("transient", "the connection was closed in the middle of the answer", { cause }),
        );
      incoming.on("error", cut);
      incoming.on("aborted", cut);
      incoming.on("end", () => {
        if (!incoming.complete) cut();
        else if (settle())
          resolve({
            status,
            headers: incoming.headers,
            streamed,
            body: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size),
          });
      });
    });
    outgoing.end(body);
  });
}
