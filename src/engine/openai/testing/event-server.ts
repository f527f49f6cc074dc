/**
 * Answers as streams of server-sent events, in the documented chunks of each dialect, written in whatever pieces and
 * with whatever manners a test asks for. For tests.
 */
import type { ServerResponse } from "node:http";
import type { StubRequest } from "./stub-server.ts";

export interface StreamManners {
  /** Bytes per piece that is written; default: the whole stream at once. */
  pieceBytes?: number;
  lineEnd?: "\n" | "\r\n" | "\r";
  /** Comment lines between events, as servers send to keep a connection open. */
  comments?: boolean;
  /** Leaves out the closing `[DONE]`. */
  noDone?: boolean;
  /** After so many events: closes the socket, ends politely, falls silent, reports an error, or breaks off in an event. */
  after?: { events: number; ending: "reset" | "end" | "silence" | "error" | "half" };
}

/** One id per character, as the answers in one piece have it. */
interface Scored {
  ids: number[];
  logprobs: number[];
}

/** Chunks of vLLM and SGLang; the last but one ends the choice, the last carries the usage alone. */
export function openaiEvents(
  request: StubRequest,
  options: {
    text: string;
    reasoning?: string;
    finish: string;
    scored: Scored;
    withIds: boolean;
    promptIds: number[];
  },
): unknown[] {
  const { text, reasoning = "", finish, scored, withIds, promptIds } = options;
  const chat = request.path === "/v1/chat/completions";
  const wantsLogprobs = request.body?.["logprobs"] !== undefined && request.body["logprobs"] !== false;
  const named = (id: number): string =>
    request.body?.["return_tokens_as_token_ids"] ? `token_id:${id}` : "x";
  const head = {
    id: "cmpl-1",
    object: chat ? "chat.completion.chunk" : "text_completion",
    created: 1,
    model: "m",
  };
  const characters = [...text];
  const content = characters.map((character, i) => {
    const id = scored.ids[i] as number;
    const logprob = scored.logprobs[i] as number;
    return {
      ...head,
      choices: [
        {
          index: 0,
          ...(chat ? { delta: { content: character } } : { text: character }),
          finish_reason: null,
          logprobs: !wantsLogprobs
            ? null
            : chat
              ? { content: [{ token: named(id), logprob, bytes: [], top_logprobs: [] }] }
              : { tokens: [named(id)], token_logprobs: [logprob], text_offset: [i], top_logprobs: [] },
          ...(withIds ? { token_ids: [id] } : {}),
        },
      ],
    };
  });
  const choice = (fields: object, finishReason: string | null) => ({
    ...head,
    choices: [{ index: 0, ...fields, finish_reason: finishReason, logprobs: null }],
  });
  return [
    {
      ...choice(chat ? { delta: { role: "assistant", content: "" } } : { text: "" }, null),
      ...(withIds ? { prompt_token_ids: promptIds } : {}),
    },
    ...[...reasoning].map((character) => choice({ delta: { reasoning: character } }, null)),
    ...content,
    choice(chat ? { delta: {} } : { text: "" }, finish),
    {
      ...head,
      choices: [],
      usage: {
        prompt_tokens: 3,
        completion_tokens: characters.length + [...reasoning].length,
        total_tokens: 9,
      },
    },
  ];
}

/** Events of llama.cpp's own endpoint: text as it comes, the count so far, and a last one without text. */
export function llamaEvents(options: { text: string; stopType: string }): unknown[] {
  const characters = [...options.text];
  return [
    ...characters.map((content, i) => ({
      index: 0,
      content,
      tokens: [content.codePointAt(0)],
      stop: false,
      id_slot: 0,
      tokens_predicted: i + 1,
      tokens_evaluated: 3,
    })),
    {
      index: 0,
      content: "",
      tokens: [],
      id_slot: 0,
      stop: true,
      model: "m",
      tokens_predicted: characters.length,
      tokens_evaluated: 3,
      generation_settings: {},
      prompt: "P",
      truncated: false,
      stop_type: options.stopType,
      stopping_word: "",
      timings: {},
    },
  ];
}

/** Writes events to an answer. */
export function sendEvents(
  answer: ServerResponse,
  events: readonly unknown[],
  manners: StreamManners = {},
): void {
  const { pieceBytes, lineEnd = "\n", comments = false, noDone = false, after } = manners;
  const shown = events.slice(0, after?.events);
  const texts = shown.map(
    (event) =>
      `${comments ? `: ping${lineEnd}${lineEnd}` : ""}data: ${JSON.stringify(event)}${lineEnd}${lineEnd}`,
  );
  if (after === undefined && !noDone) texts.push(`data: [DONE]${lineEnd}${lineEnd}`);
  if (after?.ending === "error")
    texts.push(`data: {"error": {"message": "engine died", "code": 500}}${lineEnd}${lineEnd}`);
  if (after?.ending === "half") texts.push(JSON.stringify(events[after.events]).slice(0, 20));
  const bytes = Buffer.from(texts.join(""), "utf8");
  answer.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  answer.flushHeaders();
  const size = pieceBytes ?? Math.max(1, bytes.length);
  const write = (start: number): void => {
    if (answer.destroyed) return;
    if (start < bytes.length) {
      // One piece per turn of the loop, so that the other side sees them apart.
      answer.write(bytes.subarray(start, start + size), () => setImmediate(write, start + size));
      return;
    }
    if (after?.ending === "reset") answer.socket?.destroy();
    else if (after?.ending !== "silence") answer.end();
  };
  write(0);
}
