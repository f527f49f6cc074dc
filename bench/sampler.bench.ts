/**
 * What the openai sampler costs per response: processor and wall time of the client against a server that answers at
 * once, in one piece and as a stream, beside the loop of `fetch` calls one would write by hand.
 * Usage: npm run bench -- sampler [requests [concurrency]]
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openaiEngineSchema } from "../src/config/engine.ts";
import { openServedModel } from "../src/engine/openai/open.ts";
import { median } from "./summary.ts";

const REPEATS = 3;
/** Milliseconds of processor time per response the sampler may cost, and the concurrency it is promised at. */
const BUDGET_MS = 1;
const PROMISED_CONCURRENCY = 256;
const SAMPLING = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 4096 };

interface Stub {
  url: string;
  stop(): void;
}

async function startStub(tokens: number): Promise<Stub> {
  const script = fileURLToPath(new URL("openai-stub.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, String(tokens)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (text: Buffer) => resolve(text.toString().trim()));
    child.once("exit", (code) => reject(new Error(`the stub ended with code ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => child.stdin.end() };
}

type Draw = (requests: number) => Promise<void>;

async function openSampler(
  url: string,
  concurrency: number,
  stream: boolean,
): Promise<{ draw: Draw; close(): Promise<void> }> {
  const engine = openaiEngineSchema.parse({
    kind: "openai",
    baseUrl: url,
    endpoint: "completions",
    concurrency,
    stream,
  });
  const sampler = await openServedModel("m", engine);
  return {
    close: () => sampler.close(),
    draw: async (requests) => {
      let drawn = 0;
      await sampler.sample(
        Array.from({ length: requests }, (_, i) => ({
          prompt: "1+1=",
          samples: 1,
          sampling: SAMPLING,
          seed: i,
        })),
        {
          onResponse: () => {
            drawn++;
          },
        },
      );
      if (drawn !== requests) throw new Error(`expected ${requests} responses, got ${drawn}`);
    },
  };
}

/** A pool of fetch calls that parse their answer and check nothing. */
function fetchLoop(url: string, concurrency: number): Draw {
  const body = JSON.stringify({ model: "m", prompt: "1+1=", max_tokens: 4096, temperature: 1, logprobs: 0 });
  return async (requests) => {
    let left = requests;
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) {
          const answer = await fetch(`${url}/v1/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
          });
          await answer.json();
        }
      }),
    );
  };
}

/** Medians per request in milliseconds. */
async function measure(draw: Draw, requests: number): Promise<{ cpuMs: number; wallMs: number }> {
  await draw(Math.min(requests, 1000));
  const cpu: number[] = [];
  const wall: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const before = process.cpuUsage();
    const started = performance.now();
    await draw(requests);
    const { user, system } = process.cpuUsage(before);
    wall.push((performance.now() - started) / requests);
    cpu.push((user + system) / 1000 / requests);
  }
  return { cpuMs: median(cpu), wallMs: median(wall) };
}

export async function run(args: readonly string[] = []): Promise<void> {
  const requests = Number(args[0] ?? 5000);
  if (!Number.isInteger(requests) || requests < 1)
    throw new RangeError(`sampler: expected a number of requests, got ${args[0]}`);
  const levels = args[1] === undefined ? [1, 64, PROMISED_CONCURRENCY] : [Number(args[1])];
  if (!levels.every((level) => Number.isInteger(level) && level >= 1))
    throw new RangeError(`sampler: expected a concurrency, got ${args[1]}`);
  console.log(`${requests} responses per repeat, ${REPEATS} repeats, medians per response`);
  console.log("tokens  concurrency  side     cpu ms  wall ms");
  let promised: number | null = null;
  for (const tokens of [16, 2000]) {
    const count = tokens === 16 ? requests : Math.max(1, Math.round(requests / 10));
    const stub = await startStub(tokens);
    try {
      for (const concurrency of levels) {
        const whole = await openSampler(stub.url, concurrency, false);
        const streamed = await openSampler(stub.url, concurrency, true);
        const sides: [string, Draw][] = [
          ["sampler", whole.draw],
          ["stream", streamed.draw],
          ["fetch", fetchLoop(stub.url, concurrency)],
        ];
        for (const [side, one] of sides) {
          const row = `${String(tokens).padStart(6)}  ${String(concurrency).padStart(11)}  ${side.padEnd(7)}`;
          try {
            const { cpuMs, wallMs } = await measure(one, count);
            if (side === "sampler" && tokens === 16 && concurrency === PROMISED_CONCURRENCY) promised = cpuMs;
            console.log(`${row}  ${cpuMs.toFixed(3).padStart(6)}  ${wallMs.toFixed(3).padStart(7)}`);
          } catch (error) {
            // The hand-written loop repeats nothing: a connection that times out on a busy machine ends it.
            if (side !== "fetch") throw error;
            console.log(`${row}  failed: ${((error as Error).cause as Error | undefined)?.message ?? error}`);
          }
        }
        await whole.close();
        await streamed.close();
      }
    } finally {
      stub.stop();
    }
  }
  if (promised !== null)
    console.log(
      `processor time per response at ${PROMISED_CONCURRENCY} concurrent: ${promised.toFixed(3)} ms, ${promised < BUDGET_MS ? "within" : "OVER"} the budget of ${BUDGET_MS} ms`,
    );
}
