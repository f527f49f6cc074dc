import { describe, expect, test } from "vitest";
import { EngineError } from "../../errors.ts";
import { requireCapabilities } from "./capabilities.ts";

const ALL = { tokenIds: true, temperedLogprobs: true, seeded: true, topK: true, topP: true, minP: true };
const SAMPLING = { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: 8 };

describe("requireCapabilities", () => {
  test("lets an engine pass that has what is used, and only that", () => {
    const capabilities = { ...ALL, topK: false, topP: false, minP: false };
    expect(() => requireCapabilities({ capabilities }, { stage: "rl", sampling: SAMPLING })).not.toThrow();
  });

  test("names everything that is missing", () => {
    const capabilities = { ...ALL, topK: false, temperedLogprobs: false };
    const run = () =>
      requireCapabilities(
        { capabilities },
        { stage: "rl", sampling: { ...SAMPLING, topK: 20 }, samplerLogprobs: true },
      );
    expect(run).toThrow(EngineError);
    expect(run).toThrow(/rl.*top-k.*sampling temperature/);
  });
});
