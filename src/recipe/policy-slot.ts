/** The one policy a run keeps open: stages load other weights into it, so graphs and workers are built once. */
import { availableParallelism } from "node:os";
import type { EngineConfig } from "../config/engine.ts";
import type { Policy } from "../engine/seams.ts";
import type { ResolvedEngine } from "./content-keys.ts";

/** Opens an engine with the weights of a checkpoint folder. */
export type OpenPolicy = (checkpoint: string, engine: ResolvedEngine) => Promise<Policy>;

/**
 * Decides `workers: auto`. The number changes the order of float additions and so the bits; once a run has begun it
 * stays what it was, also on a machine with other cores.
 * @param recorded engine parts of the content keys already in the ledger
 */
export function resolveEngine(engine: EngineConfig, recorded: readonly unknown[]): ResolvedEngine {
  if (engine.workers !== "auto") return { ...engine, workers: engine.workers };
  for (const before of recorded) {
    const { kind, workers, threadsPerWorker } = before as Partial<ResolvedEngine>;
    if (kind === engine.kind && threadsPerWorker === engine.threadsPerWorker && typeof workers === "number")
      return { ...engine, workers };
  }
  return { ...engine, workers: Math.max(1, Math.floor(availableParallelism() / engine.threadsPerWorker)) };
}

export interface PolicySlot {
  policy(checkpoint: string): Promise<Policy>;
  close(): Promise<void>;
}

export function createPolicySlot(engine: ResolvedEngine, open: OpenPolicy): PolicySlot {
  let current: Policy | undefined;
  return {
    async policy(checkpoint) {
      if (current) await current.load(checkpoint);
      else current = await open(checkpoint, engine);
      return current;
    },
    async close() {
      const closing = current;
      current = undefined;
      await closing?.close();
    },
  };
}
