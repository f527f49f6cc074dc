/** Every dialect against a server that speaks it: what is sent, field by field, and what becomes of the answer. */
import { afterEach, describe, expect, it } from "vitest";
import type { Sampler } from "../seams.ts";
import type { DialectName } from "./dialect.ts";
import { openServedModel } from "./open.ts";
import {
  type DialectServerOptions,
  fakeTokens,
  isGeneration,
  startDialectServer,
} from "./testing/dialect-server.ts";
import { SAMPLING, testEngine, testRequest, UNFILTERED } from "./testing/settings.ts";
import { type StubRequest, type StubServer, sendJson } from "./testing/stub-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** What the user of a chat request asked. */
function question(body: StubRequest["body"]): string {
  const messages = (body?.["messages"] ?? []) as { content: string }[];
  return messages[0]?.content ?? "";
}

async function serve(
  dialect: DialectName,
  engine: Record<string, unknown> = {},
  server: Partial<DialectServerOptions> = {},
): Promise<{ stub: StubServer; sampler: Sampler; drawn: () => StubRequest[] }> {
  const stub = await startDialectServer({ dialect, respond: () => ({ text: "abc" }), ...server });
  open.push(stub);
  const sampler = await openServedModel("default", testEngine(stub.url, engine));
  open.push(sampler);
  return { stub, sampler, drawn: () => stub.requests.filter(isGeneration) };
}

