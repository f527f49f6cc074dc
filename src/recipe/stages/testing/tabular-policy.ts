/**
 * A real but tiny policy for tests: the next token's logits are one row of a table, chosen by a hash of the last
 * three tokens. Softmax, gradients, clipping, AdamW, sampling and checkpoints are exact and in plain numbers, so
 * stages learn with it in milliseconds. Not for users: it cannot generalise.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type {
  Completion,
  ForwardBackwardResult,
  LogprobResult,
  OptimizerParameters,
  OptimStepResult,
  Policy,
  SampleOptions,
  SampleRequest,
  SamplerCapabilities,
  TrainingSequence,
} from "../../../engine/seams.ts";
import { CheckpointError, InterruptedError } from "../../../errors.ts";
import { type RandomStream, randomStream } from "../../../random.ts";
import type { LossSpecification } from "../../../rl/loss.ts";
import type { Tokenizer } from "../../../text/tokenizer.ts";

/** Rows of the table: contexts are hashed into them. */
const ROWS = 4096;
const CONTEXT = 3;

/** Row of the table for the token that follows `tokens[0..end)`. */
function rowOf(tokens: readonly number[], end: number): number {
  let hash = 0x811c9dc5;
  for (let i = Math.max(0, end - CONTEXT); i < end; i++)
    hash = Math.imul(hash ^ (tokens[i] as number), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 15)) % ROWS;
}

export interface TabularPolicyOptions {
  tokenizer: Tokenizer;
  /** Seed of the initial weights. */
  seed: number;
  /** Standard deviation of the initial logits. */
  scale?: number;
  capabilities?: Partial<SamplerCapabilities>;
}

/** The policy of the tests; counts what was asked of it. */
export class TabularPolicy implements Policy {
  readonly capabilities: SamplerCapabilities;
  readonly tokenizer: Tokenizer;
  /** Sequences pushed through forwardBackward so far. */
  trainedSequences = 0;
  optimizerSteps = 0;
  readonly #vocabulary: number;
  #weights: Float32Array;
  #gradient: Float64Array;
  #first: Float32Array;
  #second: Float32Array;
  #updates = 0;

  constructor(options: TabularPolicyOptions) {
    this.tokenizer = options.tokenizer;
    this.capabilities = {
      tokenIds: true,
      temperedLogprobs: true,
      seeded: true,
      topK: true,
      topP: false,
      minP: false,
      ...options.capabilities,
    };
    this.#vocabulary = options.tokenizer.vocabularySize;
    const size = ROWS * this.#vocabulary;
    const random = randomStream(options.seed, "tabular");
    this.#weights = Float32Array.from({ length: size }, () => random.normal() * (options.scale ?? 0.1));
    this.#gradient = new Float64Array(size);
    this.#first = new Float32Array(size);
    this.#second = new Float32Array(size);
  }

