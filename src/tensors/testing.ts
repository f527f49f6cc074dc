/** Shared by the tests of this folder: scratch folders and tiny models. Not part of the package. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { randomStream } from "../random.ts";
import { parameterCount } from "./checkpoint-folder.ts";
import type { Qwen3Config } from "./qwen3-config.ts";

/** An empty folder that is removed when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "polaris-tensors-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A model of a few hundred parameters with unequal sizes, so that a swapped axis cannot go unseen. */
export function tinyConfig(changes: Partial<Qwen3Config> = {}): Qwen3Config {
  return {
    vocabSize: 7,
    hiddenSize: 6,
    layers: 2,
    attentionHeads: 4,
    keyValueHeads: 2,
    headDim: 2,
    intermediateSize: 5,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 10000,
    ropeScaling: null,
    tieWordEmbeddings: true,
    maxPositionEmbeddings: 64,
    bosTokenId: 1,
    eosTokenId: 2,
    padTokenId: 0,
    ...changes,
  };
}

/** Normal parameters for a configuration. */
export function randomParameters(config: Qwen3Config, seed: number): Float32Array {
  const random = randomStream(seed, "tensors", "test");
  return Float32Array.from({ length: parameterCount(config) }, () => random.normal());
}