describe("what is sent", () => {
  it("vLLM chat: every field under its own name", async () => {
    const { sampler, drawn } = await serve("vllm");
    await sampler.sample([testRequest("Q", 1, SAMPLING)]);
    const [{ path, body } = { path: "", body: null }] = drawn();
    expect(path).toBe("/v1/chat/completions");
    expect(body).toEqual({
      model: "m",
      messages: [{ role: "user", content: "Q" }],
      n: 1,
      max_tokens: 64,
      temperature: 0.7,
      top_p: 0.95,
      top_k: 20,
      min_p: 0.01,
      presence_penalty: 0,
      frequency_penalty: 0,
      repetition_penalty: 1,
      min_tokens: 0,
      seed: expect.any(Number),
      stop: [],
      stream: false,
      ignore_eos: false,
      skip_special_tokens: true,
      include_stop_str_in_output: false,
      add_special_tokens: false,
      return_token_ids: true,
    });
  });

  it("vLLM completions: filters off are -1, 1 and 0; exact log-probabilities are asked for", async () => {
    const { sampler, drawn } = await serve("vllm", { endpoint: "completions", stop: ["\n\n"] });
    await sampler.sample([testRequest("Q")]);
    const [{ path, body } = { path: "", body: null }] = drawn();
    expect(path).toBe("/v1/completions");
    expect(body).toMatchObject({
      prompt: "Q",
      temperature: 1,
      top_p: 1,
      top_k: -1,
      min_p: 0,
      stop: ["\n\n"],
      logprobs: 0,
      return_tokens_as_token_ids: true,
    });
    expect(body).not.toHaveProperty("messages");
  });

  it("SGLang: its own endpoint for texts, with its names; a seed in deterministic mode only", async () => {
    const { sampler, drawn } = await serve("sglang", { endpoint: "completions" });
    await sampler.sample([testRequest("Q", 1, SAMPLING)]);
    expect(drawn()[0]?.path).toBe("/generate");
    expect(drawn()[0]?.body).toEqual({
      text: "Q",
      sampling_params: {
        n: 1,
        max_new_tokens: 64,
        min_new_tokens: 0,
        temperature: 0.7,
        top_p: 0.95,
        top_k: 20,
        min_p: 0.01,
        repetition_penalty: 1,
        presence_penalty: 0,
        frequency_penalty: 0,
        stop: [],
        ignore_eos: false,
        skip_special_tokens: true,
      },
      return_logprob: true,
      logprob_start_len: -1,
      top_logprobs_num: 0,
      return_text_in_logprobs: false,
      stream: false,
    });
    const seeded = await serve("sglang", { endpoint: "completions", deterministic: true });
    await seeded.sampler.sample([testRequest("Q")]);
    expect(seeded.drawn()[0]?.body?.["sampling_params"]).toMatchObject({
      top_k: -1,
      sampling_seed: expect.any(Number),
    });
  });

  it("SGLang chat: OpenAI's names, the response in one piece", async () => {
    const { sampler, drawn } = await serve("sglang");
    await sampler.sample([testRequest("Q")]);
    expect(drawn()[0]).toMatchObject({
      path: "/v1/chat/completions",
      body: { top_k: -1, min_p: 0, repetition_penalty: 1, separate_reasoning: false },
    });
  });

  it("llama.cpp: the sampler chain written out, temperature first, all else off", async () => {
    const { sampler, drawn } = await serve("llama_cpp", { endpoint: "completions" });
    await sampler.sample([testRequest("Q", 1, SAMPLING)]);
    expect(drawn()[0]?.path).toBe("/completion");
    expect(drawn()[0]?.body).toEqual({
      model: "m",
      prompt: "Q",
      n_predict: 64,
      samplers: ["temperature", "top_k", "top_p", "min_p"],
      temperature: 0.7,
      dynatemp_range: 0,
      top_k: 20,
      top_p: 0.95,
      min_p: 0.01,
      typical_p: 1,
      top_n_sigma: -1,
      xtc_probability: 0,
      mirostat: 0,
      repeat_penalty: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      dry_multiplier: 0,
      seed: expect.any(Number),
      stop: [],
      ignore_eos: false,
      // T = 0.7 with filters: neither kind equals log softmax(z / T), so neither is asked for.
      n_probs: 0,
      post_sampling_probs: false,
      return_tokens: true,
      cache_prompt: true,
      stream: false,
    });
  });

  it("llama.cpp chat: the server's template once per conversation, then the raw endpoint", async () => {
    const { stub, sampler, drawn } = await serve("llama_cpp");
    await sampler.sample([testRequest("Q", 3)]);
    expect(stub.requests.filter(({ path }) => path === "/apply-template")).toHaveLength(1);
    expect(drawn().map(({ path, body }) => [path, body?.["prompt"]])).toEqual(
      new Array(3).fill(["/completion", "<user>Q<assistant>"]),
    );
  });

  it("llama.cpp chat: a template that could not be applied once is asked for again", async () => {
    let refused = 0;
    const { sampler } = await serve(
      "llama_cpp",
      { retries: 0, concurrency: 1 },
      {
        templates: (answer) => {
          if (refused++ > 0) return false;
          answer.writeHead(500).end("{}");
          return true;
        },
      },
    );
    await expect(sampler.sample([testRequest("Q", 3)])).rejects.toThrow(
      /^1 of 3 responses could not be drawn/,
    );
    const [drawn] = await sampler.sample([testRequest("Q", 3)]);
    expect(drawn?.map(({ text }) => text)).toEqual(["abc", "abc", "abc"]);
  });

  it("generic: documented fields only", async () => {
    const { sampler, drawn } = await serve("generic", { dialect: "generic" });
    await sampler.sample([testRequest("Q", 1, { ...UNFILTERED, topP: 0.9 })]);
    expect(Object.keys(drawn()[0]?.body ?? {}).sort()).toEqual(
      "frequency_penalty max_tokens messages model n presence_penalty seed stream temperature top_p".split(
        " ",
      ),
    );
  });

  it("generic: a server that wants the newer name of the limit gets it, once and for all", async () => {
    const words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    const { sampler, drawn } = await serve(
      "generic",
      { dialect: "generic", concurrency: 1 },
      {
        intercept: ({ body }, answer) => {
          if (body?.["max_tokens"] === undefined) return false;
          sendJson(answer, { error: { message: words, code: "unsupported_parameter" } }, 400);
          return true;
        },
      },
    );
    await sampler.sample([testRequest("Q", 3)]);
    expect(drawn().map(({ body }) => [body?.["max_tokens"], body?.["max_completion_tokens"]])).toEqual([
      [64, undefined],
      [undefined, 64],
      [undefined, 64],
      [undefined, 64],
    ]);
  });

  it("variables of the chat template go out under the template's names, where a server renders", async () => {
    const chatTemplateKwargs = { enableThinking: false };
    for (const dialect of ["vllm", "sglang"] as const) {
      const { sampler, drawn } = await serve(dialect, { chatTemplateKwargs });
      await sampler.sample([testRequest("Q")]);
      expect(drawn()[0]?.body?.["chat_template_kwargs"]).toEqual({ enable_thinking: false });
    }
    const { sampler, stub } = await serve("llama_cpp", { chatTemplateKwargs });
    await sampler.sample([testRequest("Q")]);
    expect(
      stub.requests.find(({ path }) => path === "/apply-template")?.body?.["chat_template_kwargs"],
    ).toEqual({ enable_thinking: false });
  });

  it("vLLM: a bare text gets the model's first token from the server, a rendered one has it", async () => {
    const bare = await serve("vllm", { endpoint: "completions" });
    await bare.sampler.sample([testRequest("Q")]);
    expect(bare.drawn()[0]?.body?.["add_special_tokens"]).toBe(true);
  });

  it("llama.cpp: no more requests wait than its slots can take up", async () => {
    let open = 0;
    let most = 0;
    const { sampler } = await serve(
      "llama_cpp",
      { endpoint: "completions", concurrency: 64 },
      {
        slots: 2,
        intercept: (_, answer) => {
          most = Math.max(most, ++open);
          setTimeout(() => {
            open--;
            sendJson(answer, { content: "a", tokens: [97], stop_type: "eos", tokens_predicted: 1 });
          }, 5);
          return true;
        },
      },
    );
    await sampler.sample([testRequest("Q", 40)]);
    expect(most).toBe(4);
  });

  it("gives every sample a seed of its own that depends on request and sample alone", async () => {
    const { sampler, drawn } = await serve("vllm", { concurrency: 1 });
    await sampler.sample([testRequest("Q", 3, UNFILTERED, 5), testRequest("P", 3, UNFILTERED, 6)]);
    await sampler.sample([testRequest("P", 3, UNFILTERED, 6)]);
    const seeds = drawn().map(({ body }) => body?.["seed"] as number);
    expect(new Set(seeds.slice(0, 6)).size).toBe(6);
    expect(seeds.slice(6)).toEqual(seeds.slice(3, 6));
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)).toBe(true);
  });
});

