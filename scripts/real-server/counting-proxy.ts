/**
 * Stands between the engine and a real server and counts what the server was made to generate: answers per seed and
 * temperature, which together name one sample of the recipe. It passes everything on unchanged.
 */
import { request as ask, createServer, type IncomingMessage } from "node:http";

/** Names one sample: its seed and the temperature it is drawn at. */
export const sampleName = (seed: number, temperature: number): string => `${seed} at ${temperature}`;

export interface CountingProxy {
  url: string;
  /** Complete answers handed on, by sample. */
  answers: Map<string, number>;
  close(): void;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** @param target address of the real server */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const answers = new Map<string, number>();
  const proxy = createServer(async (incoming, outgoing) => {
    try {
      const body = await bodyOf(incoming);
      const onward = ask(
        `${target}${incoming.url}`,
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      onward.once("error", () => outgoing.destroy());
      // The server stops generating when whoever asked is gone.
      outgoing.once("close", () => onward.destroy());
      outgoing.once("finish", () => {
        if (incoming.url !== "/completion") return;
        const { seed, temperature } = JSON.parse(body.toString("utf8"));
        const name = sampleName(seed, temperature);
        answers.set(name, (answers.get(name) ?? 0) + 1);
      });
      onward.end(body);
    } catch {
      outgoing.destroy();
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    close: () => {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
