/** A validated recipe back to YAML: every key with its value, in the file's snake_case. Loading it gives the same recipe. */
import { stringify } from "yaml";
import type { Json } from "../types.ts";
import { toSnakeKeys } from "./key-case.ts";
import type { Recipe } from "./recipe.ts";

/** The on-disk form as a plain object. */
export function recipeToFile(recipe: Recipe): Json {
  return toSnakeKeys({
    name: recipe.name,
    seed: recipe.seed,
    engine: recipe.engine,
    stages: recipe.stages.map(({ id, kind, seed, config }) => ({ id, kind, seed, ...(config as object) })),
  });
}

/** The on-disk form as YAML text. */
export function formatRecipe(recipe: Recipe): string {
  return stringify(recipeToFile(recipe), { lineWidth: 110, aliasDuplicateObjects: false });
}
