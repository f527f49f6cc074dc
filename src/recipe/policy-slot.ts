/** The one policy a run keeps open: stages load other weights into it, so graphs and workers are built once. */
import type { EngineConfig } from "../config/engine.ts";
import type { Policy } from "../engine/seams.ts";

/** Opens an engine with the weights of a checkpoint folder. */
export type OpenPolicy = (checkpoint: string, engine: EngineConfig) => Promise<Policy>;

export interface PolicySlot {
  policy(checkpoint: string): Promise<Policy>;
  close(): Promise<void>;
}

export function createPolicySlot(engine: EngineConfig, open: OpenPolicy): PolicySlot {
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
