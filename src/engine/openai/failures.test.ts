/** Servers that misbehave: what is repeated, what ends the call at once, and that no failure becomes a response. */
import { afterEach, describe, expect, it } from "vitest";
import { EngineError, InterruptedError } from "../../errors.ts";
import type { Completion, SampleOptions } from "../seams.ts";
import { openServedModel } from "./open.ts";
import { startDialectServer } from "./testing/dialect-server.ts";
import { type Misbehaviour, misbehave } from "./testing/misbehaviour.ts";
import { testEngine, testRequest } from "./testing/settings.ts";
import type { StubRequest, StubServer } from "./testing/stub-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

interface Scene {
  /** Misbehaviour of the n-th generation request; undefined answers well. */
  ways: (n: number, request: StubRequest) => Misbehaviour | undefined;
  engine?: Record<string, unknown>;
  samples?: number;
  options?: SampleOptions;
}

/** Draws `samples` responses from a server that misbehaves; waits are recorded, not waited for. */
async function play({ ways, engine = {}, samples = 1, options }: Scene) {
  let asked = 0;
  const stub = await startDialectServer({
    dialect: "vllm",
    respond: () => ({ text: "ok" }),
    intercept: (request, answer) => {
      const way = ways(asked++, request);
      if (way === undefined) return false;
      misbehave(answer, way);
      return true;
    },
  });
  open.push(stub);
  const waits: number[] = [];
  const sampler = await openServedModel("m", testEngine(stub.url, { endpoint: "completions", ...engine }), {
    environment: { KEY: "sk-very-secret" },
    sleep: async (ms) => {
      waits.push(ms);
    },
  });
  open.push(sampler);
  const result = await sampler.sample([testRequest("Q", samples)], options).then(
    (drawn) => ({ texts: drawn[0]?.map(({ text }) => text), error: undefined }),
    (error: EngineError) => ({ texts: undefined, error }),
  );
  return { ...result, asked, waits, stub: stub as StubServer };
}

const times =
  (count: number, way: Misbehaviour): Scene["ways"] =>
  (n) =>
    n < count ? way : undefined;

