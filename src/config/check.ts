/**
 * Located values to a validated recipe. Every problem is found in one pass and placed at the file, line and column
 * where it was written; the first becomes the error, all stand in `details.problems`.
 */
import type { z } from "zod";
import { ConfigError } from "../errors.ts";
import { foreignKey } from "./foreign-keys.ts";
import { issueText, showValue } from "./issue-text.ts";
import { fileSchema, type JsonSchema, keysAt } from "./json-schema.ts";
import { camelToSnake, isRecipeKey, snakeToCamel } from "./key-case.ts";
import { formatPlace, itemName, type Located, type Place } from "./located.ts";
import { didYouMean } from "./nearest.ts";
import {
  type Recipe,
  type RecipeStage,
  recipeSchema,
  STAGE_COMMON_KEYS,
  type StageSchemas,
  stageCommonSchema,
} from "./recipe.ts";

type Path = readonly PropertyKey[];

interface Problem {
  place: Place;
  text: string;
}

/** Plain value with camelCase keys; keys that are no recipe keys are reported and left out. */
function toCamel(
  node: Located,
  path: Path,
  onBadKey: (key: string, place: Place, path: Path) => void,
): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map((item, index) => toCamel(item, [...path, index], onBadKey));
  const result: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) {
    if (isRecipeKey(key)) result[snakeToCamel(key)] = toCamel(entry.value, [...path, key], onBadKey);
    else onBadKey(key, entry.place, path);
  }
  return result;
}

const toSnakePath = (path: Path): PropertyKey[] =>
  path.map((part) => (typeof part === "string" ? camelToSnake(part) : part));

/** The node at a path, or the nearest one above it. */
function nodeAt(root: Located, path: Path): { node: Located; found: boolean } {
  let node = root;
  for (const part of path) {
    const next =
      node.kind === "map"
        ? node.entries.get(String(part))?.value
        : node.kind === "list"
          ? node.items[Number(part)]
          : undefined;
    if (next === undefined) return { node, found: false };
    node = next;
  }
  return { node, found: true };
}

/** An issue inside the branch or at the value itself: a branch of another type has an issue at the value. */
const isInside = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length > 0 || issue.code === "unrecognized_keys";

/** Issues of a union whose value has the type of exactly one branch are the issues of that branch. */
function enterUnions(issues: readonly z.core.$ZodIssue[], base: Path = []): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    const branches =
      issue.code === "invalid_union" ? issue.errors.filter((branch) => branch.every(isInside)) : [];
    return branches.length === 1
      ? enterUnions(branches[0] as z.core.$ZodIssue[], path)
      : [{ ...issue, path } as z.core.$ZodIssue];
  });
}

/** `stages.rl.temperature`: list items by their name when they have one. */
export function formatPath(root: Located, path: Path): string {
  const parts: string[] = [];
  let node: Located | undefined = root;
  for (const part of path) {
    node =
      node?.kind === "map"
        ? node.entries.get(String(part))?.value
        : node?.kind === "list"
          ? node.items[Number(part)]
          : undefined;
    parts.push((typeof part === "number" && node ? itemName(node) : undefined) ?? String(part));
  }
  return parts.join(".");
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}

/**
 * Validates a merged recipe tree.
 * @throws {ConfigError} naming the first problem's file, line and column, with all of them in `details.problems`
 */