describe("what comes back", () => {
  const { ids, logprobs } = fakeTokens("abc");

  it.each<[DialectName, "chat" | "completions", number[]]>([
    ["vllm", "chat", [11, 12, 13]],
    ["vllm", "completions", [11, 12, 13]],
    ["sglang", "completions", []],
    ["llama_cpp", "chat", []],
    ["llama_cpp", "completions", []],
  ])("%s %s: text, ids and log-probabilities", async (dialect, endpoint, promptTokens) => {
    const { sampler } = await serve(dialect, { endpoint });
    expect(sampler.capabilities.tokenIds).toBe(true);
    expect(await sampler.sample([testRequest("Q")])).toEqual([
      [{ text: "abc", promptTokens, tokens: ids, logprobs, finishReason: "stop" }],
    ]);
  });

  it.each<[DialectName, "chat"]>([
    ["sglang", "chat"],
    ["generic", "chat"],
  ])("%s %s: no ids, and the server's own count of tokens", async (dialect, endpoint) => {
    const { sampler } = await serve(dialect, { endpoint, dialect });
    expect(sampler.capabilities.tokenIds).toBe(false);
    expect(sampler.capabilities.temperedLogprobs).toBe(false);
    expect(await sampler.sample([testRequest("Q")])).toEqual([
      [{ text: "abc", promptTokens: [], tokens: [], logprobs: [], finishReason: "stop", lengthTokens: 3 }],
    ]);
  });

  it("keeps only log-probabilities that equal those at the sampling temperature", async () => {
    const scoresOf = async (
      dialect: DialectName,
      engine: object,
      sampling = UNFILTERED,
    ): Promise<number[]> => {
      const { sampler } = await serve(dialect, { endpoint: "completions", ...engine });
      return (await sampler.sample([testRequest("Q", 1, sampling)]))[0]?.[0]?.logprobs ?? [];
    };
    const hot = { ...UNFILTERED, temperature: 1.4 };
    const filtered = { ...UNFILTERED, topK: 20 };
    expect(await scoresOf("vllm", {}, hot)).toEqual([]);
    expect(await scoresOf("vllm", {}, filtered)).toEqual(logprobs);
    expect(await scoresOf("vllm", { logprobs: "processed" }, hot)).toEqual(logprobs);
    expect(await scoresOf("vllm", { logprobs: "processed" }, filtered)).toEqual([]);
    expect(await scoresOf("sglang", {}, { ...hot, topK: 20 })).toEqual(logprobs);
    expect(await scoresOf("sglang", { logprobs: "raw" }, hot)).toEqual([]);
    expect(await scoresOf("vllm", { logprobs: "none" })).toEqual([]);
    expect(await scoresOf("vllm", {}, { ...UNFILTERED, temperature: 0 })).toEqual([]);
    const close = await scoresOf("llama_cpp", {}, hot);
    expect(close.length).toBe(3);
    for (const [i, value] of close.entries()) expect(value).toBeCloseTo(logprobs[i] as number, 12);
  });

  it("declares tempered log-probabilities and seeds only where they are promised", async () => {
    expect((await serve("vllm")).sampler.capabilities).toMatchObject({
      temperedLogprobs: false,
      seeded: false,
    });
    expect(
      (await serve("vllm", { logprobs: "processed", deterministic: true })).sampler.capabilities,
    ).toMatchObject({ temperedLogprobs: true, seeded: true });
    expect((await serve("vllm", {}, { version: "0.9.2" })).sampler.capabilities.tokenIds).toBe(false);
    expect((await serve("sglang", { endpoint: "completions" })).sampler.capabilities.temperedLogprobs).toBe(
      true,
    );
  });

  it.each<[DialectName, "chat" | "completions"]>([
    ["vllm", "chat"],
    ["sglang", "completions"],
    ["llama_cpp", "completions"],
  ])(
    "%s %s: a response cut at the limit says so; one the server gave up is asked for again",
    async (dialect, endpoint) => {
      let asked = 0;
      const { sampler } = await serve(
        dialect,
        { endpoint },
        { respond: () => ({ text: "abc", finish: asked++ === 0 ? "abort" : "length" }) },
      );
      const [[response] = []] = await sampler.sample([
        testRequest("Q", 1, { ...UNFILTERED, maxNewTokens: 3 }),
      ]);
      expect(asked).toBe(2);
      expect(response?.finishReason).toBe("length");
    },
  );

  it.each<[DialectName, "chat" | "completions"]>([
    ["vllm", "chat"],
    ["sglang", "chat"],
    ["sglang", "completions"],
    ["llama_cpp", "chat"],
  ])("%s %s: a response cut shorter than asked for is no truncated response", async (dialect, endpoint) => {
    const { sampler } = await serve(
      dialect,
      { endpoint },
      { respond: () => ({ text: "abc", finish: "length" }) },
    );
    const failures: string[] = [];
    await expect(
      sampler.sample([testRequest("Q", 2)], { onFailure: (_, __, reason) => failures.push(reason) }),
    ).rejects.toThrow(/^2 of 2 responses .*cut the response at 3 tokens, 64 were asked for/);
    expect(failures).toHaveLength(2);
  });

  it("puts thoughts that a reasoning parser split off back in front", async () => {
    const answers = [
      { content: "4", reasoning_content: "2+2" },
      { content: null, reasoning: "2+" },
    ];
    const { sampler } = await serve(
      "generic",
      { dialect: "generic", concurrency: 1 },
      {
        intercept: (_, answer) => {
          const message = answers.shift();
          answer.end(JSON.stringify({ choices: [{ message, finish_reason: "stop" }] }));
          return true;
        },
      },
    );
    const [drawn] = await sampler.sample([testRequest("Q", 2)]);
    expect(drawn?.map(({ text }) => text)).toEqual(["<think>2+2</think>4", "<think>2+"]);
  });

  it("orders responses by request and sample, however they finish", async () => {
    const { sampler } = await serve(
      "vllm",
      { concurrency: 8 },
      {
        respond: ({ body }) => ({ text: question(body) }),
        intercept: (request, answer, count) => {
          // The first ones are answered last: three reads of facts, then four responses.
          if (count > 6) return false;
          setTimeout(() => {
            const content = question(request.body);
            answer.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }));
          }, 30);
          return true;
        },
      },
    );
    const seen: string[] = [];
    const drawn = await sampler.sample(
      ["a", "b", "c", "d"].map((prompt) => testRequest(prompt, 2)),
      {
        onProgress: (done, tokens) => seen.push(`${done}:${tokens}`),
      },
    );
    expect(drawn.map((group) => group.map(({ text }) => text))).toEqual([
      ["a", "a"],
      ["b", "b"],
      ["c", "c"],
      ["d", "d"],
    ]);
    expect(seen).toHaveLength(8);
    expect(seen.at(-1)).toMatch(/^8:/);
  });
});
