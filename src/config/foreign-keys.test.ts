import { expect, test } from "vitest";
import { z } from "zod";
import { FOREIGN_KEYS, foreignKey } from "./foreign-keys.ts";
import { camelToSnake } from "./key-case.ts";
import { rlSchema } from "./stages/rl.ts";

/** Dotted snake_case paths of an object schema, unions and wrappers looked through. */
function pathsOf(schema: unknown, prefix = ""): string[] {
  const json = schema as { properties?: Record<string, object>; anyOf?: object[] };
  const below = Object.entries(json.properties ?? {}).flatMap(([key, value]) => {
    const path = `${prefix}${camelToSnake(key)}`;
    return [path, ...pathsOf(value, `${path}.`)];
  });
  return [...below, ...(json.anyOf ?? []).flatMap((option) => pathsOf(option, prefix))];
}

test("every name leads to a key an rl stage has, and none is a key of it already", () => {
  const paths = new Set(pathsOf(z.toJSONSchema(rlSchema, { io: "input" })));
  for (const [foreign, here] of Object.entries(FOREIGN_KEYS)) {
    for (const [path] of here.matchAll(/(?<=^|\) or )[a-z_.]+/g))
      expect([...paths], `${foreign}: ${here}`).toContain(path);
    expect(paths.has(foreign), foreign).toBe(false);
    expect(foreignKey(foreign, [...paths])).toBe(here);
  }
});

test("only what the place has is named", () => {
  expect(foreignKey("num_generations", ["samples_per_problem"])).toBe("samples_per_problem");
  expect(foreignKey("num_generations", ["alpha", "base"])).toBeUndefined();
  expect(foreignKey("__proto__", ["alpha"])).toBeUndefined();
});