describe("transient failures are repeated", () => {
  it.each<[string, Misbehaviour]>([
    ["500", { kind: "status", status: 500 }],
    ["502", { kind: "status", status: 502 }],
    ["408", { kind: "status", status: 408 }],
    ["a reset", { kind: "reset" }],
    ["a reset in the body", { kind: "reset-mid-body" }],
    ["a truncated body", { kind: "truncated" }],
    ["no JSON", { kind: "not-json" }],
    ["another shape", { kind: "other-shape" }],
    ["no choice", { kind: "choices", count: 0 }],
    ["two choices", { kind: "choices", count: 2 }],
    ["too many tokens", { kind: "endless-response" }],
    ["a huge body", { kind: "huge" }],
  ])("%s", async (_, way) => {
    const { texts, asked, waits } = await play({ ways: times(2, way) });
    expect(texts).toEqual(["ok"]);
    expect(asked).toBe(3);
    // A kept connection that turns out closed is replaced without a wait.
    expect(waits).toHaveLength(way.kind === "reset" ? 1 : 2);
  });

  it("a server that hangs, and one that falls silent in the middle, are cut off", async () => {
    const engine = { timeouts: { totalMs: 300, idleMs: 100 } };
    for (const kind of ["hang", "silent"] as const) {
      const { texts, asked, stub } = await play({ ways: times(1, { kind }), engine });
      expect(texts).toEqual(["ok"]);
      expect(asked).toBe(2);
      expect(stub.cut).toBe(1);
    }
  });

  it("waits grow, with jitter, and follow Retry-After", async () => {
    const engine = { retryBaseMs: 1000, retries: 5 };
    const { waits } = await play({ ways: times(5, { kind: "status", status: 500 }), engine });
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(500 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(1000 * 2 ** i);
    }
    const asked = await play({
      ways: times(1, { kind: "status", status: 503, headers: { "retry-after": "7" } }),
    });
    expect(asked.waits.map((ms) => Math.round(ms / 1000))).toEqual([7]);
  });

  it("being asked to wait is no failed attempt: a storm of 429 passes", async () => {
    const storm: Misbehaviour = { kind: "status", status: 429, headers: { "retry-after": "0" } };
    const { texts, asked } = await play({ ways: times(40, storm), samples: 4, engine: { retries: 0 } });
    expect(texts).toEqual(["ok", "ok", "ok", "ok"]);
    expect(asked).toBe(44);
  });

  it("gives up after the last attempt: an error with the server's words, the other responses kept", async () => {
    const kept: Completion[] = [];
    const given: string[] = [];
    const { error, asked } = await play({
      ways: (n) =>
        n % 4 < 3 ? { kind: "status", status: 500, body: { detail: "out of\n\u001b[31mluck" } } : undefined,
      engine: { retries: 2, concurrency: 1 },
      samples: 3,
      options: {
        onResponse: (_, __, completion) => kept.push(completion),
        onFailure: (_, sample, reason) => given.push(`${sample} ${reason}`),
      },
    });
    expect(error).toBeInstanceOf(EngineError);
    expect(error?.retryable).toBe(true);
    expect(error?.message).toMatch(
      /^2 of 3 responses could not be drawn: POST http:.*\/v1\/completions: HTTP 500: out of \[31mluck \(3 attempts\)$/,
    );
    expect(error?.hint).toContain("only these are asked for again");
    expect(kept.map(({ text }) => text)).toEqual(["ok"]);
    expect(given).toHaveLength(2);
    expect(asked).toBe(7);
  });

  it("stops soon when a server is gone for good", async () => {
    const { error, asked } = await play({
      ways: () => ({ kind: "reset" }),
      engine: { retries: 0, concurrency: 4 },
      samples: 500,
    });
    expect(error?.message).toMatch(/of 500 responses could not be drawn: .*closed by the server/);
    expect(asked).toBeLessThan(100);
  });
});

describe("refusals end the call at once", () => {
  it.each<[number, unknown, RegExp, RegExp]>([
    [
      400,
      { error: { message: "This model's maximum context length is 4096 tokens.", code: 400 } },
      /HTTP 400: This model's maximum context length is 4096 tokens\.$/,
      /max_new_tokens/,
    ],
    [401, { error: "Unauthorized" }, /HTTP 401: Unauthorized$/, /api_key_env/],
    [
      404,
      { error: { message: "The model `x` does not exist." } },
      /HTTP 404: The model `x` does not exist\.$/,
      /name of the model/,
    ],
    [422, { detail: [{ loc: ["body", "top_k"], msg: "not an int" }] }, /HTTP 422: not an int$/, /./],
    [301, "moved", /HTTP 301: moved$/, /./],
  ])("%i", async (status, body, message, hint) => {
    const { error, asked } = await play({
      ways: () => ({ kind: "status", status, body }),
      samples: 200,
      engine: { concurrency: 2 },
    });
    expect(error).toBeInstanceOf(EngineError);
    expect(error?.message).toMatch(message);
    expect(error?.hint).toMatch(hint);
    expect(error?.message.split("\n")).toHaveLength(1);
    expect(asked).toBeLessThanOrEqual(2);
  });

  it("shows no more than a line of what a server says, and never the key", async () => {
    const { error, stub } = await play({
      ways: (_, { headers }) => ({
        kind: "status",
        status: 400,
        body: { error: { message: `${headers.authorization} ${"x".repeat(100_000)}` } },
      }),
      engine: { apiKeyEnv: "KEY" },
    });
    expect(stub.requests.every(({ headers }) => headers.authorization === "Bearer sk-very-secret")).toBe(
      true,
    );
    expect(error?.message.length).toBeLessThan(500);
    expect(error?.message).toContain("Bearer ***");
    expect(JSON.stringify([error, error?.message, error?.details, String(error?.stack)])).not.toContain(
      "sk-very-secret",
    );
    expect(String((error?.cause as Error | undefined)?.stack)).not.toContain("sk-very-secret");
  });

  it("an answer that the server filtered costs that response alone", async () => {
    const { error, asked } = await play({
      ways: (n) =>
        n === 0
          ? {
              kind: "status",
              status: 200,
              body: { choices: [{ text: "", finish_reason: "content_filter" }] },
            }
          : undefined,
      samples: 3,
      engine: { concurrency: 1 },
    });
    expect(error?.message).toMatch(
      /^1 of 3 responses could not be drawn: .*ended the response with content_filter$/,
    );
    expect(asked).toBe(3);
  });
});

describe("stopping", () => {
  it("closes the sockets of requests under way", async () => {
    const controller = new AbortController();
    const { error, stub } = await play({
      ways: (n) => {
        if (n === 7) setTimeout(() => controller.abort(), 20);
        return { kind: "hang" };
      },
      samples: 20,
      engine: { concurrency: 8 },
      options: { signal: controller.signal },
    });
    expect(error).toBeInstanceOf(InterruptedError);
    expect(error?.message).toBe("stopped after 0 of 20 responses");
    await expect.poll(() => stub.cut).toBe(8);
  });

  it("what a caller throws about a response ends the call", async () => {
    const { error, asked } = await play({
      ways: () => undefined,
      samples: 50,
      engine: { concurrency: 2 },
      options: {
        onResponse: () => {
          throw new Error("disk full");
        },
      },
    });
    expect(error?.message).toBe("disk full");
    expect(asked).toBeLessThan(10);
  });
});

describe("several servers", () => {
  it("share the requests; the work of one that is gone goes to the others", async () => {
    const servers = await Promise.all(
      [0, 1, 2].map(() => startDialectServer({ dialect: "vllm", respond: () => ({ text: "ok" }) })),
    );
    open.push(...servers);
    const sampler = await openServedModel(
      "m",
      testEngine(
        servers.map(({ url }) => `${url}/v1/`),
        { retryBaseMs: 600_000 },
      ),
    );
    open.push(sampler);
    await sampler.sample([testRequest("Q", 30)]);
    const counts = servers.map(({ requests }) => requests.filter(({ method }) => method === "POST").length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(30);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    await (servers[1] as StubServer).close();
    const [drawn] = await sampler.sample([testRequest("Q", 30)]);
    expect(drawn?.map(({ text }) => text)).toEqual(new Array(30).fill("ok"));
  });

  it("one that fails at once does not draw the requests to it, and has its share again when it is well", async () => {
    let broken = true;
    const answering = { dialect: "vllm", respond: () => ({ text: "ok" }) } as const;
    const well = await startDialectServer(answering);
    const ill = await startDialectServer({
      ...answering,
      intercept: (_, answer) => {
        if (broken) misbehave(answer, { kind: "status", status: 500 });
        return broken;
      },
    });
    open.push(well, ill);
    const engine = testEngine([well.url, ill.url], { concurrency: 8, retries: 2, retryBaseMs: 20 });
    const sampler = await openServedModel("m", engine);
    open.push(sampler);
    const asked = () => ill.requests.filter(({ method }) => method === "POST").length;
    const [drawn] = await sampler.sample([testRequest("Q", 200)]);
    expect(drawn).toHaveLength(200);
    expect(asked()).toBeLessThan(40);
    broken = false;
    await expect
      .poll(
        async () => {
          const before = asked();
          await sampler.sample([testRequest("Q", 20)]);
          return asked() - before;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(5);
  });
});
