/**
 * Content keys of stages: equal keys mean equal outputs, bit for bit. A key covers the stage kind and its version, the
 * configuration, the keys of everything it reads, the seed, and the engine settings that change bits.
 */
import { type EngineConfig, templateVariables } from "../config/engine.ts";
import { camelToSnake } from "../config/key-case.ts";
import type { Recipe } from "../config/recipe.ts";
import { canonicalJson, contentKey, hashPath } from "../store/canonical.ts";
import type { Json } from "../types.ts";
import type { GraphStage } from "./graph.ts";
import type { StageKind } from "./stage.ts";

/** What a key is made of. */
export interface KeyParts {
  kind: string;
  version: number;
  config: Json;
  /** Content key by reference. */
  inputs: Record<string, string>;
  seed: number;
  engine: Json;
}

/**
 * The engine settings that change bits. The number of workers does not: lanes are dealt out, not added up, by workers.
 * Source: the determinism contract at the head of `engine/embedded/policy.ts`.
 */
export function engineKey(engine: EngineConfig): Record<string, Json> {
  if (engine.kind === "embedded") {
    const { kind, lanes, threadsPerWorker } = engine;
    return { kind, lanes, threadsPerWorker };
  }
  // Where the server stands and how fast it is asked change nothing; its weights are known by name and label only.
  const { kind, model, revision, dialect, endpoint, tokenizer, stop, logprobs } = engine;
  const variables = templateVariables(engine);
  return {
    kind,
    model: model ?? null,
    revision,
    dialect,
    endpoint,
    tokenizer: tokenizer ?? null,
    stop,
    logprobs,
    ...(Object.keys(variables).length > 0 ? { chat_template_kwargs: variables } : {}),
  };
}

/** The keys of all stages, in the given order; a stage's key covers those of the stages it reads. */
export async function stageKeys(
  stages: readonly GraphStage[],
  recipe: Recipe,
  kinds: Readonly<Record<string, StageKind>>,
): Promise<Map<string, { key: string; parts: KeyParts }>> {
  const keys = new Map<string, { key: string; parts: KeyParts }>();
  const hashes = new Map<string, string>();
  for (const stage of stages) {
    const inputs: Record<string, string> = {};
    for (const [text, reference] of stage.inputs) {
      if (reference.kind === "stage") {
        inputs[text] = keys.get(reference.id)!.key;
      } else if (reference.kind === "served") {
        // Its weights stand in the engine part of the key: name and revision.
        inputs[text] = text;
      } else {
        if (!hashes.has(reference.path)) hashes.set(reference.path, await hashPath(reference.path));
        inputs[text] = hashes.get(reference.path)!;
      }
    }
    const parts: KeyParts = {
      kind: stage.kind,
      version: kinds[stage.kind]!.version,
      config: JSON.parse(canonicalJson(stage.config)) as Json,
      inputs,
      seed: stage.seed ?? recipe.seed,
      engine: engineKey(recipe.engine),
    };
    keys.set(stage.id, { key: contentKey(parts as unknown as Record<string, Json>), parts });
  }
  return keys;
}

/** Dotted paths at which two JSON values differ, at most `limit` of them; items of a list by their index, as `--set` does. */
function differences(
  before: Json | undefined,
  after: Json | undefined,
  path: string,
  limit: number,
): string[] {
  if (limit <= 0 || canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  const isGroup = (value: Json | undefined): value is Record<string, Json> =>
    typeof value === "object" && value !== null;
  if (!isGroup(before) || !isGroup(after) || Array.isArray(before) !== Array.isArray(after)) return [path];
  const found: string[] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = path === "" ? key : `${path}.${key}`;
    found.push(...differences(before[key], after[key], below, limit - found.length));
  }
  return found;
}

/** Why a stage's key changed, in a few words for the user. */
export function staleReason(before: Record<string, Json>, after: KeyParts): string {
  const config = differences(before["config"], after.config, "", 3).map(camelToSnake);
  if (config.length > 0) return `${config.join(", ")} changed`;
  const inputs = differences(before["inputs"], after.inputs, "", 3);
  if (inputs.length > 0) return `input ${inputs.join(", ")} changed`;
  if (before["seed"] !== after.seed) return "the seed changed";
  if (before["kind"] !== after.kind || before["version"] !== after.version) return "the stage's code changed";
  const engine = differences(before["engine"], after.engine, "engine", 3);
  return engine.length > 0 ? `${engine.join(", ")} changed` : "its content key changed";
}
