/**
 * Writes a checkpoint folder through the embedded engine and, beside its files, `engine-outputs.json`: what the engine
 * and its tokenizer say about that checkpoint. `load_checkpoint.py` loads the folder with `transformers` and compares.
 * Usage: npx tsx test/peers/write-checkpoint.ts <new folder> [existing checkpoint folder]
 * Without an existing folder a practice model with fresh weights is trained for a few steps, so that what is saved are
 * weights the engine itself produced.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedPolicy } from "../../src/engine/embedded/policy.ts";
import type { Policy, TrainingSequence } from "../../src/engine/seams.ts";
import { randomStream } from "../../src/random.ts";
import { BOS_TOKEN, EOS_TOKEN } from "../../src/recipe/practice/alphabet.ts";
import { createResponseDocument } from "../../src/recipe/practice/documents.ts";
import { writeInitialCheckpoint } from "../../src/recipe/practice/models.ts";
import { FAMILIES } from "../../src/recipe/practice/problem.ts";
import { createProblemSet } from "../../src/recipe/practice/splits.ts";
import { createTeacherSolutions } from "../../src/recipe/practice/teacher.ts";
import { readCheckpointConfig } from "../../src/tensors/checkpoint-folder.ts";

type TokenSequence = Pick<TrainingSequence, "promptTokens" | "responseTokens">;

const SEED = 7;
const STEPS = 5;
/** Prefix lengths after which the whole next-token distribution is written. */
const PREFIXES = [1, 2, 9, 24, 40];

/** Practice problems with their solutions: what a practice model reads and writes. */
function practiceSequences(): TokenSequence[] {
  const problems = createProblemSet({
    split: "train",
    seed: SEED,
    count: 12,
    families: FAMILIES,
    steps: [2, 3],
  });
  return createTeacherSolutions(problems, {
    seed: SEED,
    errorRate: 0,
    styles: { full: 1, mid: 1, hasty: 1, direct: 0 },
    shortcutShare: 0.5,
  }).map(({ prompt, response }) => createResponseDocument(prompt, response));
}

/** Random ids, for a checkpoint whose language is not known. */
function randomSequences(vocabularySize: number): TokenSequence[] {
  const random = randomStream(SEED, "write-checkpoint");
  const ids = (length: number): number[] => Array.from({ length }, () => random.integer(vocabularySize));
  return Array.from({ length: 12 }, () => ({ promptTokens: ids(16), responseTokens: ids(32) }));
}

/** A few steps of cross-entropy. */
async function train(policy: Policy, sequences: readonly TokenSequence[]): Promise<void> {
  const total = sequences.reduce((sum, { responseTokens }) => sum + responseTokens.length, 0);
  for (let step = 0; step < STEPS; step++) {
    const { loss } = await policy.forwardBackward(
      sequences.map(({ promptTokens, responseTokens }) => ({
        promptTokens,
        responseTokens,
        weights: new Float32Array(responseTokens.length).fill(1 / total),
      })),
      { kind: "cross_entropy" },
    );
    await policy.optimStep({
      learningRate: 3e-3,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: 0.01,
      maxGradientNorm: 1,
    });
    console.log(`step ${step}: loss ${loss.toFixed(4)}`);
  }
}

async function main(folder: string, existing: string | undefined): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "polaris-checkpoint-"));
  const source = existing ?? join(scratch, "initial");
  if (existing === undefined) await writeInitialCheckpoint(source, "practice-small", SEED);
  const policy = await openEmbeddedPolicy({ checkpoint: source });
  try {
    const { tokenizer } = policy;
    const { vocabSize } = readCheckpointConfig(source);
    const sequences =
      existing === undefined ? practiceSequences() : randomSequences(tokenizer.vocabularySize);
    if (existing === undefined) await train(policy, sequences);
    await policy.save(folder, { optimizer: true });
    const texts = sequences
      .flatMap(({ promptTokens, responseTokens }) => [promptTokens, responseTokens])
      .map((tokens) => tokenizer.decode(tokens));
    // Special tokens inside a text are read as such; an unknown checkpoint may spell them differently.
    if (existing === undefined) texts.push(...texts.map((text) => `${BOS_TOKEN}${text}${EOS_TOKEN}`));
    const distributions: { tokens: number[]; logprobs: number[] }[] = [];
    for (const { promptTokens, responseTokens } of sequences.slice(0, 3))
      for (const length of PREFIXES) {
        const tokens = [...promptTokens, ...responseTokens].slice(0, length);
        const rows = await policy.logprobs(
          Array.from({ length: vocabSize }, (_, token) => ({
            promptTokens: tokens,
            responseTokens: [token],
          })),
          1,
        );
        distributions.push({ tokens, logprobs: rows.map(({ logprobs }) => logprobs[0]!) });
      }
    const encoded = texts.map((text) => {
      const tokens = tokenizer.encode(text);
      return { text, tokens, decoded: tokenizer.decode(tokens) };
    });
    writeFileSync(
      join(folder, "engine-outputs.json"),
      `${JSON.stringify({ texts: encoded, distributions })}\n`,
    );
    console.log(`${folder}: ${texts.length} texts, ${distributions.length} next-token distributions`);
  } finally {
    await policy.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const [folder, existing] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: npx tsx test/peers/write-checkpoint.ts <new folder> [existing checkpoint folder]");
  process.exitCode = 2;
} else await main(folder, existing);
