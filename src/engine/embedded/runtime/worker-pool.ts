/** The engine's threads. Lanes are dealt to threads round robin, so how many threads there are never changes a result. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { EngineError, InterruptedError } from "../../../errors.ts";
import type { SharedState, WorkerReply, WorkerRequest, WorkerResult } from "./messages.ts";

/** A request without what the pool adds. */
type Unsent<Request> = Request extends unknown ? Omit<Request, "id" | "parametersVersion"> : never;

export interface WorkerPool {
  readonly size: number;
  /** Sends a request to one thread. @throws {EngineError} when the work fails or the thread dies */
  ask<Kind extends keyof WorkerResult>(
    worker: number,
    request: Unsent<Extract<WorkerRequest, { kind: Kind }>> & { kind: Kind },
    parametersVersion: number,
  ): Promise<WorkerResult[Kind]>;
  close(): Promise<void>;
}

interface Pending {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/** Builds run the compiled worker; a source tree runs the TypeScript one through tsx, registered inside the thread. */
function startWorker(name: string, workerData: SharedState): Worker {
  if (import.meta.url.endsWith(".js"))
    return new Worker(new URL("./worker.js", import.meta.url), { workerData, name });
  // Only the module build of tsx's loader finds its own hooks when it is started inside a thread.
  const tsx = pathToFileURL(
    createRequire(import.meta.url)
      .resolve("tsx/esm/api")
      .replace(/\.cjs$/, ".mjs"),
  );
  const entry = new URL("./worker.ts", import.meta.url).href;
  const code = `import("${tsx.href}").then(({ register }) => { register(); return import("${entry}"); });`;
  return new Worker(code, { eval: true, workerData, name });
}

function errorOf({ message, name }: { message: string; name: string }): Error {
  if (name === "InterruptedError") return new InterruptedError(message);
  if (name === "RangeError") return new RangeError(message);
  if (name === "TypeError") return new TypeError(message);
  return new EngineError(message);
}

/** Starts the threads. */
export function openWorkerPool(size: number, state: SharedState): WorkerPool {
  const pending = new Map<number, Pending & { worker: number }>();
  let counter = 0;
  const dead = new Map<number, Error>();
  let closed = false;
  const workers = Array.from({ length: size }, (_, index) => {
    const worker = startWorker(`polaris-engine-${index}`, state);
    const fail = (error: Error): void => {
      dead.set(index, error);
      for (const [id, entry] of pending)
        if (entry.worker === index) {
          pending.delete(id);
          entry.reject(error);
        }
    };
    worker.on("message", (reply: WorkerReply) => {
      const entry = pending.get(reply.id);
      pending.delete(reply.id);
      // An idle engine does not keep the process alive; a closing one does until its threads have ended.
      if (pending.size === 0 && !closed) for (const each of workers) each.unref();
      if ("error" in reply) entry?.reject(errorOf(reply.error));
      else entry?.resolve(reply.result as never);
    });
    worker.on("error", (cause) =>
      fail(new EngineError(`engine thread ${index} failed: ${cause.message}`, { cause })),
    );
    worker.on("exit", (code) => {
      if (!closed && !dead.has(index))
        fail(new EngineError(`engine thread ${index} ended with code ${code}`));
    });
    worker.unref();
    return worker;
  });
  const pool: WorkerPool = {
    size,
    ask(worker, request, parametersVersion) {
      const failure = closed ? new EngineError("the engine is closed") : dead.get(worker);
      if (failure) return Promise.reject(failure);
      const id = counter++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject, worker });
        const target = workers[worker] as Worker;
        target.ref();
        target.postMessage({ ...request, id, parametersVersion });
      });
    },
    async close() {
      if (closed) return;
      // Terminating a thread inside ONNX Runtime takes the process down, so each is asked and ends by itself.
      const asked = workers.map(async (worker, index) => {
        if (dead.has(index)) return;
        const ended = new Promise((resolve) => worker.once("exit", resolve));
        await pool.ask(index, { kind: "close" }, 0);
        await ended;
      });
      closed = true;
      await Promise.all(asked);
    },
  };
  return pool;
}
