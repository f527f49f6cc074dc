/** From the `engine:` section to an open policy or sampler. The engine is imported only when a stage asks for one. */
import { type EngineConfig, type OpenaiEngineConfig, templateVariables } from "../config/engine.ts";
import type { Policy, Sampler } from "../engine/seams.ts";
import { EngineError } from "../errors.ts";
import type { TemplateSource } from "./stage.ts";

/**
 * Opens the engine a recipe names with the weights of a checkpoint folder.
 * @throws {CheckpointError} when the folder is no readable checkpoint
 * @throws {EngineError} when the engine cannot start, or cannot load weights at all
 */
export async function openPolicy(checkpoint: string, engine: EngineConfig): Promise<Policy> {
  if (engine.kind !== "embedded")
    throw new EngineError(
      `the ${engine.kind} engine only samples what its server holds: it cannot load ${checkpoint}`,
      {
        hint: "name a served model, for example model: served:default, or set engine.kind: embedded",
      },
    );
  const { openEmbeddedPolicy } = await import("../engine/embedded/policy.ts");
  const { workers, lanes, threadsPerWorker } = engine;
  return openEmbeddedPolicy({ checkpoint, workers, lanes, threadsPerWorker });
}

/** Who turns conversations into text for a served model: its server, or the template in the engine's tokenizer folder. */
export function servedTemplate(engine: OpenaiEngineConfig): TemplateSource {
  if (engine.endpoint === "chat") return { by: "server" };
  return { by: "folder", folder: engine.tokenizer ?? null, variables: templateVariables(engine) };
}

/**
 * Opens a model that a server holds.
 * @param name what follows `served:` in the recipe
 * @throws {EngineError} when the engine has no server, or the server does not answer or lacks the model
 */
export async function openServed(name: string, engine: EngineConfig): Promise<Sampler> {
  if (engine.kind !== "openai")
    throw new EngineError(`the ${engine.kind} engine has no server to sample served:${name} from`, {
      hint: "set engine.kind: openai with base_url, or name a checkpoint folder",
    });
  const { openServedModel } = await import("../engine/openai/open.ts");
  return openServedModel(name, engine);
}
