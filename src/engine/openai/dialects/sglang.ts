/**
 * SGLang. Texts go to its own `/generate`, which gives token ids and log-probabilities; conversations to the chat
 * endpoint, which gives neither. Its log-probabilities are those of softmax(z / T) before the filters, unless the server
 * runs with SGLANG_RETURN_ORIGINAL_LOGPROB (declare `logprobs: raw`). A seed counts in deterministic mode only, and
 * older versions refuse the field.
 * Source: SGLang `srt/sampling/sampling_params.py`, `srt/layers/sampler.py`, docs "Sampling parameters".
 */
import { z } from "zod";
import type { Completion } from "../../seams.ts";
import { finishReason, parseShape, single, toCompletion, tokenIdsSchema } from "../answers.ts";
import type { Ask, Dialect, ReportedLogprobs, ServerFacts, WireRequest } from "../dialect.ts";
import { malformed } from "../failure.ts";
import { commonFields, openaiAnswer, promptFields } from "./openai-fields.ts";

/** All tokens. */
const TOP_K_OFF = -1;

const generationSchema = z.object({
  text: z.string(),
  output_ids: tokenIdsSchema.nullish(),
  meta_info: z.object({
    finish_reason: z.object({ type: z.string() }).nullable(),
    completion_tokens: z.int().min(0).nullish(),
    /** One `[log-probability, token id, text or null]` per response token. */
    output_token_logprobs: z.array(z.tuple([z.number(), z.int().min(0)], z.unknown())).nullish(),
  }),
});

function parseGeneration(answer: unknown, ask: Ask): Completion {
  const one = Array.isArray(answer) ? single(answer, "response") : answer;
  const { text, output_ids, meta_info } = parseShape(generationSchema, one);
  const scored = meta_info.output_token_logprobs ?? null;
  const tokens = output_ids ?? scored?.map(([, id]) => id) ?? null;
  if (tokens === null) throw malformed("output_ids");
  return toCompletion({
    text,
    finish: finishReason(meta_info.finish_reason?.type),
    promptTokens: ask.promptTokens,
    tokens,
    logprobs: ask.logprobs === "none" ? null : scored?.map(([logprob]) => logprob),
    lengthTokens: meta_info.completion_tokens ?? null,
    maxNewTokens: ask.sampling.maxNewTokens,
  });
}

function reported({ logprobs, endpoint }: ServerFacts): ReportedLogprobs {
  if (endpoint === "chat") return "none";
  return logprobs === "auto" ? "tempered" : logprobs;
}

export const sglangDialect: Dialect = {
  name: "sglang",
  capabilities: (facts) => ({
    tokenIds: facts.endpoint === "completions",
    temperedLogprobs: reported(facts) === "tempered" || reported(facts) === "processed",
    seeded: facts.deterministic,
    topK: true,
    topP: true,
    minP: true,
  }),
  reported,
  unstreamable: ({ endpoint }) =>
    endpoint === "completions"
      ? "SGLang's /generate repeats the whole response with every token unless its server was started otherwise"
      : null,
  request(ask, facts): WireRequest {
    const { sampling, seed, stop } = ask;
    const topK = sampling.topK === 0 ? TOP_K_OFF : sampling.topK;
    if (ask.messages !== null) {
      const { path, prompt } = promptFields(ask);
      return {
        path,
        body: {
          ...commonFields(ask),
          ...prompt,
          top_k: topK,
          min_p: sampling.minP,
          repetition_penalty: 1,
          min_tokens: 0,
          ignore_eos: false,
          skip_special_tokens: true,
          // The response in one piece, thoughts included.
          separate_reasoning: false,
        },
        ...openaiAnswer(ask),
      };
    }
    return {
      path: "/generate",
      body: {
        ...(ask.promptTokens === null ? { text: ask.prompt } : { input_ids: [...ask.promptTokens] }),
        sampling_params: {
          n: 1,
          max_new_tokens: sampling.maxNewTokens,
          min_new_tokens: 0,
          temperature: sampling.temperature,
          top_p: sampling.topP,
          top_k: topK,
          min_p: sampling.minP,
          repetition_penalty: 1,
          presence_penalty: 0,
          frequency_penalty: 0,
          stop: [...stop],
          ignore_eos: false,
          skip_special_tokens: true,
          ...(facts.deterministic ? { sampling_seed: seed } : {}),
        },
        return_logprob: ask.logprobs !== "none",
        logprob_start_len: -1,
        top_logprobs_num: 0,
        return_text_in_logprobs: false,
        stream: false,
      },
      parse: (answer) => parseGeneration(answer, ask),
    };
  },
};
