/** JSON Schema (draft 2020-12) of the recipe file, in its on-disk snake_case, for editors and for naming known keys. */
import { z } from "zod";
import type { Json } from "../types.ts";
import { camelToSnake } from "./key-case.ts";
import { recipeSchema, type StageSchemas, stageCommonSchema } from "./recipe.ts";

/** The subset of JSON Schema that zod emits and this folder reads. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: Json;
  const?: Json;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  [keyword: string]: unknown;
}

/** Renames properties, nothing else: enum values and defaults inside objects that are keys too follow along. */
function snakeSchema(schema: JsonSchema): JsonSchema {
  const result: JsonSchema = { ...schema };
  if (schema.properties)
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, member]) => [camelToSnake(key), snakeSchema(member)]),
    );
  if (schema.required) result.required = schema.required.map(camelToSnake);
  if (schema.items) result.items = snakeSchema(schema.items);
  for (const keyword of ["anyOf", "oneOf", "allOf", "prefixItems"] as const)
    if (schema[keyword]) result[keyword] = schema[keyword].map(snakeSchema);
  if (schema.default !== undefined) result.default = snakeDefault(schema.default);
  return result;
}

function snakeDefault(value: Json): Json {
  if (Array.isArray(value)) return value.map(snakeDefault);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [camelToSnake(key), snakeDefault(member)]),
  );
}

/** Schema of what may be written in a file for one zod schema. */
export function fileSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" });
  return snakeSchema(json as JsonSchema);
}

/** The whole recipe file. */
export function recipeJsonSchema(schemas: StageSchemas): JsonSchema {
  const root = fileSchema(recipeSchema);
  const common = fileSchema(stageCommonSchema);
  const stages = Object.entries(schemas).map(([kind, schema]): JsonSchema => {
    const own = fileSchema(schema);
    const { $schema: _, ...rest } = own;
    return {
      ...rest,
      type: "object",
      properties: {
        ...common.properties,
        kind: { const: kind, description: own.description },
        ...own.properties,
      },
      required: ["id", "kind", ...(own.required ?? [])],
      additionalProperties: false,
    };
  });
  root.properties = {
    preset: { type: "string", description: "name of a shipped recipe this file is laid on" },
    ...root.properties,
  };
  root.properties["stages"] = { ...root.properties["stages"], items: { oneOf: stages } };
  return { ...root, title: "Polaris recipe" };
}

/** The schemas that can apply at a path (several in a union); list indices are numbers. */
function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema[] {
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const inBranches = branches.flatMap((branch) => schemasAt(branch, path));
  const [head, ...tail] = path;
  if (head === undefined) return [schema, ...inBranches];
  const member =
    typeof head === "number"
      ? (schema.prefixItems?.[head] ?? schema.items)
      : schema.properties?.[String(head)];
  return member ? [...schemasAt(member, tail), ...inBranches] : inBranches;
}

/** Keys that may be written at a path of a file schema, in snake_case. */
export function keysAt(schema: JsonSchema, path: readonly PropertyKey[]): string[] {
  return [...new Set(schemasAt(schema, path).flatMap((member) => Object.keys(member.properties ?? {})))];
}
