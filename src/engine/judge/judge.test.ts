import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { judgeStudy } from "../../consensus/judge-similarity.ts";
import { ConfigError, DataError, EngineError, InterruptedError } from "../../errors.ts";
import { randomStream } from "../../random.ts";
import { createCachedJudge } from "./cached-judge.ts";
import { createJudgeEndpoint, type JudgeEndpointOptions } from "./endpoint.ts";
import { openReplyCache, replyKey } from "./reply-cache.ts";
import { type JudgeServer, type Misbehaviour, startJudgeServer } from "./testing/judge-server.ts";

let folder: string;
let server: JudgeServer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "polaris-judge-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function start(misbehaviour?: (request: number) => Misbehaviour, reply?: (question: string) => string) {
  server = await startJudgeServer({ misbehaviour, reply });
  return server;
}

function endpoint(options: Partial<JudgeEndpointOptions> = {}) {
  const baseUrl = (server as JudgeServer).baseUrl;
  return createJudgeEndpoint({ baseUrl, model: "judge-20b", retryBaseMs: 1, timeoutMs: 10_000, ...options });
}

const problems = Array.from({ length: 3 }, (_, p) => ({
  id: `p${p}`,
  trajectories: Array.from({ length: 6 }, (_, i) => ({
    correct: i < 3,
    steps: i < 3 ? [`r${p}`, `x${i}`, "common"] : [`w${p}-${i}`, "common"],
  })),
}));

const study = async (judge: ReturnType<typeof createCachedJudge>, pairsPerClass = 2, concurrency = 4) =>
  judgeStudy(problems, {
    judge: judge.judge,
    stream: randomStream(1, "judge"),
    streamOf: (id) => randomStream(1, "judge", id),
    pairsPerClass,
    concurrency,
  });

