/**
 * Recipe files to one validated recipe. Precedence: schema defaults < `preset:` < files, left to right < `--set`.
 * A preset is a recipe shipped with the package; a later file changes a stage by naming its id.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../errors.ts";
import { checkRecipe } from "./check.ts";
import { configErrorAt, type Located, MAX_RECIPE_BYTES, mergeLocated, parseLocated } from "./located.ts";
import { applyOverride } from "./overrides.ts";
import { packageRoot } from "./package-root.ts";
import type { Recipe, StageSchemas } from "./recipe.ts";

/** A preset may name another preset; a longer chain is a loop. */
const MAX_PRESET_CHAIN = 8;

export interface LoadRecipeOptions {
  /** Paths of recipe files, laid on each other left to right. */
  files: readonly string[];
  /** `path=value` overrides, laid on last. */
  overrides?: readonly string[];
  /** Known stage kinds and their keys. */
  schemas: StageSchemas;
  /** Folder of the shipped recipes. */
  presetFolder?: string;
}

export interface LoadedRecipe {
  recipe: Recipe;
  /** The merged tree with the place of every value, for errors found later. */
  tree: Located;
}

/** @throws {ConfigError} when the file is missing, unreadable, too large or not UTF-8 text */
function readRecipeFile(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_RECIPE_BYTES)
      throw new ConfigError(`${path}: expected a recipe of at most ${MAX_RECIPE_BYTES} bytes, got ${size}`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const reason =
      code === "ENOENT"
        ? "no such file"
        : code === "EISDIR"
          ? "a folder, expected a file"
          : code === "EACCES"
            ? "permission denied"
            : code === "ERR_ENCODING_INVALID_ENCODED_DATA"
              ? "not UTF-8 text"
              : String((cause as Error).message);
    throw new ConfigError(`cannot read the recipe ${path}: ${reason}`, {
      cause,
      details: { file: path, code },
    });
  }
}

/** Parses a file and lays it on the preset it names, if any. */
function readLayers(path: string, presetFolder: string, chain: readonly string[]): Located {
  const node = parseLocated(readRecipeFile(path), path);
  if (node.kind !== "map")
    throw configErrorAt(node.place, "expected a recipe with the keys name, engine, stages");
  const preset = node.entries.get("preset")?.value;
  if (!preset) return node;
  const own: Located = { ...node, entries: new Map([...node.entries].filter(([key]) => key !== "preset")) };
  // Presets are shipped names, never paths, so a recipe from a stranger cannot read other files.
  if (
    preset.kind !== "scalar" ||
    typeof preset.value !== "string" ||
    !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(preset.value)
  )
    throw configErrorAt(
      preset.place,
      "preset: expected the name of a shipped recipe, for example quickstart",
    );
  if (chain.length >= MAX_PRESET_CHAIN || chain.includes(preset.value))
    throw configErrorAt(preset.place, `preset "${preset.value}" leads back to itself`);
  const presetPath = join(presetFolder, `${preset.value}.yaml`);
  try {
    statSync(presetPath);
  } catch {
    throw configErrorAt(preset.place, `no shipped recipe is called "${preset.value}"`);
  }
  return mergeLocated(readLayers(presetPath, presetFolder, [...chain, preset.value]), own);
}

/**
 * Reads, merges, overrides and validates.
 * @throws {ConfigError} with file, line and column
 */
export function loadRecipe({
  files,
  overrides = [],
  schemas,
  presetFolder,
}: LoadRecipeOptions): LoadedRecipe {
  if (files.length === 0) throw new ConfigError("expected at least one recipe file");
  const folder = presetFolder ?? join(packageRoot(), "recipes");
  let tree = files
    .map((file) => readLayers(file, folder, []))
    .reduce((base, over) => mergeLocated(base, over));
  for (const override of overrides) tree = applyOverride(tree, override);
  return { recipe: checkRecipe(tree, schemas), tree };
}
