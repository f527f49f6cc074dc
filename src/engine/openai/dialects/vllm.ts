/**
 * vLLM. Filters off: top_k -1 (all tokens, in every version), min_p 0, penalties 1 and 0. Order of its
 * sampler: temperature, min-p, top-k and top-p. Log-probabilities are raw unless the server runs with
 * `--logprobs-mode processed_logprobs`. Token ids need version 0.10.2.
 * Source: vLLM `entrypoints/openai` (completion and chat protocol), `v1/sample/sampler.py`.
 */
import type { SamplingParameters } from "../../../types.ts";
import type { Ask, Dialect, ReportedLogprobs, ServerFacts, WireRequest } from "../dialect.ts";
import { commonFields, openaiAnswer, promptFields } from "./openai-fields.ts";

/** First version with `return_token_ids`. */
const TOKEN_IDS_SINCE = [0, 10, 2] as const;

/** True when a version such as `0.11.0rc1` is at least the given one; false when it cannot be read. */
export function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)?.slice(1, 4);
  if (parts === undefined) return false;
  for (const [i, wanted] of least.entries()) {
    const part = Number(parts[i] ?? 0);
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function reported({ logprobs }: ServerFacts): ReportedLogprobs {
  return logprobs === "auto" ? "raw" : logprobs;
}

export const vllmDialect: Dialect = {
  name: "vllm",
  capabilities: (facts) => ({
    tokenIds: isAtLeast(facts.version, TOKEN_IDS_SINCE),
    temperedLogprobs: reported(facts) === "processed",
    seeded: facts.deterministic,
    topK: true,
    topP: true,
    minP: true,
  }),
  reported: (facts: ServerFacts, _: SamplingParameters) => reported(facts),
  request(ask: Ask): WireRequest {
    const { path, prompt } = promptFields(ask);
    const { sampling } = ask;
    const chat = ask.messages !== null;
    const wanted = ask.logprobs !== "none";
    return {
      path,
      body: {
        ...commonFields(ask),
        ...prompt,
        top_k: sampling.topK === 0 ? -1 : sampling.topK,
        min_p: sampling.minP,
        repetition_penalty: 1,
        min_tokens: 0,
        ignore_eos: false,
        skip_special_tokens: true,
        include_stop_str_in_output: false,
        // A template writes the first token where the model wants one; a bare text has none yet.
        add_special_tokens: !chat && ask.promptTokens === null,
        return_token_ids: true,
        ...(wanted ? { return_tokens_as_token_ids: true } : {}),
        ...(wanted ? (chat ? { logprobs: true, top_logprobs: 0 } : { logprobs: 0 }) : {}),
      },
      ...openaiAnswer(ask),
    };
  },
};