describe("endpoint", () => {
  test("asks as documented and reads the reply", async () => {
    const { bodies, headers, questions } = await start();
    const environment = { JUDGE_KEY: "secret-key-1" };
    const answer = await endpoint({ apiKeyEnv: "JUDGE_KEY", environment, temperature: 0.3 }).ask(
      "How alike?",
    );
    expect(answer).toEqual({ reply: "Score: 1" });
    expect(questions).toEqual(["How alike?"]);
    expect(bodies[0]).toMatchObject({
      model: "judge-20b",
      temperature: 0.3,
      max_tokens: 4096,
      stream: false,
    });
    expect(headers[0]?.authorization).toBe("Bearer secret-key-1");
  });

  test("a reply that is all reasoning is empty text, not an error", async () => {
    await start(() => ({
      kind: "body",
      body: '{"choices":[{"message":{"content":null,"reasoning":"hm"}}]}',
    }));
    expect(await endpoint().ask("?")).toEqual({ reply: "" });
  });

  test.each<[string, Misbehaviour]>([
    ["500", { kind: "status", status: 500, body: "oops" }],
    ["429 with Retry-After", { kind: "status", status: 429, retryAfter: "0" }],
    [
      "503 with a date that has passed",
      { kind: "status", status: 503, retryAfter: "Thu, 01 Jan 1970 00:00:00 GMT" },
    ],
    ["garbage", { kind: "body", body: "<html>gateway</html>" }],
    ["JSON without choices", { kind: "body", body: '{"choices":[]}' }],
    ["a closed connection", { kind: "reset" }],
    ["an endless body", { kind: "body", body: " ".repeat(2 ** 22 + 1) }],
  ])("asks again after %s", async (_, how) => {
    const { questions } = await start((request) => (request < 2 ? how : null));
    expect(await endpoint().ask("?")).toEqual({ reply: "Score: 1" });
    expect(questions).toHaveLength(3);
  });

  test("cuts a server that hangs, and gives up in the end", async () => {
    await start(() => ({ kind: "hang" }));
    const asking = endpoint({ timeoutMs: 50, retries: 2 }).ask("?");
    await expect(asking).rejects.toThrow(
      /^judge: POST .*: no complete answer within 0\.05 s \(3 attempts\)$/,
    );
  });

  test("refuses one question where only that is at fault, all where none can be answered", async () => {
    const statuses = [400, 422, 401, 404];
    const { questions } = await start((request) => ({
      kind: "status",
      status: statuses[request] as number,
      body: '{"error": "context of 8192 tokens, key secret-key-1"}',
    }));
    const judge = endpoint({ apiKeyEnv: "JUDGE_KEY", environment: { JUDGE_KEY: "secret-key-1" } });
    expect(await judge.ask("?")).toEqual({
      refused: expect.stringMatching(
        /^POST .*\/v1\/chat\/completions: HTTP 400: context of 8192 tokens, key \*\*\*$/,
      ),
    });
    expect(await judge.ask("?")).toHaveProperty("refused");
    await expect(judge.ask("?")).rejects.toThrow(/HTTP 401/);
    const missing: unknown = await judge.ask("?").catch((error: unknown) => error);
    expect(missing).toBeInstanceOf(EngineError);
    expect(JSON.stringify([String(missing), missing])).not.toContain("secret");
    expect(questions).toHaveLength(4);
  });

  test("does not follow a redirect with the key", async () => {
    const { questions } = await start(() => ({ kind: "status", status: 302 }));
    await expect(endpoint({ retries: 0 }).ask("?")).rejects.toThrow(EngineError);
    expect(questions).toHaveLength(1);
  });

  test("stops while it waits and while it asks", async () => {
    await start(() => ({ kind: "status", status: 429, retryAfter: "60" }));
    const waiting = new AbortController();
    const first = endpoint({ signal: waiting.signal }).ask("?");
    setTimeout(() => waiting.abort(), 30);
    await expect(first).rejects.toThrow(InterruptedError);
    await server?.close();
    await start(() => ({ kind: "hang" }));
    const hanging = new AbortController();
    const second = endpoint({ signal: hanging.signal }).ask("?");
    setTimeout(() => hanging.abort(), 30);
    await expect(second).rejects.toThrow(InterruptedError);
  });

  test.each([
    ["no address", { baseUrl: "localhost:8000" }, /expected an address/],
    ["a file", { baseUrl: "file:///etc/passwd" }, /expected an address/],
    ["a name and a password", { baseUrl: "http://me:pw@host/v1" }, /expected an address/],
    ["a key that is not there", { apiKeyEnv: "NO_SUCH_KEY", environment: {} }, /NO_SUCH_KEY is not set/],
    ["a key of two lines", { apiKeyEnv: "K", environment: { K: "a\nb: c" } }, /K holds spaces/],
  ])("refuses %s before anything is sent", (_, options, message) => {
    const create = () => createJudgeEndpoint({ baseUrl: "http://x/v1", model: "m", ...options });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(message);
  });

  test("a judge that wants the newer name of the limit gets it, once and for all", async () => {
    const words =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    const { bodies } = await start((request) =>
      request === 0
        ? { kind: "status", status: 400, body: JSON.stringify({ error: { message: words } }) }
        : null,
    );
    const judge = endpoint({ maxTokens: 77 });
    expect(await judge.ask("a")).toHaveProperty("reply");
    expect(await judge.ask("b")).toHaveProperty("reply");
    expect(bodies.map((body) => [body["max_tokens"], body["max_completion_tokens"]])).toEqual([
      [77, undefined],
      [undefined, 77],
      [undefined, 77],
    ]);
  });

  test("a storm of 429 is no failed attempt", async () => {
    const { questions } = await start((request) =>
      request < 30 ? { kind: "status", status: 429, retryAfter: "0" } : null,
    );
    expect(await endpoint({ retries: 0 }).ask("?")).toEqual({ reply: "Score: 1" });
    expect(questions).toHaveLength(31);
  });
});

