/**
 * What can go wrong between us and a server, in three kinds: fatal (every request would be refused like this one),
 * refused (this request will not be answered, others may), transient (the next attempt may succeed). Server messages are
 * capped and cleaned before anyone sees them.
 */

export type FailureKind = "fatal" | "refused" | "transient";

/** A server's message is shown up to here: one line of a terminal, three times over. */
const MAX_MESSAGE = 300;
/** Only this much of an error body is read for its message. */
const MAX_ERROR_BODY = 65_536;

export interface FailureDetails {
  status?: number;
  /** How long the server asks to be left alone, in milliseconds. */
  retryAfterMs?: number;
  /** The server is busy, not broken: waiting does not count as an attempt. */
  throttled?: boolean;
  /** A kept connection had been closed meanwhile; the request was never read. */
  stale?: boolean;
  cause?: unknown;
}

/** A request that failed; `kind` decides whether it is repeated. */
export class RequestFailure extends Error {
  override name = "RequestFailure";
  readonly kind: FailureKind;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly throttled: boolean;
  readonly stale: boolean;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.throttled = details.throttled ?? false;
    this.stale = details.stale ?? false;
  }
}

/** An answer that is none: not JSON, fields missing, another number of choices. The next attempt may be whole. */
export function malformed(expected: string): RequestFailure {
  return new RequestFailure("transient", `malformed answer: expected ${expected}`);
}

/** One capped line without control characters, the secret taken out wherever it was echoed. */
export function cleanMessage(text: string, secret?: string): string {
  const hidden = secret ? text.replaceAll(secret, "***") : text;
  const line = hidden.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line;
}

/** The message in an error value: OpenAI's `error.message`, FastAPI's `detail`, or `message`. */
function messageIn(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? null : messageIn(value[0]);
  if (typeof value !== "object" || value === null) return null;
  const { error, message, detail, msg } = value as Record<string, unknown>;
  for (const candidate of [error, message, detail, msg]) {
    const found = candidate === undefined ? null : messageIn(candidate);
    if (found !== null) return found;
  }
  return null;
}

/** What a server says in the body of an error, as one capped line; empty when it says nothing. */
export function serverMessage(body: Buffer, secret?: string): string {
  const text = body.subarray(0, MAX_ERROR_BODY).toString("utf8");
  try {
    return cleanMessage(messageIn(JSON.parse(text)) ?? text, secret);
  } catch {
    return cleanMessage(text.replace(/<[^>]*>/g, " "), secret);
  }
}

/** The failure an event of a stream reports: `{"error": ...}`, with a status where the server gives one. */
export function eventFailure(event: unknown, secret?: string): RequestFailure | null {
  const error = (event as { error?: unknown } | null)?.error;
  if (error === undefined || error === null) return null;
  const code = Number((error as { code?: unknown }).code);
  const said = cleanMessage(messageIn(error) ?? "no reason given", secret);
  const fatal = code >= 400 && code < 500 && !TRANSIENT.has(code);
  return new RequestFailure(fatal ? "fatal" : "transient", `the server broke the response off: ${said}`, {
    ...(fatal ? { status: code } : {}),
  });
}

/** Statuses after which the same request may succeed. Source: RFC 9110 section 15, RFC 6585 (429), RFC 8470 (425). */
const TRANSIENT = new Set([408, 409, 425, 429, 500, 502, 503, 504, 507, 529]);
/** A server may ask for any wait; more than this is taken for a mistake. */
const MAX_RETRY_AFTER_MS = 300_000;

/**
 * `Retry-After` in milliseconds: seconds or an HTTP date. Undefined when absent or unreadable.
 * @param nowMs the clock, for dates
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  const ms = value.trim() !== "" && Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) ? Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms)) : undefined;
}

/** What to do about a certificate that is not trusted. */
export const CERTIFICATE_HINT =
  "set NODE_EXTRA_CA_CERTS to the certificate of your own authority, or correct the address";

/** True when TLS failed on the server's certificate. */
export function isCertificateFailure({ kind, status, message }: RequestFailure): boolean {
  return kind === "fatal" && status === undefined && message.includes("TLS certificate refused");
}

/** The failure that a status other than success means. */
export function statusFailure(options: {
  status: number;
  retryAfter: string | undefined;
  body: Buffer;
  secret?: string;
  nowMs: number;
}): RequestFailure {
  const { status, retryAfter, body, secret, nowMs } = options;
  const said = serverMessage(body, secret);
  const message = `HTTP ${status}${said === "" ? "" : `: ${said}`}`;
  const retryAfterMs = parseRetryAfter(retryAfter, nowMs);
  const throttled = status === 429 || (status === 503 && retryAfterMs !== undefined);
  return new RequestFailure(TRANSIENT.has(status) ? "transient" : "fatal", message, {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    throttled,
  });
}
