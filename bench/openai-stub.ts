/**
 * A stand-in for a vLLM server that answers at once, in a process of its own: what is measured against it is the client.
 * Prints its port. Usage: tsx bench/openai-stub.ts <tokens per response>
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const tokens = Number(process.argv[2] ?? 16);
const ids = Array.from({ length: tokens }, (_, i) => (i * 7919) % 151_936);
const answer = JSON.stringify({
  id: "cmpl-1",
  object: "text_completion",
  created: 1,
  model: "m",
  choices: [
    {
      index: 0,
      text: "x+1=2 ".repeat(Math.ceil(tokens / 3)),
      finish_reason: "stop",
      token_ids: ids,
      prompt_token_ids: ids.slice(0, 64),
      logprobs: {
        text_offset: ids.map((_, i) => 2 * i),
        token_logprobs: ids.map((id) => -(id % 97) / 64),
        tokens: ids.map((id) => `token_id:${id}`),
        top_logprobs: ids.map((id) => ({ [`token_id:${id}`]: -(id % 97) / 64 })),
      },
    },
  ],
  usage: { prompt_tokens: 64, completion_tokens: tokens, total_tokens: tokens + 64 },
});
const facts: Record<string, string> = {
  "/v1/models": JSON.stringify({ object: "list", data: [{ id: "m", owned_by: "vllm" }] }),
  "/version": JSON.stringify({ version: "0.11.0" }),
};

/** The same response as a stream: one event per token, written in one go. */
const head = { id: "cmpl-1", object: "text_completion", created: 1, model: "m" };
const events = ids.map((id, i) => ({
  ...head,
  choices: [
    {
      index: 0,
      text: "x+1=2 ".slice((2 * i) % 6, ((2 * i) % 6) + 2),
      finish_reason: i + 1 === tokens ? "stop" : null,
      token_ids: [id],
      logprobs: {
        text_offset: [2 * i],
        token_logprobs: [-(id % 97) / 64],
        tokens: [`token_id:${id}`],
        top_logprobs: [{ [`token_id:${id}`]: -(id % 97) / 64 }],
      },
    },
  ],
}));
const usage = { ...head, choices: [], usage: { prompt_tokens: 64, completion_tokens: tokens } };
const stream = [...events, usage].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

const server = createServer((incoming, outgoing) => {
  const pieces: Buffer[] = [];
  incoming.on("data", (piece: Buffer) => pieces.push(piece));
  incoming.on("end", () => {
    if (Buffer.concat(pieces).includes('"stream":true')) {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.end(`${stream}data: [DONE]\n\n`);
      return;
    }
    const body = incoming.method === "POST" ? answer : (facts[incoming.url ?? ""] ?? "{}");
    outgoing.writeHead(body === "{}" ? 404 : 200, { "content-type": "application/json" });
    outgoing.end(body);
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.on("end", () => process.exit(0)).resume();
