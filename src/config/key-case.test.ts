import fc from "fast-check";
import { expect, test } from "vitest";
import { camelToSnake, isRecipeKey, snakeToCamel, toSnakeKeys } from "./key-case.ts";
import { didYouMean, editDistance, nearest } from "./nearest.ts";

const recipeKey = fc.stringMatching(/^[a-z][a-z0-9]{0,6}(_[a-z][a-z0-9]{0,6}){0,3}$/);

test("every recipe key survives the round trip", () => {
  fc.assert(fc.property(recipeKey, (key) => isRecipeKey(key) && camelToSnake(snakeToCamel(key)) === key));
  expect(snakeToCamel("max_new_tokens")).toBe("maxNewTokens");
  expect(snakeToCamel("beta1")).toBe("beta1");
});

test.each(["maxTokens", "a__b", "_a", "a_", "beta_1", "__proto__", "", "A", "a-b"])(
  "%j is no recipe key",
  (key) => {
    expect(isRecipeKey(key)).toBe(false);
  },
);

test("values and undefined members", () => {
  expect(toSnakeKeys({ topK: [{ minP: "keepMe" }], gone: undefined })).toEqual({
    top_k: [{ min_p: "keepMe" }],
  });
});

test("edit distance is a metric-like count of typing errors", () => {
  expect(editDistance("temperture", "temperature")).toBe(1);
  expect(editDistance("tempreature", "temperature")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b);
      return (
        distance === editDistance(b, a) &&
        (distance === 0) === (a === b) &&
        distance <= Math.max(a.length, b.length)
      );
    }),
  );
});

test("a far word gets no suggestion", () => {
  expect(nearest("zzzz", ["seed", "name"])).toBeUndefined();
  expect(nearest("x".repeat(1000), ["seed"])).toBeUndefined();
  expect(didYouMean("sead", ["seed", "name"])).toBe('; did you mean "seed"?');
});
