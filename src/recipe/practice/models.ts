/**
 * The two practice models: a small one that the recipe post-trains and a larger one that its specialist is distilled
 * into. Qwen3 decoders over the practice alphabet; fresh weights are a function of the seed.
 * Sizes and initialisation: the practice study (d = 96 with 3 layers learns per token as fast as d = 128 at 0.57 of the cost).
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomStream } from "../../random.ts";
import { parameterSlots, writeCheckpoint } from "../../tensors/checkpoint-folder.ts";
import type { Qwen3Config } from "../../tensors/qwen3-config.ts";
import { BOS_ID, EOS_ID, PAD_ID, PRACTICE_TOKENS } from "./alphabet.ts";
import { practiceTokenizerFiles } from "./tokenizer-files.ts";

export const PRACTICE_MODELS = ["practice-small", "practice-large"] as const;
export type PracticeModel = (typeof PRACTICE_MODELS)[number];

const SHARED = {
  vocabSize: PRACTICE_TOKENS.length,
  layers: 3,
  attentionHeads: 4,
  keyValueHeads: 2,
  rmsNormEpsilon: 1e-6,
  ropeTheta: 10_000,
  ropeScaling: null,
  tieWordEmbeddings: true,
  // A six-step problem with its full solution is 134 tokens; nine steps are 200.
  maxPositionEmbeddings: 256,
  bosTokenId: BOS_ID,
  eosTokenId: EOS_ID,
  padTokenId: PAD_ID,
} as const;

/** Architectures by name: 308 thousand and 549 thousand parameters. */
export const PRACTICE_CONFIGS: Record<PracticeModel, Qwen3Config> = {
  "practice-small": { ...SHARED, hiddenSize: 96, headDim: 24, intermediateSize: 256 },
  "practice-large": { ...SHARED, hiddenSize: 128, headDim: 32, intermediateSize: 344 },
};

/** Standard deviation of the embedding. */
const EMBEDDING_SCALE = 0.1;
/** Projections that write into the residual stream start this much smaller, divided by the root of their number. */
const RESIDUAL_SCALE = 0.4;

/**
 * Fresh weights of an architecture: norms 1, embeddings normal with deviation 0.1, projections normal with deviation
 * 1/sqrt(fan in), those into the residual stream times 0.4/sqrt(2 * layers). Each tensor has its own stream, so a
 * tensor does not depend on the others' sizes.
 *
 * @returns parameters in the order of `qwen3ParameterShapes`; shape [total]
 */
export function createInitialParameters(config: Qwen3Config, seed: number): Float32Array {
  const slots = parameterSlots(config);
  const last = slots.at(-1);
  const parameters = new Float32Array(last === undefined ? 0 : last.offset + last.length);
  for (const { name, shape, offset, length } of slots) {
    const values = parameters.subarray(offset, offset + length);
    if (shape.length === 1) {
      values.fill(1);
      continue;
    }
    const residual = /\.(o_proj|down_proj)\.weight$/.test(name);
    const deviation = name.endsWith("embed_tokens.weight")
      ? EMBEDDING_SCALE
      : (residual ? RESIDUAL_SCALE / Math.sqrt(2 * config.layers) : 1) / Math.sqrt(shape.at(-1) as number);
    const random = randomStream(seed, "practice", "initial-weights", name);
    for (let i = 0; i < length; i++) values[i] = deviation * random.normal();
  }
  return parameters;
}

/**
 * Writes a freshly initialised practice model with its tokenizer as a Hugging Face folder.
 * @throws {StoreError} when the folder cannot be written
 */
export async function writeInitialCheckpoint(
  folder: string,
  model: PracticeModel,
  seed: number,
): Promise<void> {
  const config = PRACTICE_CONFIGS[model];
  await writeCheckpoint(folder, {
    config,
    parameters: createInitialParameters(config, seed),
    extra: (partial) => {
      for (const [name, content] of Object.entries(practiceTokenizerFiles()))
        writeFileSync(join(partial, name), content);
    },
  });
}
