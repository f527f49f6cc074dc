/**
 * What is measured: model sizes, random checkpoints, prompts and rollout batches, all from fixed seeds, so that the
 * engine and its peers get the same bytes. Texts are the practice task's, whose lengths are those of a real RL step.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainingSequence } from "../src/engine/seams.ts";
import { randomStream } from "../src/random.ts";
import { BOS_TOKEN } from "../src/recipe/practice/alphabet.ts";
import { createResponseDocument, promptTokensOf } from "../src/recipe/practice/documents.ts";
import { PRACTICE_CONFIGS } from "../src/recipe/practice/models.ts";
import { FAMILIES } from "../src/recipe/practice/problem.ts";
import { createProblemSet } from "../src/recipe/practice/splits.ts";
import { createTeacherSolutions } from "../src/recipe/practice/teacher.ts";
import {
  practiceTokenizerConfigJson,
  practiceTokenizerJson,
} from "../src/recipe/practice/tokenizer-files.ts";
import { parameterCount, parameterSlots, writeCheckpoint } from "../src/tensors/checkpoint-folder.ts";
import type { Qwen3Config } from "../src/tensors/qwen3-config.ts";
import type { Problem } from "../src/types.ts";

const SEED = 20_26;

/** Of every size: the longest sequence below has 141 tokens. */
const MAX_POSITIONS = 256;

type SizeKey = "hiddenSize" | "layers" | "headDim" | "intermediateSize" | "vocabSize" | "attentionHeads";

/** Sizes; `practice` is the quickstart's small model, the others are sizes earlier measurements used. */
const SIZES = {
  practice: PRACTICE_CONFIGS["practice-small"],
  small: { hiddenSize: 128, layers: 4, headDim: 32, intermediateSize: 384, vocabSize: 64, attentionHeads: 4 },
  medium: {
    hiddenSize: 256,
    layers: 6,
    headDim: 32,
    intermediateSize: 768,
    vocabSize: 64,
    attentionHeads: 8,
  },
} as const satisfies Record<string, Pick<Qwen3Config, SizeKey>>;

export type ModelName = keyof typeof SIZES;
export const MODEL_NAMES = Object.keys(SIZES) as ModelName[];

/** The architecture of a size: grouped-query attention with half as many key heads, tied embeddings. */
export function benchConfig(model: ModelName): Qwen3Config {
  const { hiddenSize, layers, headDim, intermediateSize, vocabSize, attentionHeads } = SIZES[model];
  return {
    hiddenSize,
    layers,
    headDim,
    intermediateSize,
    vocabSize,
    attentionHeads,
    keyValueHeads: attentionHeads / 2,
    rmsNormEpsilon: 1e-6,
    ropeTheta: 10_000,
    ropeScaling: null,
    tieWordEmbeddings: true,
    maxPositionEmbeddings: MAX_POSITIONS,
    padTokenId: 0,
    bosTokenId: 1,
    eosTokenId: 2,
  };
}

/**
 * When responses end. `drawn`: every token is about equally likely, so the end token comes after about as many tokens
 * as the vocabulary has entries. `never`: one embedding dimension tells the end token from all others, far enough
 * that it is never drawn, and every response has the full length.
 */
export type Ending = "drawn" | "never";

