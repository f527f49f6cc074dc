/** The `engine:` section: who computes. The rest of a recipe says what is computed and stays the same everywhere. */
import { z } from "zod";
import type { Json } from "../types.ts";
import { toSnakeKeys } from "./key-case.ts";

export const embeddedEngineSchema = z
  .strictObject({
    kind: z
      .literal("embedded")
      .default("embedded")
      .describe("ONNX Runtime in this process, on the CPU; needs nothing installed"),
    workers: z
      .union([z.literal("auto"), z.int().min(1).max(256)])
      .default("auto")
      .describe(
        "threads that sample and train side by side, at most one per lane; auto = one per CPU core. Changes the speed, never the results",
      ),
    threadsPerWorker: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe("threads inside one operator; 1 wastes least on small models"),
    lanes: z
      .int()
      .min(1)
      .max(256)
      .default(2)
      .describe(
        "shares into which sampling and gradients are dealt, and so the most workers that can help; part of what determines the bits of a result",
      ),
  })
  .describe("the engine that runs inside the process");

/** Servers one run may name: a rack of replicas. */
const MAX_SERVERS = 64;
/** A day: longer than any response, short enough for a timer. */
const MAX_TIMEOUT_MS = 86_400_000;

/** Variables of a chat template: a handful of switches. */
const MAX_TEMPLATE_VARIABLES = 32;
/** A switch or a label; a longer text belongs in the prompt, where it is recorded. */
const MAX_TEMPLATE_VALUE = 4096;

/** True for an http address without a name, a password, a query or a fragment: those would end up in the run folder. */
function isPlainAddress(text: string): boolean {
  try {
    const { protocol, username, password, search, hash } = new URL(text);
    return /^https?:$/.test(protocol) && username + password + search + hash === "";
  } catch {
    return false;
  }
}

const baseUrlSchema = z
  .string()
  .max(2048)
  .refine(
    isPlainAddress,
    "expected http:// or https:// with host and path only; a key belongs in api_key_env",
  );

const timeoutSchema = (value: number, meaning: string) =>
  z.int().min(1).max(MAX_TIMEOUT_MS).default(value).describe(meaning);

export const openaiEngineSchema = z
  .strictObject({
    kind: z
      .literal("openai")
      .describe("a vLLM, SGLang or llama.cpp server, or another OpenAI-compatible one; samples only"),
    baseUrl: z
      .union([baseUrlSchema, z.array(baseUrlSchema).min(1).max(MAX_SERVERS)])
      .describe(
        "address of the server, with or without /v1; a list of replicas shares the requests between them",
      ),
    model: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe("name behind served:default; may be left out when the server serves a single model"),
    revision: z
      .string()
      .max(512)
      .default("")
      .describe(
        "your label of the weights behind the name; a finished stage is repeated when it changes, so change it with the weights",
      ),
    dialect: z
      .enum(["auto", "vllm", "sglang", "llama_cpp", "generic"])
      .default("auto")
      .describe(
        "whose field names are sent; auto asks the server. generic = the fields OpenAI documents, no top-k or min-p",
      ),
    endpoint: z
      .enum(["chat", "completions"])
      .default("chat")
      .describe(
        "chat: the server's chat template renders the messages; completions: the text is rendered here, with the template in `tokenizer`, or sent bare",
      ),
    tokenizer: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe(
        "folder with the model's tokenizer.json and chat template; endpoint completions then sends token ids, so that nothing is added to the prompt",
      ),
    chatTemplateKwargs: z
      .object({})
      .catchall(z.union([z.string().max(MAX_TEMPLATE_VALUE), z.number(), z.boolean(), z.null()]))
      .refine(
        (variables) => Object.keys(variables).every((name) => /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(name)),
        "expected names of variables, for example enable_thinking",
      )
      .refine(
        (variables) => Object.keys(variables).length <= MAX_TEMPLATE_VARIABLES,
        `expected at most ${MAX_TEMPLATE_VARIABLES} variables`,
      )
      .default({})
      .describe(
        "variables of the chat template, for example {enable_thinking: false} for Qwen3; for the server's template and for the one in `tokenizer`",
      ),
    apiKeyEnv: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, "expected the name of an environment variable, not the key")
      .optional()
      .describe("environment variable that holds the API key; the key itself is never written or shown"),
    concurrency: z
      .int()
      .min(1)
      .max(4096)
      .default(64)
      .describe("requests under way at a time, all servers together"),
    stream: z
      .boolean()
      .default(false)
      .describe(
        "take responses token by token: shows tokens per second while long responses are under way, and a server that falls silent is noticed after timeouts.idle_ms",
      ),
    timeouts: z
      .strictObject({
        connectMs: timeoutSchema(10_000, "until the connection stands"),
        idleMs: timeoutSchema(
          300_000,
          "between two pieces of an answer that has begun; a busy server may set a response aside for minutes",
        ),
        totalMs: z
          .union([z.literal("auto"), z.int().min(1).max(MAX_TIMEOUT_MS)])
          .default("auto")
          .describe(
            "for one whole answer, waiting in the server's queue included; a server that has not answered by then counts as hanging. auto = ten minutes and what max_new_tokens take at 5 tokens per second",
          ),
      })
      .prefault({})
      .describe("how long a server may take, in milliseconds"),
    retries: z
      .int()
      .min(0)
      .max(100)
      .default(6)
      .describe(
        "further attempts after a transient failure; being asked to wait (429) does not count as one",
      ),
    retryBaseMs: z
      .int()
      .min(1)
      .max(600_000)
      .default(500)
      .describe("wait before the first further attempt; doubles each time, with jitter, up to a minute"),
    stop: z
      .array(z.string().min(1).max(256))
      .max(16)
      .default([])
      .describe("texts that end a response, beside the model's own end token"),
    logprobs: z
      .enum(["auto", "none", "raw", "processed"])
      .default("auto")
      .describe(
        "which log-probabilities the server reports: raw (softmax of the logits), processed (after temperature and filters), auto = the server's default. They are kept where they equal those at the sampling temperature; none = never asked for",
      ),
    deterministic: z
      .boolean()
      .default(false)
      .describe(
        "say true when the server runs in its batch-invariant mode: equal seeds then give equal responses",
      ),
  })
  .refine(
    ({ chatTemplateKwargs, endpoint, tokenizer }) =>
      Object.keys(chatTemplateKwargs).length === 0 || endpoint === "chat" || tokenizer !== undefined,
    {
      path: ["chatTemplateKwargs"],
      message:
        "expected a chat template to give them to: endpoint chat, or the folder of a tokenizer; completions alone sends the bare text",
    },
  )
  .describe("a server you can call; runs the stages that only sample");

/** A discriminated union on `kind`, so that further engines only add a member. */
export const engineSchema = z
  .discriminatedUnion("kind", [embeddedEngineSchema, openaiEngineSchema])
  .describe("who samples and trains");

export type EngineConfig = z.output<typeof engineSchema>;
export type OpenaiEngineConfig = z.output<typeof openaiEngineSchema>;

/** Variables of the chat template under the template's own names: `{enableThinking}` -> `{enable_thinking}`. */
export function templateVariables({
  chatTemplateKwargs,
}: Pick<OpenaiEngineConfig, "chatTemplateKwargs">): Record<string, Json> {
  return toSnakeKeys(chatTemplateKwargs) as Record<string, Json>;
}
