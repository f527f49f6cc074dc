/** Responses taken token by token: the same as in one piece, live counts, and streams that break in every way. */
import { afterEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../errors.ts";
import type { SampleOptions } from "../seams.ts";
import type { DialectName } from "./dialect.ts";
import { openServedModel } from "./open.ts";
import { type DialectServerOptions, isGeneration, startDialectServer } from "./testing/dialect-server.ts";
import type { StreamManners } from "./testing/event-server.ts";
import { testEngine, testRequest } from "./testing/settings.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const TEXT = "Réponse: 𝔵 = 42 🎉";

async function serve(
  dialect: DialectName,
  engine: Record<string, unknown>,
  server: Partial<DialectServerOptions> = {},
) {
  const stub = await startDialectServer({ dialect, respond: () => ({ text: TEXT }), ...server });
  open.push(stub);
  const sampler = await openServedModel("default", testEngine(stub.url, { dialect, ...engine }), {
    sleep: async () => {},
  });
  open.push(sampler);
  return { sampler, stub, asked: () => stub.requests.filter(isGeneration) };
}

/** Draws one response from a vLLM server with these manners at the first attempts. */
async function draw(ways: (count: number) => StreamManners, engine: object = {}, options?: SampleOptions) {
  const { sampler, asked } = await serve(
    "vllm",
    { stream: true, endpoint: "completions", ...engine },
    { manners: ways },
  );
  const drawn = await sampler.sample([testRequest("Q")], options).then(
    ([group]) => group?.[0],
    (error: Error) => error,
  );
  return { drawn, asked: asked().length };
}

describe("a stream gives what one piece gives", () => {
  it.each<[DialectName, "chat" | "completions"]>([
    ["vllm", "chat"],
    ["vllm", "completions"],
    ["sglang", "chat"],
    ["generic", "chat"],
    ["generic", "completions"],
  ])("%s %s", async (dialect, endpoint) => {
    const whole = await serve(dialect, { endpoint });
    const streamed = await serve(dialect, { endpoint, stream: true });
    expect(await streamed.sampler.sample([testRequest("Q", 2)])).toEqual(
      await whole.sampler.sample([testRequest("Q", 2)]),
    );
    expect(streamed.asked()[0]?.body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(whole.asked()[0]?.body).not.toHaveProperty("stream_options");
  });

  it("llama.cpp: the text and the count; its streams lack the ids of split characters", async () => {
    const { sampler, asked } = await serve("llama_cpp", { stream: true });
    expect(sampler.capabilities).toMatchObject({ tokenIds: false, temperedLogprobs: false });
    expect(await sampler.sample([testRequest("Q")])).toEqual([
      [
        {
          text: TEXT,
          promptTokens: [],
          tokens: [],
          logprobs: [],
          finishReason: "stop",
          lengthTokens: [...TEXT].length,
        },
      ],
    ]);
    expect(asked()[0]?.body).toMatchObject({ stream: true, return_tokens: false, n_probs: 0 });
  });

  it("thoughts of a reasoning parser come back in front", async () => {
    for (const stream of [false, true]) {
      const { sampler } = await serve(
        "vllm",
        { stream },
        { respond: () => ({ text: "4", reasoning: "2+2" }) },
      );
      const [[response] = []] = await sampler.sample([testRequest("Q")]);
      expect(response?.text).toBe("<think>2+2</think>4");
    }
  });

  it("a server that answers in one piece all the same is understood", async () => {
    const { sampler } = await serve(
      "generic",
      { stream: true },
      {
        intercept: (_, answer) => {
          answer.setHeader("content-type", "application/json");
          answer.end(JSON.stringify({ choices: [{ message: { content: "whole" }, finish_reason: "stop" }] }));
          return true;
        },
      },
    );
    expect((await sampler.sample([testRequest("Q")]))[0]?.[0]?.text).toBe("whole");
  });

  it("ids that do not add up to the server's count are not kept", async () => {
    const { sampler } = await serve(
      "vllm",
      { stream: true },
      { respond: () => ({ text: "4", reasoning: "2+2" }) },
    );
    const [[response] = []] = await sampler.sample([testRequest("Q")]);
    // The thoughts came without ids.
    expect(response).toMatchObject({ tokens: [], logprobs: [], lengthTokens: 4 });
  });

  it("SGLang's own endpoint is refused: it repeats the whole response with every token", async () => {
    const opening = serve("sglang", { stream: true, endpoint: "completions" });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(opening).rejects.toThrow(/engine\.stream: SGLang's \/generate repeats/);
  });
});

describe("whatever the manners", () => {
  it.each<[string, StreamManners]>([
    ["one byte at a time", { pieceBytes: 1 }],
    ["characters cut in two", { pieceBytes: 7 }],
    ["CRLF", { lineEnd: "\r\n", pieceBytes: 64 }],
    ["CR", { lineEnd: "\r" }],
    ["keep-alive comments", { comments: true, pieceBytes: 33 }],
    ["no [DONE]", { noDone: true }],
  ])("%s", async (_, manners) => {
    const { drawn, asked } = await draw(() => manners);
    expect(drawn).toMatchObject({ text: TEXT, finishReason: "stop" });
    expect(asked).toBe(1);
  });
});

describe("a stream that breaks is asked for again, and no half becomes a response", () => {
  it.each<StreamManners["after"] & object>([
    { events: 5, ending: "reset" },
    { events: 5, ending: "end" },
    { events: 0, ending: "end" },
    { events: 5, ending: "error" },
    { events: 5, ending: "half" },
    { events: 5, ending: "silence" },
  ])("$ending after $events events", async (after) => {
    const engine = { timeouts: { idleMs: 100 } };
    const { drawn, asked } = await draw((count) => (count < 2 ? { after } : {}), engine);
    expect(drawn).toMatchObject({ text: TEXT });
    expect(asked).toBe(3);
  });

  it("the server's own words are shown in the end", async () => {
    const { drawn } = await draw(() => ({ after: { events: 3, ending: "error" } }), { retries: 1 });
    expect((drawn as Error).message).toMatch(
      /the server broke the response off: engine died \(2 attempts\)$/,
    );
  });

  it("waiting for the first token is not silence", async () => {
    // The head comes at once, the first event after three times the idle limit.
    const { sampler, asked } = await serve(
      "vllm",
      { stream: true, timeouts: { idleMs: 50 }, retries: 0 },
      {
        intercept: (_, answer) => {
          answer.writeHead(200, { "content-type": "text/event-stream" });
          answer.flushHeaders();
          const event = { choices: [{ index: 0, delta: { content: "late" }, finish_reason: "stop" }] };
          setTimeout(() => answer.end(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`), 150);
          return true;
        },
      },
    );
    expect((await sampler.sample([testRequest("Q")]))[0]?.[0]?.text).toBe("late");
    expect(asked()).toHaveLength(1);
  });
});

describe("progress", () => {
  it("counts tokens while a response is under way, and no token twice", async () => {
    const long = "0123456789".repeat(100);
    const seen: string[] = [];
    const { sampler } = await serve("vllm", { stream: true }, { respond: () => ({ text: long }) });
    const request = testRequest("Q", 2, { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 2000 });
    await sampler.sample([request], { onProgress: (done, tokens) => seen.push(`${done}:${tokens}`) });
    expect(seen[0]).toBe("0:256");
    expect(seen.at(-1)).toBe("2:2000");
    const counts = seen.map((line) => Number(line.split(":")[1]));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });
});
