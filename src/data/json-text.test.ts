import fc from "fast-check";
import { expect, test } from "vitest";
import { isTooDeep, parseExactJson } from "./json-text.ts";

fc.configureGlobal({ seed: 1 });

test("integers beyond 2^53 stay exact as text; every other value is what JSON says", () => {
  expect(parseExactJson('{"id":9007199254740993,"n":-12345678901234567890,"m":9007199254740991}')).toEqual({
    id: "9007199254740993",
    n: "-12345678901234567890",
    m: 9007199254740991,
  });
  const rest =
    '["1234567890123456789","\\"1234567890123456789", 0.12345678901234567, 1e16, 1234567890123456.5]';
  expect(parseExactJson(rest)).toEqual(JSON.parse(rest));
  expect(() => parseExactJson('{"a": 12345678901234567890')).toThrow(SyntaxError);
  expect(() => parseExactJson('{"a": "12345678901234567890}')).toThrow(SyntaxError);
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, text) => {
      const json = JSON.stringify({ value, text, key: "1".repeat(20), exact: 2 ** 60 });
      expect(parseExactJson(json)).toEqual(JSON.parse(json));
    }),
  );
});

test("depth", () => {
  expect(isTooDeep([[1]], 2)).toBe(false);
  expect(isTooDeep([[{ a: 1 }]], 2)).toBe(true);
  expect(isTooDeep(JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`))).toBe(true);
  expect(isTooDeep("text", 0)).toBe(false);
});