describe("cache", () => {
  test("keys depend on the question and the settings, not on their order", () => {
    expect(replyKey("q", { model: "m", temperature: 0 })).toBe(replyKey("q", { temperature: 0, model: "m" }));
    expect(replyKey("q", { model: "m" })).not.toBe(replyKey("q", { model: "n" }));
    expect(replyKey("q", { model: "m" })).not.toBe(replyKey("r", { model: "m" }));
  });

  test("keeps replies, cuts a torn line, refuses another file", async () => {
    const path = join(folder, "cache.jsonl");
    const cache = await openReplyCache(path);
    cache.add("a", { score: 7, reply: "Score: 7" });
    cache.add("b", { score: null, reply: "x".repeat(10_000) });
    appendFileSync(path, '{"key":"c","sco');
    const again = await openReplyCache(path);
    expect(again.size()).toBe(2);
    expect(again.find("a")).toEqual({ score: 7, reply: "Score: 7" });
    expect(again.find("b")?.reply).toHaveLength(4000);
    again.add("c", { score: 1, reply: "Score: 1" });
    expect((await openReplyCache(path)).size()).toBe(3);
    writeFileSync(path, '{"problem":"1+1"}\n');
    await expect(openReplyCache(path)).rejects.toThrow(DataError);
  });
});

describe("judge", () => {
  test("bad replies are counted, kept, and never a score", async () => {
    const { questions } = await start(undefined, (question) =>
      question.includes("r1") ? "I cannot say." : "Score: 4",
    );
    const path = join(folder, "cache.jsonl");
    const first = createCachedJudge(endpoint(), await openReplyCache(path));
    const result = await study(first);
    expect(result.asked).toBe(18);
    expect(result.unscored).toBe(4);
    expect(result.correctIncorrect).toMatchObject({ value: 4, problems: 2 });
    expect(first.counts).toEqual({ asked: 18, cached: 0, unreadable: 4, failed: 0 });
    const asked = questions.length;
    expect(asked).toBe(18);
    const second = createCachedJudge(endpoint(), await openReplyCache(path));
    expect(await study(second)).toEqual(result);
    expect(questions).toHaveLength(asked);
    expect(second.counts).toMatchObject({ asked: 0, cached: 18, unreadable: 4 });
    // More pairs of the same problems ask only for the new ones.
    await study(createCachedJudge(endpoint(), await openReplyCache(path)), 3);
    expect(questions.length).toBeGreaterThan(asked);
    expect(new Set(questions).size).toBe(questions.length);
  });

  test("a pair the service refuses is left out and asked again next time", async () => {
    await start((request) => (request === 0 ? { kind: "status", status: 400, body: "too long" } : null));
    const cache = await openReplyCache(join(folder, "cache.jsonl"));
    const judge = createCachedJudge(endpoint(), cache);
    const result = await study(judge, 2, 1);
    expect(judge.counts.failed).toBe(1);
    expect(result.unscored).toBe(1);
    const again = createCachedJudge(endpoint(), cache);
    expect((await study(again, 2, 1)).unscored).toBe(0);
    expect(again.counts.asked).toBe(1);
  });

  test("ends when one pair after the other fails, and goes on from what was answered", async () => {
    const { answered } = await start((request) => (request >= 5 && request < 100 ? { kind: "reset" } : null));
    const path = join(folder, "cache.jsonl");
    const failing = study(createCachedJudge(endpoint({ retries: 1 }), await openReplyCache(path)), 8, 1);
    await expect(failing).rejects.toThrow(/8 pairs in a row got no reply/);
    expect(readFileSync(path, "utf8").trim().split("\n")).toHaveLength(5);
    await server?.close();
    const whole = await start();
    const resumed = await study(createCachedJudge(endpoint(), await openReplyCache(path)), 8, 4);
    expect(answered.filter((question) => whole.questions.includes(question))).toEqual([]);
    const fresh = await study(
      createCachedJudge(endpoint(), await openReplyCache(join(folder, "other.jsonl"))),
      8,
      1,
    );
    expect(resumed).toEqual(fresh);
  });
});