export function checkRecipe(root: Located, schemas: StageSchemas): Recipe {
  const problems: Problem[] = [];
  const report = (place: Place, text: string): void => {
    problems.push({ place, text });
  };
  const unknownKey = (place: Place, path: Path, key: string, known: readonly string[]): void => {
    const where = path.length > 0 ? ` in ${formatPath(root, path)}` : "";
    const foreign = foreignKey(camelToSnake(key), known);
    const guess = foreign === undefined ? didYouMean(camelToSnake(key), known) : `; here that is ${foreign}`;
    const list = known.length > 0 && guess === "" ? `; known keys: ${known.join(", ")}` : guess;
    report(place, `unknown key "${key.slice(0, 100)}"${where}${list}`);
  };
  /** Parses one value and reports its issues at their places. */
  const parse = <T>(
    schema: z.ZodType<T>,
    value: unknown,
    base: Path,
    known: (path: Path) => string[],
  ): T | undefined => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of enterUnions(result.error.issues)) {
      const path = [...base, ...toSnakePath(issue.path)];
      const { node, found } = nodeAt(root, path);
      if (issue.code === "unrecognized_keys") {
        for (const camel of issue.keys) {
          const key = camelToSnake(camel);
          const place = (node.kind === "map" ? node.entries.get(key)?.place : undefined) ?? node.place;
          unknownKey(place, path, key, known(path));
        }
      } else {
        report(
          node.place,
          `${formatPath(root, path) || "recipe"}: ${issueText(issue, found ? valueAt(value, issue.path) : undefined)}`,
        );
      }
    }
    return undefined;
  };

  if (root.kind !== "map")
    throw problemError([{ place: root.place, text: "expected a recipe with the keys name, engine, stages" }]);
  const rootSchema = fileSchema(recipeSchema);
  const stageSchemas = new Map<string, JsonSchema>();
  const stageFileSchema = (kind: string): JsonSchema | undefined => {
    const schema = Object.hasOwn(schemas, kind) ? schemas[kind] : undefined;
    if (schema && !stageSchemas.has(kind)) stageSchemas.set(kind, fileSchema(schema));
    return stageSchemas.get(kind);
  };
  const kindOf = (path: Path): string => {
    const node = nodeAt(root, [...path.slice(0, 2), "kind"]);
    return node.found && node.node.kind === "scalar" ? String(node.node.value) : "";
  };
  const knownKeys = (path: Path): string[] => {
    if (path[0] !== "stages" || path.length < 2) return keysAt(rootSchema, path);
    const schema = stageFileSchema(kindOf(path));
    const own = schema ? keysAt(schema, path.slice(2)) : [];
    return path.length === 2 ? [...STAGE_COMMON_KEYS, ...own] : own;
  };
  const plain = toCamel(root, [], (key, place, path) => unknownKey(place, path, key, knownKeys(path)));

  const header = parse(recipeSchema, plain, [], knownKeys);
  const rawStages = valueAt(plain, ["stages"]);
  const stages: RecipeStage[] = [];
  const firstPlace = new Map<string, Place>();
  for (const [index, raw] of (Array.isArray(rawStages) ? rawStages : []).entries()) {
    const base = ["stages", index];
    const place = nodeAt(root, base).node.place;
    if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
      report(
        place,
        `${formatPath(root, base)}: expected a group of keys with id and kind, got ${showValue(raw)}`,
      );
      continue;
    }
    const common = parse(stageCommonSchema, raw, base, knownKeys);
    if (!common) continue;
    const idPlace = nodeAt(root, [...base, "id"]).node.place;
    const first = firstPlace.get(common.id);
    if (first) report(idPlace, `stage id "${common.id}" is taken by the stage at ${formatPlace(first)}`);
    else firstPlace.set(common.id, idPlace);
    if (!Object.hasOwn(schemas, common.kind)) {
      const guess = didYouMean(common.kind, Object.keys(schemas));
      const list = guess === "" ? `; known kinds: ${Object.keys(schemas).join(", ")}` : guess;
      report(
        nodeAt(root, [...base, "kind"]).node.place,
        `stage ${common.id}: unknown kind ${showValue(common.kind)}${list}`,
      );
      continue;
    }
    const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !STAGE_COMMON_KEYS.includes(key)));
    const config = parse(schemas[common.kind]!, own, base, knownKeys);
    stages.push({
      id: common.id,
      kind: common.kind,
      ...(common.seed === undefined ? {} : { seed: common.seed }),
      config,
    });
  }
  if (problems.length > 0) throw problemError(problems);
  return { ...header!, stages };
}

function problemError(problems: readonly Problem[]): ConfigError {
  const lines = problems.map(({ place, text }) => `${formatPlace(place)}: ${text}`);
  const more = lines.length > 1 ? ` (and ${lines.length - 1} more)` : "";
  return new ConfigError(`${lines[0]}${more}`, {
    hint:
      lines.length > 1 ? "polaris recipe validate lists them all" : "polaris recipe schema prints every key",
    details: { ...problems[0]!.place, problems: lines },
  });
}

/** Where a stage reads `reference`, for errors found after validation: the first value equal to it, else the stage. */
export function placeOfReference(root: Located, stageId: string, reference: string): Place {
  const stages = nodeAt(root, ["stages"]).node;
  const stage = stages.kind === "list" ? stages.items.find((item) => itemName(item) === stageId) : undefined;
  const find = (node: Located): Place | undefined => {
    if (node.kind === "scalar") return node.value === reference ? node.place : undefined;
    const members =
      node.kind === "list"
        ? node.items
        : [...node.entries].filter(([key]) => key !== "id").map(([, entry]) => entry.value);
    for (const member of members) {
      const place = find(member);
      if (place) return place;
    }
    return undefined;
  };
  return (stage && find(stage)) ?? stage?.place ?? root.place;
}
