/**
 * llama.cpp's server. Everything goes to its own `/completion`; a conversation is first rendered by `/apply-template`,
 * so that the response keeps its token ids and its thoughts in one piece. The sampler chain is written out with the
 * temperature first, as other engines have it (its own default applies it last, so that top-p and min-p would see the
 * distribution at T = 1), and every other sampler switched off.
 * Source: llama.cpp `tools/server/README.md` and `server-task.cpp` of build 11434.
 */
import { z } from "zod";
import type { SamplingParameters } from "../../../types.ts";
import type { Completion } from "../../seams.ts";
import { finishReason, parseShape, single, toCompletion, tokenIdsSchema } from "../answers.ts";
import {
  type Ask,
  type Dialect,
  isUnfiltered,
  type ReportedLogprobs,
  type ServerFacts,
  type StreamFold,
} from "../dialect.ts";
import { malformed } from "../failure.ts";

const completionSchema = z.object({
  content: z.string(),
  tokens: tokenIdsSchema,
  stop_type: z.string(),
  tokens_predicted: z.int().min(0).nullish(),
  /** `logprob` is of softmax(z); `prob` is after the sampler chain. */
  completion_probabilities: z
    .array(z.object({ id: z.int().min(0), logprob: z.number().nullish(), prob: z.number().nullish() }))
    .nullish(),
});

const templateSchema = z.object({ prompt: z.string() });

/** Natural logarithms of the probabilities that were asked for; null when one is missing. */
function logprobsOf(
  scored: readonly { logprob?: number | null; prob?: number | null }[],
  kind: ReportedLogprobs,
): number[] | null {
  const values = scored.map(({ logprob, prob }) =>
    kind === "raw" ? (logprob ?? Number.NaN) : Math.log(prob ?? Number.NaN),
  );
  return values.every(Number.isFinite) ? values : null;
}

/**
 * Response tokens of `stop_type: word` without those that brought the stop text: the server takes them out of the text and
 * of the probabilities, not out of the ids.
 */
function withoutStopText(tokens: readonly number[], scored: readonly { id: number }[]): readonly number[] {
  return scored.every(({ id }, i) => id === tokens[i]) ? tokens.slice(0, scored.length) : tokens;
}

function parseCompletion(answer: unknown, ask: Ask): Completion {
  const one = Array.isArray(answer) ? single(answer, "response") : answer;
  const { content, tokens, stop_type, tokens_predicted, completion_probabilities } = parseShape(
    completionSchema,
    one,
  );
  if (!ask.stream && tokens.length === 0 && (tokens_predicted ?? 0) > 0) throw malformed("token ids");
  const scored = ask.logprobs === "none" ? null : (completion_probabilities ?? null);
  return toCompletion({
    text: content,
    finish: finishReason(stop_type),
    promptTokens: ask.promptTokens,
    tokens: stop_type === "word" && scored !== null ? withoutStopText(tokens, scored) : tokens,
    logprobs: scored === null ? null : logprobsOf(scored, ask.logprobs),
    lengthTokens: tokens_predicted ?? null,
    maxNewTokens: ask.sampling.maxNewTokens,
  });
}

const eventSchema = z.object({
  content: z.string().nullish(),
  stop: z.boolean().nullish(),
  stop_type: z.string().nullish(),
  tokens_predicted: z.int().min(0).nullish(),
});

/**
 * Every event but the last brings text and the count so far; the last one says how the response ended. The ids of a
 * stream are left alone: a character made of several tokens is sent with the last of them only.
 */
function createLlamaFold(): StreamFold {
  const texts: string[] = [];
  let predicted = 0;
  let last: z.infer<typeof eventSchema> | null = null;
  return {
    add(event) {
      const part = parseShape(eventSchema, event);
      texts.push(part.content ?? "");
      if (part.stop) last = part;
      const before = predicted;
      predicted = Math.max(before, part.tokens_predicted ?? before);
      return predicted - before;
    },
    answer() {
      if (last === null) throw malformed("an event with stop before the end of the stream");
      return { ...last, content: texts.join(""), tokens: [] };
    },
  };
}

/** Both kinds can be had: raw where T = 1 makes it exact, after the chain where no filter is on. */
function reported({ logprobs, stream }: ServerFacts, sampling: SamplingParameters): ReportedLogprobs {
  if (stream) return "none";
  if (logprobs !== "auto") return logprobs;
  return sampling.temperature !== 1 && isUnfiltered(sampling) ? "processed" : "raw";
}

export const llamaCppDialect: Dialect = {
  name: "llama_cpp",
  capabilities: (facts) => ({
    tokenIds: !facts.stream,
    temperedLogprobs: !facts.stream && (facts.logprobs === "auto" || facts.logprobs === "processed"),
    seeded: facts.deterministic,
    topK: true,
    topP: true,
    minP: true,
  }),
  reported,
  render: (messages, variables) => ({
    path: "/apply-template",
    body: {
      messages: messages.map(({ role, content }) => ({ role, content })),
      ...(Object.keys(variables).length > 0 ? { chat_template_kwargs: { ...variables } } : {}),
    },
    parse: (answer) => parseShape(templateSchema, answer).prompt,
  }),
  request(ask) {
    const { sampling, seed, stop, logprobs } = ask;
    return {
      path: "/completion",
      body: {
        model: ask.model,
        prompt: ask.promptTokens === null ? ask.prompt : [...ask.promptTokens],
        n_predict: sampling.maxNewTokens,
        samplers: ["temperature", "top_k", "top_p", "min_p"],
        temperature: sampling.temperature,
        dynatemp_range: 0,
        top_k: sampling.topK,
        top_p: sampling.topP,
        min_p: sampling.minP,
        typical_p: 1,
        top_n_sigma: -1,
        xtc_probability: 0,
        mirostat: 0,
        repeat_penalty: 1,
        presence_penalty: 0,
        frequency_penalty: 0,
        dry_multiplier: 0,
        seed,
        stop: [...stop],
        ignore_eos: false,
        n_probs: logprobs === "none" ? 0 : 1,
        post_sampling_probs: logprobs === "processed",
        return_tokens: !ask.stream,
        cache_prompt: true,
        stream: ask.stream,
      },
      parse: (answer) => parseCompletion(answer, ask),
      ...(ask.stream ? { fold: createLlamaFold } : {}),
    };
  },
};
