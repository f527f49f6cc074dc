/** The OpenAI-shaped part that vLLM, SGLang's chat endpoint and generic servers share: two paths, one answer. */
import { z } from "zod";
import type { Json } from "../../../types.ts";
import type { Completion } from "../../seams.ts";
import { finishReason, parseShape, single, toCompletion, tokenIdsSchema } from "../answers.ts";
import type { Ask, WireRequest } from "../dialect.ts";
import { choiceFields, messageSchema, usageSchema } from "./openai-shapes.ts";
import { createOpenaiFold } from "./openai-stream.ts";

/** Fields every OpenAI-compatible server knows, none left out. */
export function commonFields(ask: Ask): Record<string, Json> {
  const { model, sampling, seed, stop } = ask;
  return {
    model,
    n: 1,
    [ask.limitField]: sampling.maxNewTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    presence_penalty: 0,
    frequency_penalty: 0,
    seed,
    stop: [...stop],
    stream: ask.stream,
    // The count of tokens comes with the last chunk only when asked for.
    ...(ask.stream ? { stream_options: { include_usage: true } } : {}),
  };
}

/** Path of the endpoint and the fields that carry the prompt. */
export function promptFields(ask: Ask): { path: string; prompt: Record<string, Json> } {
  if (ask.messages !== null)
    return {
      path: "/v1/chat/completions",
      prompt: {
        messages: ask.messages.map(({ role, content }) => ({ role, content })),
        ...(Object.keys(ask.templateVariables).length > 0
          ? { chat_template_kwargs: { ...ask.templateVariables } }
          : {}),
      },
    };
  return {
    path: "/v1/completions",
    prompt: { prompt: ask.promptTokens === null ? ask.prompt : [...ask.promptTokens] },
  };
}

const choiceSchema = z.object({ ...choiceFields, message: messageSchema });

const answerSchema = z.object({
  choices: z.array(choiceSchema).max(4096),
  usage: usageSchema,
  prompt_token_ids: tokenIdsSchema.nullish(),
});

type Choice = z.infer<typeof choiceSchema>;

/** Names such as `token_id:151643`, which vLLM sends for tokens whose text is not the point; null unless all are. */
function idsFromNames(names: readonly string[] | null | undefined): number[] | null {
  if (names == null) return null;
  const ids = names.map((name) => (/^token_id:\d{1,9}$/.test(name) ? Number(name.slice(9)) : -1));
  return ids.every((id) => id >= 0) ? ids : null;
}

/**
 * The response in one piece. A reasoning parser on the server takes the think tags off; they are put back, because the
 * grader and the step finder read the whole response.
 */
function textOf(choice: Choice): string {
  if (choice.message == null) return choice.text ?? "";
  const { content, reasoning_content, reasoning } = choice.message;
  const thought = reasoning_content ?? reasoning ?? "";
  if (thought === "") return content ?? "";
  return content ? `<think>${thought}</think>${content}` : `<think>${thought}`;
}

/** How an OpenAI-shaped request is answered: in one piece, or as a stream. */
export function openaiAnswer(ask: Ask): Pick<WireRequest, "parse" | "fold"> {
  return {
    parse: (answer) => parseOpenaiAnswer(answer, ask),
    ...(ask.stream ? { fold: createOpenaiFold } : {}),
  };
}

/** Reads the one choice of an OpenAI-shaped answer. @throws {RequestFailure} */
function parseOpenaiAnswer(answer: unknown, ask: Ask): Completion {
  const { choices, usage, prompt_token_ids } = parseShape(answerSchema, answer);
  const choice = single(choices, "choice");
  const { logprobs } = choice;
  const content = logprobs?.content ?? null;
  return toCompletion({
    text: textOf(choice),
    finish: finishReason(choice.finish_reason),
    promptTokens: choice.prompt_token_ids ?? prompt_token_ids ?? ask.promptTokens,
    tokens:
      choice.token_ids ?? idsFromNames(logprobs?.tokens) ?? idsFromNames(content?.map(({ token }) => token)),
    logprobs:
      ask.logprobs === "none" ? null : (logprobs?.token_logprobs ?? content?.map(({ logprob }) => logprob)),
    lengthTokens: usage?.completion_tokens ?? null,
    maxNewTokens: ask.sampling.maxNewTokens,
  });
}
