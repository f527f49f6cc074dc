/** Starts llama.cpp's server on a free port of this machine and waits until it has loaded the model. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Tokens of context per slot: five examples, a question and an answer fit in. */
const CONTEXT_TOKENS = 1024;
const READY_SECONDS = 300;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export interface LlamaServerOptions {
  binary: string;
  /** GGUF file. */
  model: string;
  /** Responses at a time. */
  slots: number;
  threads: number;
}

/** @throws {Error} when the server ends or is not ready in time */
export async function startLlamaServer(
  options: LlamaServerOptions,
): Promise<{ url: string; child: ChildProcess }> {
  const { binary, model, slots, threads } = options;
  const port = await freePort();
  const words = ["-m", model, "--host", "127.0.0.1", "--port", String(port), "-t", String(threads)];
  const child = spawn(
    binary,
    [...words, "-np", String(slots), "-c", String(slots * CONTEXT_TOKENS), "--log-disable"],
    { stdio: "ignore" },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let waited = 0; waited < 2 * READY_SECONDS; waited++) {
    if (child.exitCode !== null) throw new Error(`${binary} ended with code ${child.exitCode}`);
    const ready = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return { url, child };
    await delay(500);
  }
  child.kill();
  throw new Error(`${binary} was not ready after ${READY_SECONDS} s`);
}
