/**
 * Any other OpenAI-compatible server (hosted ones, `transformers serve`): only the fields OpenAI documents, because others
 * are refused or ignored. It offers no top-k and min-p, and a server that applies its own behind our back cannot be told
 * apart from one that does not; the documentation says so.
 */
import type { Dialect } from "../dialect.ts";
import { commonFields, openaiAnswer, promptFields } from "./openai-fields.ts";

export const genericDialect: Dialect = {
  name: "generic",
  capabilities: (facts) => ({
    tokenIds: false,
    temperedLogprobs: false,
    seeded: facts.deterministic,
    topK: false,
    topP: true,
    minP: false,
  }),
  reported: () => "none",
  request(ask) {
    const { path, prompt } = promptFields(ask);
    const { stop, ...fields } = commonFields(ask);
    // An empty list is refused by some.
    return {
      path,
      body: { ...fields, ...prompt, ...(ask.stop.length > 0 ? { stop: stop as string[] } : {}) },
      ...openaiAnswer(ask),
    };
  },
};
