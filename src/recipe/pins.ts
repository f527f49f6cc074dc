/**
 * Names in a recipe that stand for something else tomorrow, settled when a run starts: what they stand for goes into
 * the configurations, and with them into content keys and the recorded recipe. A run that is continued keeps what it
 * started with; a new run, or one started over, asks again.
 */
import type { Recipe } from "../config/recipe.ts";
import { InterruptedError, PolarisError } from "../errors.ts";
import type { Ledger } from "../store/ledger.ts";
import type { Json } from "../types.ts";
import type { GraphStage } from "./graph.ts";
import type { PinContext, StageKind } from "./stage.ts";

/** Stages and recipe with every name settled. */
export interface Pinned {
  stages: GraphStage[];
  recipe: Recipe;
}

async function pinStage(id: string, kind: StageKind, config: unknown, context: PinContext): Promise<unknown> {
  try {
    return await kind.pin?.(config, context);
  } catch (cause) {
    if (context.signal.aborted) throw new InterruptedError("stopped before the first stage", { cause });
    if (cause instanceof PolarisError) cause.message = `stage ${id}: ${cause.message}`;
    throw cause;
  }
}

/**
 * Settles the names of all stages.
 * @throws {InterruptedError} after `signal`; what a stage's `pin` throws, for example {DataError} when the Hub has no such branch
 */
export async function pinStages(
  stages: readonly GraphStage[],
  recipe: Recipe,
  kinds: Readonly<Record<string, StageKind>>,
  ledger: Pick<Ledger, "steps">,
  signal: AbortSignal,
): Promise<Pinned> {
  const recorded = ledger.steps().map(({ parts }) => parts["config"] ?? null);
  const settled = new Map<string, unknown>();
  for (const { id, kind, config } of stages) {
    const pinned = (await pinStage(id, kinds[kind]!, config, { recorded, signal })) ?? config;
    settled.set(id, pinned);
    recorded.push(pinned as Json);
  }
  return {
    stages: stages.map((stage) => ({ ...stage, config: settled.get(stage.id) })),
    recipe: {
      ...recipe,
      stages: recipe.stages.map((stage) => ({ ...stage, config: settled.get(stage.id) })),
    },
  };
}
