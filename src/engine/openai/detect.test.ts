/** Finding out what a server is, and the errors a wrong address, key or name gives. */
import { afterEach, describe, expect, it } from "vitest";
import { openaiEngineSchema } from "../../config/engine.ts";
import { ConfigError, EngineError } from "../../errors.ts";
import type { DialectName } from "./dialect.ts";
import { isAtLeast } from "./dialects/vllm.ts";
import { parseRetryAfter } from "./failure.ts";
import { openServedModel } from "./open.ts";
import { responseTimeoutMs } from "./sampler.ts";
import { createServers } from "./servers.ts";
import { isGeneration, startDialectServer } from "./testing/dialect-server.ts";
import { testEngine, testRequest } from "./testing/settings.ts";
import { sendJson, startStub } from "./testing/stub-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const serve = async (dialect: DialectName, models = ["m"]) => {
  const stub = await startDialectServer({ dialect, models, respond: () => ({ text: "ok" }) });
  open.push(stub);
  return stub;
};
const openAt = async (url: string | string[], extra: Record<string, unknown> = {}, name = "default") => {
  const sampler = await openServedModel(name, testEngine(url, { retries: 0, ...extra }), { environment: {} });
  open.push(sampler);
  return sampler;
};

describe("openServedModel", () => {
  it.each<[DialectName, string]>([
    ["vllm", "/v1/completions"],
    ["sglang", "/generate"],
    ["llama_cpp", "/completion"],
  ])("recognises %s by itself", async (dialect, path) => {
    const stub = await serve(dialect);
    const sampler = await openAt(stub.url, { endpoint: "completions" });
    await sampler.sample([testRequest("Q")]);
    expect(stub.requests.filter(isGeneration).map((request) => request.path)).toEqual([path]);
  });

  it("takes the owner of the models for a sign where the other addresses are gone", async () => {
    const stub = await startStub((request, answer) => {
      if (request.path === "/v1/models") sendJson(answer, { data: [{ id: "m", owned_by: "sglang" }] });
      else sendJson(answer, { detail: "Not Found" }, 404);
    });
    open.push(stub);
    const sampler = await openAt(stub.url, { endpoint: "completions" });
    expect(sampler.capabilities).toMatchObject({ tokenIds: true, temperedLogprobs: true });
  });

  it("an unknown kind of server is one line with the way out", async () => {
    const stub = await serve("generic");
    const error = await openAt(stub.url).catch((caught) => caught);
    expect(error).toBeInstanceOf(EngineError);
    expect(error.message).toMatch(/expected a vLLM, SGLang or llama\.cpp server, got another one$/);
    expect(error.hint).toContain("generic");
    await expect(openAt(stub.url, { dialect: "generic" })).resolves.toBeDefined();
  });

  it("a server that is not there", async () => {
    const stub = await serve("vllm");
    await stub.close();
    open.pop();
    const error = await openAt(stub.url, { retries: 1 }).catch((caught) => caught);
    expect(error).toBeInstanceOf(EngineError);
    expect(error.message).toBe(`GET ${stub.url}/v1/models: connection refused (2 attempts)`);
    expect(error.hint).toContain("start the server");
  });

  it("a wrong key, and a variable that is not set", async () => {
    const stub = await startStub((_, answer) => sendJson(answer, { error: "Unauthorized" }, 401));
    open.push(stub);
    const error = await openAt(stub.url).catch((caught) => caught);
    expect(error.message).toMatch(/HTTP 401: Unauthorized$/);
    expect(error.hint).toContain("api_key_env");
    await expect(openAt(stub.url, { apiKeyEnv: "NO_SUCH_KEY" })).rejects.toThrow(
      new ConfigError("engine.api_key_env: the environment variable NO_SUCH_KEY is not set"),
    );
  });

  it("a name that is not served, and several models without a name", async () => {
    const stub = await serve("vllm", ["a", "b"]);
    await expect(openAt(stub.url, {}, "c")).rejects.toThrow(/no model is served as "c" \(there are a, b\)$/);
    await expect(openAt(stub.url)).rejects.toThrow(/expected one served model, got a, b$/);
    const sampler = await openAt(stub.url, { model: "b" });
    await sampler.sample([testRequest("Q")]);
    expect(stub.requests.at(-1)?.body?.["model"]).toBe("b");
  });

  it("replicas of different kinds or models are refused", async () => {
    const [first, second] = [await serve("vllm"), await serve("sglang")];
    await expect(openAt([first.url, second.url])).rejects.toThrow(
      /expected vllm with m like .*, got sglang with m$/,
    );
  });

  it("a page instead of JSON is not taken for a fact", async () => {
    const stub = await startStub((request, answer) => {
      if (request.path === "/v1/models") sendJson(answer, { data: [{ id: "m" }] });
      else answer.writeHead(404).end("<html>not found</html>");
    });
    open.push(stub);
    await expect(openAt(stub.url)).rejects.toThrow(/got another one$/);
  });
});

