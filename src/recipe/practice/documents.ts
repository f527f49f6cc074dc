/**
 * Pretraining documents: endless seeded streams, addressable by step, so that a resumed run draws the same ones.
 * Every document is token ids with a loss mask over its response. All problems come from the train split.
 * Source: curriculum of the practice study: arithmetic facts first, with loss on the result digit alone (with loss on
 * the operands, which nobody can predict, the table is not learnt), then clean solutions, then a noisy mixture.
 */
import { type RandomStream, randomStream } from "../../random.ts";
import { BOS_ID, DIGITS, EOS_ID, encodePractice } from "./alphabet.ts";
import { FAMILIES, type Family } from "./problem.ts";
import { applyOperator, formatPrompt, type Operator } from "./program.ts";
import { type Style, writeSolution } from "./solution.ts";
import { drawProgramOfSplit } from "./splits.ts";

/** A document as an engine trains on it. */
export interface PracticeDocument {
  promptTokens: number[];
  responseTokens: number[];
  /** 1 where the token counts in the loss, else 0; shape [response]. */
  mask: Float32Array;
}

/** What a stream of documents is made of. Shares are probabilities, 0..1. */
export interface Mixture {
  /** Share of documents that are arithmetic facts. */
  factsShare: number;
  /** Number of steps of a problem, drawn uniformly; repeat a number to weigh it. */
  steps: readonly number[];
  families: readonly Family[];
  /** Weights of the styles; they need not sum to 1. */
  styles: Record<Style, number>;
  /** Share of documents with steps marked by `\underline{}`. */
  markupShare: number;
  /** Share of documents with a boxed answer. */
  boxedShare: number;
  /** Share of documents written with `noisyErrorRate` instead of `errorRate`. */
  noisyShare: number;
  errorRate: number;
  noisyErrorRate: number;
  /** Probability of taking the second route of a two-route problem. */
  shortcutShare: number;
}

/** Facts in one document: ten, as long as a short solution. */
const FACTS_PER_DOCUMENT = 10;

/** A mixture of nothing but facts. */
export const FACTS_ONLY: Mixture = {
  factsShare: 1,
  steps: [1],
  families: FAMILIES,
  styles: { full: 1, mid: 0, hasty: 0, direct: 0 },
  markupShare: 1,
  boxedShare: 1,
  noisyShare: 0,
  errorRate: 0,
  noisyErrorRate: 0,
  shortcutShare: 0,
};

/** Clean full-style solutions, the base most phases are written as a change of. */
export const CLEAN: Mixture = { ...FACTS_ONLY, factsShare: 0, steps: [1, 2, 3, 4], shortcutShare: 0.2 };

/** Ten results of the tables, `3+4=7}` each; the loss is on the result digits alone. */
export function createFactsDocument(random: RandomStream): PracticeDocument {
  let text = "";
  const results: number[] = [];
  for (let fact = 0; fact < FACTS_PER_DOCUMENT; fact++) {
    const [left, right] = [random.integer(10), random.integer(10)];
    const operator: Operator = random.pick(["+", "-", "*"] as const);
    results.push(text.length + 4);
    text += `${left}${operator}${right}=${DIGITS[applyOperator(left, operator, right)]}}`;
  }
  const responseTokens = encodePractice(text);
  const mask = new Float32Array(responseTokens.length);
  // Every character of a fact is one token, so positions in the text are positions in the tokens.
  for (const position of results) mask[position] = 1;
  return { promptTokens: [BOS_ID], responseTokens, mask };
}

/** Ids of a prompt as a model sees it: the chat template's begin token, then the text. */
export function promptTokensOf(prompt: string): number[] {
  return [BOS_ID, ...encodePractice(prompt)];
}

/** A document of a prompt and a finished response: loss on the whole response, the end token included. */
export function createResponseDocument(prompt: string, response: string): PracticeDocument {
  const responseTokens = [...encodePractice(response), EOS_ID];
  return {
    promptTokens: promptTokensOf(prompt),
    responseTokens,
    mask: new Float32Array(responseTokens.length).fill(1),
  };
}

/** Draws a key with probability proportional to its weight. @throws {RangeError} when no weight is positive */
function drawStyle(random: RandomStream, weights: Record<Style, number>): Style {
  const entries = Object.entries(weights) as [Style, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError("styles: expected a positive weight, got none");
  let rest = random.uniform() * total;
  for (const [style, weight] of entries) {
    if (weight <= 0) continue;
    rest -= weight;
    if (rest < 0) return style;
  }
  return entries.filter(([, weight]) => weight > 0).at(-1)?.[0] as Style;
}

/** Draws one document of a mixture. */
export function drawDocument(random: RandomStream, mixture: Mixture): PracticeDocument {
  if (random.uniform() < mixture.factsShare) return createFactsDocument(random);
  const family = random.pick(mixture.families);
  const program = drawProgramOfSplit(random, "train", family, random.pick(mixture.steps));
  const solution = writeSolution(
    program,
    {
      style: drawStyle(random, mixture.styles),
      errorRate: random.uniform() < mixture.noisyShare ? mixture.noisyErrorRate : mixture.errorRate,
      markup: random.uniform() < mixture.markupShare,
      boxed: random.uniform() < mixture.boxedShare,
      shortcutShare: mixture.shortcutShare,
    },
    random,
  );
  return createResponseDocument(formatPrompt(program), solution.text);
}

/** The documents of one training step: a function of seed, phase and step alone. */
export function createDocumentBatch(options: {
  mixture: Mixture;
  seed: number;
  phase: string;
  step: number;
  documents: number;
}): PracticeDocument[] {
  const { mixture, seed, phase, step, documents } = options;
  const random = randomStream(seed, "practice", "pretrain", phase, step);
  return Array.from({ length: documents }, () => drawDocument(random, mixture));
}