/** Writes a checkpoint with random weights and the practice tokenizer into a new temporary folder; returns it. */
export async function writeBenchCheckpoint(model: ModelName, ending: Ending): Promise<string> {
  const config = benchConfig(model);
  const parent = mkdtempSync(join(tmpdir(), "polaris-bench-"));
  const random = randomStream(SEED, "bench", model);
  const parameters = new Float32Array(parameterCount(config));
  for (const { name, shape, offset, length } of parameterSlots(config)) {
    const values = parameters.subarray(offset, offset + length);
    if (shape.length === 1) values.fill(1);
    else for (let i = 0; i < length; i++) values[i] = 0.02 * random.normal();
    if (name === "model.embed_tokens.weight" && ending === "never")
      for (let token = 0; token < config.vocabSize; token++)
        values[token * config.hiddenSize] = token === config.eosTokenId ? -4 : 4;
  }
  const tokenizer = practiceTokenizerJson() as { model: { vocab: Record<string, number> } };
  const words = tokenizer.model.vocab;
  // Vocabulary beyond the practice alphabet: letters that no practice text has.
  for (let code = "A".charCodeAt(0); Object.keys(words).length < config.vocabSize; code++)
    words[String.fromCharCode(code)] ??= Object.keys(words).length;
  writeFileSync(join(parent, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(join(parent, "tokenizer_config.json"), JSON.stringify(practiceTokenizerConfigJson()));
  const folder = join(parent, `${model}-${ending}`);
  await writeCheckpoint(folder, { config, parameters, tokenizerFolder: parent });
  return folder;
}

/** A prompt as text for the engine and as ids for its peers. */
export interface BenchPrompt {
  text: string;
  tokens: number[];
}

function trainingProblems(count: number): Problem[] {
  return createProblemSet({ split: "train", seed: SEED, count, families: FAMILIES, steps: [2, 3, 4] });
}

/** Prompts of practice problems with 2 to 4 steps: 21 to 39 tokens. */
export function practicePrompts(count: number): BenchPrompt[] {
  return trainingProblems(count).map(({ prompt }) => ({
    text: BOS_TOKEN + prompt,
    tokens: promptTokensOf(prompt),
  }));
}

/** Prompts that all have `length` tokens, so that a peer that pads wastes nothing. */
export function equalPrompts(count: number, length: number): BenchPrompt[] {
  const random = randomStream(SEED, "bench", "prompts");
  return Array.from({ length: count }, () => {
    const digits = Array.from({ length: length - 1 }, () => random.integer(10)).join("");
    return { text: BOS_TOKEN + digits, tokens: promptTokensOf(digits) };
  });
}

/** Dense batch: `count` sequences of one prompt token and `length` response tokens, each with a loss weight. */
export function denseBatch(model: ModelName, count: number, length: number): TrainingSequence[] {
  const random = randomStream(SEED, "bench", "dense");
  const vocabulary = benchConfig(model).vocabSize;
  return Array.from({ length: count }, () => ({
    promptTokens: [1],
    responseTokens: Array.from({ length: length }, () => random.integer(vocabulary)),
    weights: Float32Array.from({ length }, () => random.uniform() / (count * length)),
  }));
}

/**
 * The rollouts of one RL step, the samples of a problem one after another: `problems` practice problems times
 * `samples` solutions in mixed styles, cut at `maxNewTokens`; advantages and old log-probabilities are drawn.
 */
export function rolloutBatch(problems: number, samples: number, maxNewTokens: number): TrainingSequence[] {
  const random = randomStream(SEED, "bench", "rollouts");
  const set = trainingProblems(problems);
  const solutions = Array.from({ length: samples }, (_, sample) =>
    createTeacherSolutions(set, {
      seed: SEED + sample,
      errorRate: 0.1,
      styles: { full: 0.5, mid: 0.3, hasty: 0.2, direct: 0 },
      shortcutShare: 0.5,
    }),
  );
  const sequences = set.flatMap((_, problem) =>
    solutions.map((ofSample) => {
      const { prompt, response } = ofSample[problem]!;
      const { promptTokens, responseTokens } = createResponseDocument(prompt, response);
      return { promptTokens, responseTokens: responseTokens.slice(0, maxNewTokens) };
    }),
  );
  const total = sequences.reduce((sum, { responseTokens }) => sum + responseTokens.length, 0);
  return sequences.map(({ promptTokens, responseTokens }) => ({
    promptTokens,
    responseTokens,
    weights: new Float32Array(responseTokens.length).fill(1 / total),
    advantages: new Float32Array(responseTokens.length).fill(random.normal()),
    oldLogprobs: Float32Array.from(responseTokens, () => -3 - 0.3 * random.uniform()),
  }));
}

/** `[prompt, response]` token counts, as the peers take them. */
export function lengthsOf(batch: readonly TrainingSequence[]): [number, number][] {
  return batch.map(({ promptTokens, responseTokens }) => [promptTokens.length, responseTokens.length]);
}
