/** The engine's threads. Lanes are dealt to threads round robin, so how many threads there are never changes a result. */
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

/** Source trees run the worker through tsx, builds run the compiled file. */
function workerUrl(): { url: URL; execArgv: string[] } {
  const compiled = import.meta.url.endsWith(".js");
  const url = new URL(compiled ? "./worker.js" : "./worker.ts", import.meta.url);
  return { url, execArgv: compiled ? [] : ["--import", "tsx"] };
}

function errorOf({ message, name }: { message: string; name: string }): Error {
  if (name === "InterruptedError") return new InterruptedError(message);
  if (name === "RangeError") return new RangeError(message);
  if (name === "TypeError") return new TypeError(message);
  return new EngineError(message);
}

/** Starts the threads. */
export function openWorkerPool(size: number, state: SharedState): WorkerPool {
  const { url, execArgv } = workerUrl();
  const pending = new Map<number, Pending & { worker: number }>();
  let counter = 0;
  let closed = false;
  const workers = Array.from({ length: size }, (_, index) => {
    const worker = new Worker(url, { workerData: state, execArgv, name: `polaris-engine-${index}` });
    const fail = (error: Error): void => {
      for (const [id, entry] of pending)
        if (entry.worker === index) {
          pending.delete(id);
          entry.reject(error);
        }
    };
    worker.on("message", (reply: WorkerReply) => {
      const entry = pending.get(reply.id);
      pending.delete(reply.id);
      if (pending.size === 0) for (const each of workers) each.unref();
      if ("error" in reply) entry?.reject(errorOf(reply.error));
      else entry?.resolve(reply.result as never);
    });
    worker.on("error", (cause) =>
      fail(new EngineError(`engine thread ${index} failed: ${cause.message}`, { cause })),
    );
    worker.on("exit", (code) => {
      if (!closed) fail(new EngineError(`engine thread ${index} ended with code ${code}`));
    });
    worker.unref();
    return worker;
  });
  return {
    size,
    ask(worker, request, parametersVersion) {
      if (closed) return Promise.reject(new EngineError("the engine is closed"));
      const id = counter++;
      return new Promise((resolve, reject) => {
        pending.set(id, { resolve, reject, worker });
        const target = workers[worker] as Worker;
        target.ref();
        target.postMessage({ ...request, id, parametersVersion });
      });
    },
    async close() {
      closed = true;
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
