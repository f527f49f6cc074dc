/** Answers of a real llama.cpp server (build 11434, SmolLM2-135M-Instruct), as it sent them but for unread fields. */
import { expect, test } from "vitest";
import type { Ask, ReportedLogprobs, ServerFacts } from "../dialect.ts";
import { llamaCppDialect } from "./llama-cpp.ts";

function parse(answer: unknown, logprobs: ReportedLogprobs, maxNewTokens = 8) {
  const ask: Ask = {
    model: "default",
    messages: null,
    prompt: "Q: 4 + 4?\nA:",
    promptTokens: null,
    sampling: { temperature: 0.6, topK: 0, topP: 1, minP: 0, maxNewTokens },
    seed: 3,
    stop: ["\n"],
    templateVariables: {},
    stream: false,
    limitField: "max_tokens",
    logprobs,
  };
  return llamaCppDialect.request(ask, {} as ServerFacts).parse(answer);
}

/** `post_sampling_probs: true`, stop text "\n". */
const STOPPED = {
  content: " 8",
  tokens: [216, 40, 198],
  stop_type: "word",
  stopping_word: "\n",
  tokens_predicted: 3,
  completion_probabilities: [
    { id: 216, token: " ", bytes: [32], prob: 0.9993501901626587 },
    { id: 40, token: "8", bytes: [56], prob: 0.08757581561803818 },
  ],
};

test("the token of a stop text has neither text nor probability, and is left off", () => {
  const { text, tokens, logprobs, finishReason } = parse(STOPPED, "processed");
  expect({ text, tokens, finishReason }).toEqual({ text: " 8", tokens: [216, 40], finishReason: "stop" });
  expect(logprobs).toEqual([Math.log(0.9993501901626587), Math.log(0.08757581561803818)]);
});

test("probabilities that are not those of the first tokens leave the response without any", () => {
  const [, second] = STOPPED.completion_probabilities;
  const { tokens, logprobs } = parse({ ...STOPPED, completion_probabilities: [second] }, "processed");
  expect({ tokens, logprobs }).toEqual({ tokens: [216, 40, 198], logprobs: [] });
});

test("a character of several tokens is reported with the last of them only: no log-probabilities", () => {
  const answer = {
    content: " 安西",
    tokens: [13223, 123, 227, 179, 115, 140],
    stop_type: "limit",
    stopping_word: "",
    tokens_predicted: 6,
    completion_probabilities: [
      { id: 227, token: " 安", bytes: [32, 229, 174, 137], logprob: -0.848581850528717 },
      { id: 140, token: "西", bytes: [232, 165, 191], logprob: -0.03171781077980995 },
    ],
  };
  const { tokens, logprobs } = parse(answer, "raw", 6);
  expect(tokens).toHaveLength(6);
  expect(logprobs).toEqual([]);
});
