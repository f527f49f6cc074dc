import { expect, test } from "vitest";
import { problemsPerChunk } from "./chunk-size.ts";

test("short responses by number, long ones by tokens, never less than a problem", () => {
  const size = (samplesPerProblem: number, maxNewTokens: number): number =>
    problemsPerChunk({ samplesPerProblem, maxNewTokens });
  expect([size(8, 112), size(8, 2048), size(16, 2048)]).toEqual([256, 256, 128]);
  expect([size(8, 16_384), size(8, 32_768)]).toEqual([32, 16]);
  expect([size(4096, 112), size(32, 1_048_576)]).toEqual([1, 1]);
});
