/**
 * Streams of OpenAI's shape: chunks with a `delta` (chat) or a `text` (completions) put together to the answer that the
 * same server gives in one piece, so that one reader serves both. A stream is whole when its choice has a finish reason:
 * some gateways drop the closing `[DONE]`.
 */
import { z } from "zod";
import { parseShape, tokenIdsSchema } from "../answers.ts";
import type { StreamFold } from "../dialect.ts";
import { malformed } from "../failure.ts";
import { choiceFields, messageSchema, usageSchema } from "./openai-shapes.ts";

const chunkSchema = z.object({
  choices: z
    .array(z.object({ ...choiceFields, delta: messageSchema }))
    // The last chunk may carry the usage alone.
    .max(1),
  usage: usageSchema,
  prompt_token_ids: tokenIdsSchema.nullish(),
});

/** The parts of a response as they come; null = none came. */
interface Parts {
  text: string[] | null;
  content: string[] | null;
  reasoning: string[] | null;
  tokenIds: number[] | null;
  promptTokenIds: number[] | null;
  names: string[] | null;
  logprobs: number[] | null;
  scored: { token: string; logprob: number }[] | null;
}

/** Appends without copying what is there; responses have tens of thousands of parts. */
function append<Value>(list: Value[] | null, values: readonly Value[] | null | undefined): Value[] | null {
  if (values == null) return list;
  if (list === null) return [...values];
  for (const value of values) list.push(value);
  return list;
}

const one = (text: string | null | undefined): string[] | null => (text == null ? null : [text]);
const joined = (texts: readonly string[] | null): string | null => texts?.join("") ?? null;

/** Puts chunks together. */
export function createOpenaiFold(): StreamFold {
  const parts: Parts = {
    text: null,
    content: null,
    reasoning: null,
    tokenIds: null,
    promptTokenIds: null,
    names: null,
    logprobs: null,
    scored: null,
  };
  let finish: string | null = null;
  let usage: { completion_tokens?: number | null } | null = null;
  return {
    add(event) {
      const chunk = parseShape(chunkSchema, event);
      usage = chunk.usage ?? usage;
      const choice = chunk.choices[0];
      parts.promptTokenIds ??= choice?.prompt_token_ids ?? chunk.prompt_token_ids ?? null;
      if (choice === undefined) return 0;
      const { delta, logprobs } = choice;
      const thought = delta?.reasoning_content ?? delta?.reasoning;
      parts.text = append(parts.text, one(choice.text));
      parts.content = append(parts.content, one(delta?.content));
      parts.reasoning = append(parts.reasoning, one(thought));
      parts.tokenIds = append(parts.tokenIds, choice.token_ids);
      parts.names = append(parts.names, logprobs?.tokens);
      parts.logprobs = append(parts.logprobs, logprobs?.token_logprobs);
      parts.scored = append(parts.scored, logprobs?.content);
      finish = choice.finish_reason ?? finish;
      // Without ids a chunk with text counts as one token: what servers send unless they are told to batch.
      const shown = (choice.text ?? "") !== "" || (delta?.content ?? "") !== "" || (thought ?? "") !== "";
      return choice.token_ids?.length ?? (shown ? 1 : 0);
    },
    answer() {
      if (finish === null) throw malformed("a finish reason before the end of the stream");
      const { text, content, reasoning, promptTokenIds, names, logprobs, scored } = parts;
      // Some versions leave out chunks without text, and their ids with them: then only the count is kept.
      const count = usage?.completion_tokens;
      const tokenIds = count == null || parts.tokenIds?.length === count ? parts.tokenIds : null;
      return {
        choices: [
          {
            finish_reason: finish,
            ...(text === null
              ? { message: { content: joined(content), reasoning: joined(reasoning) } }
              : { text: joined(text) }),
            token_ids: tokenIds,
            logprobs:
              (tokenIds === null && parts.tokenIds !== null) || (names ?? logprobs ?? scored) === null
                ? null
                : { tokens: names, token_logprobs: logprobs, content: scored },
          },
        ],
        usage,
        prompt_token_ids: promptTokenIds,
      };
    },
  };
}
