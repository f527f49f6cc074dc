/**
 * The little of a recipe that a report shows: name, seed, the stages in order, and which stage a stage builds on.
 * It reads the resolved recipe of a finished run and never validates it; that is `config/`'s work, done before the run.
 */
import { parse } from "yaml";

/** One stage as written in the resolved recipe. */
export interface RecipeStage {
  id: string;
  kind: string;
  /** Every key of the stage, as parsed. */
  settings: Record<string, unknown>;
}

export interface RunRecipe {
  name?: string;
  seed?: number;
  stages: RecipeStage[];
  /** The file as it stands; empty when there is none. */
  text: string;
}

/** A recipe is a page of text; a megabyte is a mistake. */
const MAX_RECIPE_CHARACTERS = 1_000_000;
/** Nesting of a stage's settings that is searched for stage names. */
const MAX_DEPTH = 12;

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Parses recipe.yaml; what is wrong with it becomes a note, and the stages are then empty. */
export function parseRecipe(text: string | undefined, notes: string[]): RunRecipe {
  if (text === undefined) {
    notes.push(
      "recipe.yaml is missing: stages are shown in the order of their names, without their settings",
    );
    return { stages: [], text: "" };
  }
  if (text.length > MAX_RECIPE_CHARACTERS) {
    notes.push(`recipe.yaml is left out: ${text.length} characters, the limit is ${MAX_RECIPE_CHARACTERS}`);
    return { stages: [], text: "" };
  }
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100 });
  } catch {
    notes.push("recipe.yaml cannot be parsed: stages are shown in the order of their names");
    return { stages: [], text };
  }
  const root = isRecord(value) ? value : {};
  const stages: RecipeStage[] = [];
  for (const stage of Array.isArray(root.stages) ? root.stages : []) {
    if (!isRecord(stage) || typeof stage.id !== "string") continue;
    stages.push({
      id: stage.id,
      kind: typeof stage.kind === "string" ? stage.kind : "unknown",
      settings: stage,
    });
  }
  return {
    name: typeof root.name === "string" ? root.name : undefined,
    seed: typeof root.seed === "number" ? root.seed : undefined,
    stages,
    text,
  };
}

/** Ids of the stages that `stage` names anywhere in its settings, in recipe order. */
export function namedStages(recipe: RunRecipe, stage: RecipeStage): RecipeStage[] {
  const words = new Set<string>();
  const collect = (value: unknown, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    // `<id>@best` names a stage too.
    if (typeof value === "string") words.add(value).add(value.split("@")[0] as string);
    else if (Array.isArray(value)) for (const item of value) collect(item, depth + 1);
    else if (isRecord(value)) for (const item of Object.values(value)) collect(item, depth + 1);
  };
  for (const [key, value] of Object.entries(stage.settings))
    if (key !== "id" && key !== "kind") collect(value, 0);
  return recipe.stages.filter((other) => other.id !== stage.id && words.has(other.id));
}

/** The reward of an RL stage: its preset, and the stages its consensus sets begin with. */
export function rewardOf(recipe: RunRecipe, stageId: string): { preset?: string; seeds: RecipeStage[] } {
  const settings = recipe.stages.find(({ id }) => id === stageId)?.settings ?? {};
  const reward = isRecord(settings.reward) ? settings.reward : {};
  const consensus = isRecord(settings.consensus) ? settings.consensus : {};
  const names = Array.isArray(consensus.seeds) ? consensus.seeds : [];
  return {
    preset: typeof reward.preset === "string" ? reward.preset : undefined,
    seeds: recipe.stages.filter(({ id }) => names.includes(id)),
  };
}

/** Whether a stage takes its problems from the built-in practice tasks. */
export function usesPracticeTasks(recipe: RunRecipe): boolean {
  return recipe.stages.some(
    ({ settings }) =>
      Array.isArray(settings.sources) &&
      settings.sources.some((source) => isRecord(source) && source.from === "practice"),
  );
}

/** The stage whose weights `stage` starts from: its `model` (or a distill stage's `student`) when that names a stage. */
export function parentStage(recipe: RunRecipe, stage: RecipeStage): RecipeStage | undefined {
  const { model, student } = stage.settings;
  const start = model ?? student;
  // Weights a stage kept beside its output are named `<id>@best`.
  const id = typeof start === "string" ? start.split("@")[0] : undefined;
  return recipe.stages.find((other) => other.id === id && other.id !== stage.id);
}

/**
 * The stages a stage's weights went through, first to last, itself included: `sft`, `core`, `filtered`.
 * A cycle, which no valid recipe has, ends the walk.
 */
export function lineage(recipe: RunRecipe, stageId: string): string[] {
  const path: string[] = [];
  let stage = recipe.stages.find((candidate) => candidate.id === stageId);
  while (stage !== undefined && !path.includes(stage.id)) {
    path.unshift(stage.id);
    stage = parentStage(recipe, stage);
  }
  return path;
}
