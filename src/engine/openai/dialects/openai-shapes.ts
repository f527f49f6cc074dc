/** What answers in one piece and chunks of a stream have in common in OpenAI's shape. Unknown fields pass. */
import { z } from "zod";
import { numbersSchema, tokenIdsSchema } from "../answers.ts";

export const usageSchema = z.object({ completion_tokens: z.int().min(0).nullish() }).nullish();

/** `message` or `delta` of the chat endpoint; a reasoning parser splits the response in two. */
export const messageSchema = z
  .object({
    content: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    reasoning: z.string().nullish(),
  })
  .nullish();

/** Fields of a choice beside its message. */
export const choiceFields = {
  finish_reason: z.string().nullish(),
  /** Completions endpoint. */
  text: z.string().nullish(),
  token_ids: tokenIdsSchema.nullish(),
  prompt_token_ids: tokenIdsSchema.nullish(),
  logprobs: z
    .object({
      /** Completions endpoint. */
      tokens: z.array(z.string()).nullish(),
      token_logprobs: numbersSchema.nullish(),
      /** Chat endpoint. */
      content: z.array(z.object({ token: z.string(), logprob: z.number() })).nullish(),
    })
    .nullish(),
};
