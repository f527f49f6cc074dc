/**
 * The servers behind one model: each request goes to the ready server with the fewest open requests, in turn where
 * several have as few. A server that asks for a pause is left alone that long. One that fails is left alone for longer
 * and longer, and tried with one request at a time until it answers: a server that fails at once is always the least
 * busy, and would otherwise draw every request to it.
 */
import { performance } from "node:perf_hooks";

export interface Server {
  /** Address without a trailing slash and without `/v1`. */
  readonly base: string;
  /** Requests under way. */
  open: number;
  /** It is left alone until then, on the monotonic clock in milliseconds. */
  readyAtMs: number;
  /** Times it has failed since it last answered; failures of one moment count once. */
  failures: number;
}

export interface Servers {
  readonly all: readonly Server[];
  /** The server for the next request, and how long to wait for it; call `done` when the request has ended. */
  take(): { server: Server; waitMs: number; done(): void };
  /** Leaves a server alone for a while: it asked for it. */
  rest(server: Server, ms: number): void;
  /** @param waitMs the wait after so many failures in a row, in milliseconds */
  fail(server: Server, waitMs: (failures: number) => number): void;
  /** It is well. */
  answered(server: Server): void;
}

/** `http://host:8000/v1/` -> `http://host:8000`: paths are appended by the dialects. */
export function baseOf(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v1$/, "");
}

export function createServers(urls: readonly string[], now: () => number = () => performance.now()): Servers {
  const all = [...new Set(urls.map(baseOf))].map(
    (base): Server => ({
      base,
      open: 0,
      readyAtMs: 0,
      failures: 0,
    }),
  );
  if (all.length === 0) throw new RangeError("expected at least one server");
  let turn = 0;
  return {
    all,
    take() {
      const nowMs = now();
      const inTurn = all.map((_, i) => all[(turn + i) % all.length] as Server);
      const waitOf = (server: Server): number => Math.max(0, server.readyAtMs - nowMs);
      const onTrial = ({ failures, open }: Server): number => (failures > 0 && open > 0 ? 1 : 0);
      const server = inTurn.reduce((best, next) => {
        const difference =
          onTrial(next) - onTrial(best) || waitOf(next) - waitOf(best) || next.open - best.open;
        return difference < 0 ? next : best;
      });
      turn = (all.indexOf(server) + 1) % all.length;
      server.open++;
      let ended = false;
      return {
        server,
        waitMs: waitOf(server),
        done() {
          if (!ended) server.open--;
          ended = true;
        },
      };
    },
    rest(server, ms) {
      server.readyAtMs = Math.max(server.readyAtMs, now() + ms);
    },
    fail(server, waitMs) {
      const nowMs = now();
      // The requests that were under way together fail together.
      if (server.readyAtMs > nowMs) return;
      server.failures++;
      server.readyAtMs = nowMs + waitMs(server.failures);
    },
    answered(server) {
      server.failures = 0;
    },
  };
}