  /** log softmax(z / T) of the row, shape [vocabulary]. */
  #logSoftmax(row: number, temperature: number): Float64Array {
    const start = row * this.#vocabulary;
    const result = new Float64Array(this.#vocabulary);
    let highest = Number.NEGATIVE_INFINITY;
    for (let v = 0; v < this.#vocabulary; v++) {
      result[v] = (this.#weights[start + v] as number) / temperature;
      highest = Math.max(highest, result[v] as number);
    }
    let sum = 0;
    for (const z of result) sum += Math.exp(z - highest);
    const norm = highest + Math.log(sum);
    for (let v = 0; v < this.#vocabulary; v++) result[v] = (result[v] as number) - norm;
    return result;
  }

  #draw(logprobs: Float64Array, temperature: number, topK: number, random: RandomStream): number {
    const order = [...logprobs.keys()].sort(
      (a, b) => (logprobs[b] as number) - (logprobs[a] as number) || a - b,
    );
    if (temperature === 0) return order[0] as number;
    const kept = topK > 0 ? order.slice(0, topK) : order;
    const total = kept.reduce((sum, v) => sum + Math.exp(logprobs[v] as number), 0);
    let rest = random.uniform() * total;
    for (const v of kept) {
      rest -= Math.exp(logprobs[v] as number);
      if (rest < 0) return v;
    }
    return kept.at(-1) as number;
  }

  async sample(requests: readonly SampleRequest[], options: SampleOptions = {}): Promise<Completion[][]> {
    let done = 0;
    let drawn = 0;
    return requests.map((request) => {
      if (options.signal?.aborted) throw new InterruptedError("sampling was interrupted");
      const promptTokens = this.tokenizer.encode(request.prompt);
      const { temperature, topK, maxNewTokens } = request.sampling;
      return Array.from({ length: request.samples }, (_, sample) => {
        const random = randomStream(request.seed, sample);
        const all = [...promptTokens];
        const logprobs: number[] = [];
        let stopped = false;
        while (!stopped && logprobs.length < maxNewTokens) {
          const row = this.#logSoftmax(rowOf(all, all.length), temperature || 1);
          const token = this.#draw(row, temperature, topK, random);
          all.push(token);
          logprobs.push(Math.fround(row[token] as number));
          stopped = token === this.tokenizer.eosTokenId;
        }
        const tokens = all.slice(promptTokens.length);
        drawn += tokens.length;
        options.onProgress?.(++done, drawn);
        return {
          text: this.tokenizer.decode(tokens),
          promptTokens,
          tokens,
          logprobs,
          finishReason: stopped ? ("stop" as const) : ("length" as const),
        };
      });
    });
  }

  async logprobs(
    sequences: readonly Pick<TrainingSequence, "promptTokens" | "responseTokens">[],
    temperature: number,
  ): Promise<LogprobResult[]> {
    return sequences.map(({ promptTokens, responseTokens }) => {
      const all = [...promptTokens, ...responseTokens];
      const logprobs = new Float32Array(responseTokens.length);
      const entropies = new Float32Array(responseTokens.length);
      for (const [t, token] of responseTokens.entries()) {
        const row = this.#logSoftmax(rowOf(all, promptTokens.length + t), temperature);
        logprobs[t] = row[token] as number;
        entropies[t] = -row.reduce((sum, l) => sum + Math.exp(l) * l, 0);
      }
      return { logprobs, entropies };
    });
  }

  async forwardBackward(
    sequences: readonly TrainingSequence[],
    loss: LossSpecification,
  ): Promise<ForwardBackwardResult> {
    const temperature = loss.kind === "policy_gradient" ? loss.temperature : 1;
    const result = { loss: 0, tokens: 0, computedTokens: 0, entropy: 0, clipFraction: 0, approximateKl: 0 };
    for (const sequence of sequences) {
      const all = [...sequence.promptTokens, ...sequence.responseTokens];
      result.computedTokens += all.length;
      this.trainedSequences++;
      for (const [t, token] of sequence.responseTokens.entries()) {
        const weight = sequence.weights[t] as number;
        if (weight === 0) continue;
        const row = rowOf(all, sequence.promptTokens.length + t);
        const logprobs = this.#logSoftmax(row, temperature);
        const logprob = logprobs[token] as number;
        result.tokens++;
        result.entropy -= logprobs.reduce((sum, l) => sum + Math.exp(l) * l, 0);
        // d loss / d logprob of this token, before the weight.
        let slope = -1;
        let value = -logprob;
        if (loss.kind === "policy_gradient") {
          const advantage = sequence.advantages?.[t] as number;
          const old = sequence.oldLogprobs?.[t] as number;
          const ratio = Math.exp(logprob - old);
          const clipped = Math.min(Math.max(ratio, 1 - loss.clipRatioLow), 1 + loss.clipRatioHigh);
          value = Math.max(-advantage * ratio, -advantage * clipped);
          slope = -advantage * ratio >= -advantage * clipped ? -advantage * ratio : 0;
          if (advantage < 0 && value > -advantage * loss.clipRatioC) {
            value = -advantage * loss.clipRatioC;
            slope = 0;
          }
          if (slope === 0 && advantage !== 0) result.clipFraction++;
          result.approximateKl += old - logprob;
        }
        result.loss += weight * value;
        const start = row * this.#vocabulary;
        for (let v = 0; v < this.#vocabulary; v++)
          this.#gradient[start + v] =
            (this.#gradient[start + v] as number) +
            (weight * slope * ((v === token ? 1 : 0) - Math.exp(logprobs[v] as number))) / temperature;
      }
    }
    if (result.tokens > 0) {
      result.entropy /= result.tokens;
      result.clipFraction /= result.tokens;
      result.approximateKl /= result.tokens;
    }
    return result;
  }

  async optimStep(parameters: OptimizerParameters): Promise<OptimStepResult> {
    let squares = 0;
    for (const g of this.#gradient) squares += g * g;
    const gradientNorm = Math.sqrt(squares);
    const skipped = !Number.isFinite(gradientNorm);
    if (!skipped) {
      this.#updates++;
      const { beta1, beta2, learningRate, epsilon, weightDecay, maxGradientNorm } = parameters;
      const clip = maxGradientNorm > 0 ? Math.min(1, maxGradientNorm / (gradientNorm + 1e-6)) : 1;
      for (let i = 0; i < this.#weights.length; i++) {
        const g = (this.#gradient[i] as number) * clip;
        const m = beta1 * (this.#first[i] as number) + (1 - beta1) * g;
        const s = beta2 * (this.#second[i] as number) + (1 - beta2) * g * g;
        this.#first[i] = m;
        this.#second[i] = s;
        const update =
          m / (1 - beta1 ** this.#updates) / (Math.sqrt(s / (1 - beta2 ** this.#updates)) + epsilon);
        const w = this.#weights[i] as number;
        this.#weights[i] = w - learningRate * (update + weightDecay * w);
      }
    }
    this.optimizerSteps++;
    this.#gradient.fill(0);
    return { gradientNorm, skipped };
  }

  async save(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "weights.bin"), new Uint8Array(this.#weights.buffer.slice(0)));
    if (!options.optimizer) return;
    writeFileSync(join(folder, "first.bin"), new Uint8Array(this.#first.buffer.slice(0)));
    writeFileSync(join(folder, "second.bin"), new Uint8Array(this.#second.buffer.slice(0)));
    writeFileSync(join(folder, "optimizer.json"), JSON.stringify({ updates: this.#updates }));
  }

  async load(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    const read = (name: string): Float32Array => {
      const path = join(folder, name);
      if (!existsSync(path)) throw new CheckpointError(`${path}: no such file`);
      return new Float32Array(Uint8Array.from(readFileSync(path)).buffer);
    };
    this.#weights = read("weights.bin");
    this.#gradient.fill(0);
    if (options.optimizer) {
      this.#first = read("first.bin");
      this.#second = read("second.bin");
      this.#updates = JSON.parse(readFileSync(join(folder, "optimizer.json"), "utf8")).updates;
    } else {
      this.#first.fill(0);
      this.#second.fill(0);
      this.#updates = 0;
    }
  }

  async close(): Promise<void> {}
}
