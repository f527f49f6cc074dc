import { expect, test } from "vitest";
import { modelVersion } from "./model-version.ts";

const keyParts = {
  config: {},
  inputs: { sft: "0123456789abcdef", "/somewhere/Qwen3-4B": "fedcba9876543210" },
  engine: { kind: "openai", model: "Qwen/Qwen3-4B", revision: "2025-05" },
};

test.each([
  ["sft", "sft@0123456789ab"],
  ["/somewhere/Qwen3-4B", "Qwen3-4B@fedcba987654"],
  // A folder the stage itself wrote has no key.
  ["/somewhere/alpha-0.3", "alpha-0.3"],
  ["served:default", "Qwen/Qwen3-4B@2025-05"],
  ["served:other", "other@2025-05"],
])("%s is %s", (reference, version) => {
  expect(modelVersion({ keyParts }, reference)).toBe(version);
});

test("a served model without a label goes by its name", () => {
  const engine = { kind: "openai", model: null, revision: "" };
  expect(modelVersion({ keyParts: { ...keyParts, engine } }, "served:default")).toBe("default");
});
