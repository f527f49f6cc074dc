/** The stages of a recipe as a graph: who reads whom, and an order in which everything read exists. */
import { placeOfReference } from "../config/check.ts";
import { configErrorAt, type Located } from "../config/located.ts";
import type { Recipe, RecipeStage } from "../config/recipe.ts";
import { ConfigError } from "../errors.ts";
import { type Reference, resolveReference } from "./references.ts";
import type { ExpectedKind, StageKind } from "./stage.ts";
import { temperatureReferences } from "./temperature-references.ts";

export interface GraphStage extends RecipeStage {
  /** What the configuration reads, by the text it was written with. */
  inputs: Map<string, Reference>;
}

/**
 * Resolves every reference and orders the stages: file order, except that a stage waits for what it reads.
 * @param tree where the values were written, for the error's line
 * @throws {ConfigError} on an unknown reference or a circle
 */
export function orderStages(
  recipe: Recipe,
  kinds: Readonly<Record<string, StageKind>>,
  tree: Located,
): GraphStage[] {
  const ids = recipe.stages.map((stage) => stage.id);
  const stages = recipe.stages.map((stage, index): GraphStage => {
    const inputs = new Map<string, Reference>();
    if (kinds[stage.kind]!.trains && recipe.engine.kind === "openai")
      throw configErrorAt(
        placeOfReference(tree, stage.id, stage.kind),
        `stage ${stage.id}: ${stage.kind} trains, and the openai engine only samples: its servers give no gradients`,
        "train with engine.kind: embedded in a recipe of its own, and read the rollouts sampled here as a file",
      );
    if (kinds[stage.kind]!.readsRun)
      for (const id of ids.slice(0, index)) inputs.set(id, { kind: "stage", id });
    const temperatures = temperatureReferences(stage.config);
    for (const reference of [...kinds[stage.kind]!.inputs(stage.config), ...temperatures]) {
      try {
        const resolved = resolveReference(reference, ids);
        if (temperatures.includes(reference)) requireTemperature(recipe, kinds, reference, resolved);
        requireModel(recipe, kinds, resolved);
        for (const expected of kinds[stage.kind]!.expects?.(stage.config) ?? [])
          if (expected.reference === reference) requireKind(recipe, expected, resolved);
        if (resolved.kind === "served" && recipe.engine.kind !== "openai")
          throw new ConfigError(
            `"${reference}" needs a server, and the ${recipe.engine.kind} engine has none`,
            {
              hint: "set engine.kind: openai with base_url",
            },
          );
        inputs.set(reference, resolved);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const place = placeOfReference(tree, stage.id, reference);
        throw configErrorAt(place, `stage ${stage.id}: ${error.message}`, error.hint);
      }
    }
    return { ...stage, inputs };
  });

  const ordered: GraphStage[] = [];
  const placed = new Set<string>();
  const readStages = (stage: GraphStage): string[] =>
    [...stage.inputs.values()].flatMap((input) => (input.kind === "stage" ? [input.id] : []));
  while (ordered.length < stages.length) {
    const next = stages.find(
      (stage) => !placed.has(stage.id) && readStages(stage).every((id) => placed.has(id)),
    );
    if (!next) {
      const circle = findCircle(
        stages.filter((stage) => !placed.has(stage.id)),
        readStages,
      );
      const place = placeOfReference(tree, circle[0]!, circle[1]!);
      throw configErrorAt(place, `stages wait for each other: ${circle.join(" -> ")}`);
    }
    ordered.push(next);
    placed.add(next.id);
  }
  return ordered;
}

/** @throws {ConfigError} when a reference with `@` names weights its stage will not keep */
function requireModel(
  recipe: Recipe,
  kinds: Readonly<Record<string, StageKind>>,
  reference: Reference,
): void {
  if (reference.kind !== "stage" || reference.model === undefined) return;
  const { id, model } = reference;
  const named = recipe.stages.find((stage) => stage.id === id);
  const kind = named && kinds[named.kind];
  const reason = kind?.refusesModel
    ? kind.refusesModel(named?.config, model)
    : `a stage of kind ${named?.kind} keeps no other weights`;
  if (reason !== null) throw new ConfigError(`there will be no ${id}@${model}: ${reason}`);
}

/** @throws {ConfigError} when a reference names a stage of a kind that cannot hold what is read from it */
function requireKind(
  recipe: Recipe,
  { key, reference, kinds, hint }: ExpectedKind,
  resolved: Reference,
): void {
  if (resolved.kind !== "stage") return;
  const kind = recipe.stages.find(({ id }) => id === resolved.id)?.kind ?? "";
  if (kinds.includes(kind)) return;
  throw new ConfigError(
    `${key}: expected a stage of kind ${kinds.join(" or ")}, got "${reference}", a stage of kind ${kind}`,
    { hint },
  );
}

/** @throws {ConfigError} when `temperature_from` names something that chooses no temperature */
function requireTemperature(
  recipe: Recipe,
  kinds: Readonly<Record<string, StageKind>>,
  reference: string,
  resolved: Reference,
): void {
  if (resolved.kind === "path" && !reference.startsWith("builtin:")) return;
  const kind =
    resolved.kind === "stage" ? recipe.stages.find(({ id }) => id === resolved.id)?.kind : undefined;
  if (kind !== undefined && kinds[kind]?.choosesTemperature) return;
  const got = kind === undefined ? "a model" : `a stage of kind ${kind}`;
  throw new ConfigError(
    `temperature_from: expected a stage that chooses a temperature, got "${reference}", ${got}`,
    {
      hint: "name a temperature_sweep stage, or the path of the sweep.json of another run",
    },
  );
}

/** Follows unplaced inputs until a stage repeats; every given stage waits for another given one. */
function findCircle(stages: readonly GraphStage[], readStages: (stage: GraphStage) => string[]): string[] {
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const path: string[] = [];
  let current = stages[0]!;
  while (!path.includes(current.id)) {
    path.push(current.id);
    current = byId.get(readStages(current).find((id) => byId.has(id))!)!;
  }
  return [...path.slice(path.indexOf(current.id)), current.id];
}