describe("the engine section", () => {
  it.each([
    ["a password in the address", { baseUrl: "http://user:secret@host:8000" }],
    ["a key in the address", { baseUrl: "http://host:8000?api_key=secret" }],
    ["no http", { baseUrl: "ftp://host" }],
    ["a key in place of a variable", { baseUrl: "http://h", apiKeyEnv: "sk-1234 5" }],
    ["no address", {}],
  ])("refuses %s", (_, value) => {
    const result = openaiEngineSchema.safeParse({ kind: "openai", ...value });
    expect(result.success).toBe(false);
  });
});

describe("servers", () => {
  it("takes turns, prefers the least busy, and leaves resting ones alone", () => {
    let now = 0;
    const servers = createServers(["http://a/v1", "http://b/", "http://c", "http://a"], () => now);
    expect(servers.all.map(({ base }) => base)).toEqual(["http://a", "http://b", "http://c"]);
    const taken = [servers.take(), servers.take(), servers.take()];
    expect(taken.map(({ server }) => server.base)).toEqual(["http://a", "http://b", "http://c"]);
    taken[1]?.done();
    taken[1]?.done();
    expect(servers.take().server.base).toBe("http://b");
    servers.rest(servers.all[0]!, 100);
    servers.rest(servers.all[1]!, 50);
    servers.rest(servers.all[2]!, 70);
    expect(servers.take()).toMatchObject({ server: { base: "http://b" }, waitMs: 50 });
    now = 1000;
    expect(servers.take().waitMs).toBe(0);
  });

  it("leave one that fails alone for longer and longer, and try it with one request at a time", () => {
    let now = 0;
    const servers = createServers(["http://a", "http://b"], () => now);
    const [a] = servers.all;
    const fail = (): void => servers.fail(a!, (failures) => 100 * 2 ** failures);
    const bases = (count: number) => Array.from({ length: count }, () => servers.take().server.base);
    // Requests under way together fail together: that is one failure.
    for (let i = 0; i < 5; i++) fail();
    expect(a).toMatchObject({ failures: 1, readyAtMs: 200 });
    expect(bases(3)).toEqual(["http://b", "http://b", "http://b"]);
    now = 200;
    expect(bases(3)).toEqual(["http://a", "http://b", "http://b"]);
    fail();
    expect(a).toMatchObject({ failures: 2, readyAtMs: 600 });
    now = 600;
    servers.answered(a!);
    // It is well again, and less busy than the other.
    expect(bases(3)).toEqual(["http://a", "http://a", "http://a"]);
  });
});

it("gives a response the time its length takes on a crowded server", () => {
  const hours = (maxNewTokens: number): number => responseTimeoutMs("auto", maxNewTokens) / 3_600_000;
  // 90,000 tokens take an hour and a quarter at 20 tokens per second.
  expect(hours(90_000)).toBeCloseTo(5.17, 2);
  expect(hours(256)).toBeLessThan(0.2);
  expect(responseTimeoutMs(1234, 90_000)).toBe(1234);
});

it("reads Retry-After as seconds or a date, capped", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(parseRetryAfter("3", now)).toBe(3000);
  expect(parseRetryAfter("Thu, 01 Jan 2026 00:00:09 GMT", now)).toBe(9000);
  expect(parseRetryAfter("-5", now)).toBe(0);
  expect(parseRetryAfter("99999999", now)).toBe(300_000);
  expect(parseRetryAfter("soon", now)).toBeUndefined();
  expect(parseRetryAfter("", now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});

it("compares versions of vLLM", () => {
  expect(isAtLeast("0.10.2", [0, 10, 2])).toBe(true);
  expect(isAtLeast("0.11.0rc1.dev3", [0, 10, 2])).toBe(true);
  expect(isAtLeast("1.0", [0, 10, 2])).toBe(true);
  expect(isAtLeast("0.10.1.1", [0, 10, 2])).toBe(false);
  expect(isAtLeast("0.9.2", [0, 10, 2])).toBe(false);
  expect(isAtLeast("dev", [0, 10, 2])).toBe(false);
});
