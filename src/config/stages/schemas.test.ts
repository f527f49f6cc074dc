import { describe, expect, test } from "vitest";
import { z } from "zod";
import { STAGE_KINDS } from "../../recipe/stages/index.ts";
import { camelToSnake, isRecipeKey } from "../key-case.ts";

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: unknown;
  description?: string;
}

/** Every object of a JSON schema with its path. */
function objects(schema: Schema, path: string): { path: string; schema: Schema }[] {
  const nested = [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, value]) => objects(value, `${path}.${key}`)),
    ...(schema.items === undefined ? [] : objects(schema.items, `${path}[]`)),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((option) => objects(option, path)),
  ];
  return schema.properties === undefined ? nested : [{ path, schema }, ...nested];
}

describe("stage sections", () => {
  for (const { kind, schema } of Object.values(STAGE_KINDS)) {
    const found = objects(z.toJSONSchema(schema, { io: "input" }) as Schema, kind);

    test(`${kind}: every object refuses unknown keys and every key survives the mapping`, () => {
      for (const { path, schema: object } of found) {
        expect(object.additionalProperties, path).toBe(false);
        for (const key of Object.keys(object.properties ?? {}))
          expect(isRecipeKey(camelToSnake(key)), `${path}.${key}`).toBe(true);
      }
    });

    test(`${kind}: every key of the section itself says what it is`, () => {
      for (const [key, value] of Object.entries(found[0]?.schema.properties ?? {})) {
        // A section of keys that describe themselves needs no sentence of its own.
        if (value.properties !== undefined) continue;
        expect(value.description, `${kind}.${key}`).toMatch(/\S/);
      }
    });
  }

  test("kinds are registered under their own names", () => {
    for (const [name, { kind }] of Object.entries(STAGE_KINDS)) expect(kind).toBe(name);
  });
});
