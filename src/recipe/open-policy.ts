/** From the `engine:` section to an open policy. The engine is imported only when a stage asks for one. */
import type { EngineConfig } from "../config/engine.ts";
import type { Policy } from "../engine/seams.ts";

/**
 * Opens the engine a recipe names with the weights of a checkpoint folder.
 * @throws {CheckpointError} when the folder is no readable checkpoint
 * @throws {EngineError} when the engine cannot start
 */
export async function openPolicy(checkpoint: string, engine: EngineConfig): Promise<Policy> {
  const { openEmbeddedPolicy } = await import("../engine/embedded/policy.ts");
  const { workers, lanes, threadsPerWorker } = engine;
  return openEmbeddedPolicy({ checkpoint, workers, lanes, threadsPerWorker });
}
