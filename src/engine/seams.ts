/**
 * The two seams every engine implements. The recipe is written once against them; tensors stay behind them.
 * An engine that cannot do something faithfully says so in its capabilities and refuses; it never approximates.
 */
import type { LossSpecification } from "../rl/loss.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { FinishReason, SamplingParameters } from "../types.ts";

/** What a sampler can do faithfully. */
export interface SamplerCapabilities {
  /** Token ids of the response are returned. */
  tokenIds: boolean;
  /** Log-probabilities are those of the tempered distribution softmax(z / T). */
  temperedLogprobs: boolean;
  /** Equal seeds give equal responses. */
  seeded: boolean;
  topK: boolean;
  topP: boolean;
  minP: boolean;
}

/** `samples` independent responses to one prompt. */
export interface SampleRequest {
  /** Complete text given to the model, chat template applied. */
  prompt: string;
  /** The conversation behind `prompt`, for engines whose server applies the chat template itself. */
  messages?: readonly ChatMessage[];
  samples: number;
  sampling: SamplingParameters;
  /** Seed of this request; sample i draws from the stream (seed, i) whatever else is in the batch. */
  seed: number;
}

/** One response. */
export interface Completion {
  text: string;
  promptTokens: number[];
  /** Response tokens, the end token included when it was drawn. */
  tokens: number[];
  /** One per response token: log softmax(z / T)[token], before top-k, top-p and min-p. */
  logprobs: number[];
  finishReason: FinishReason;
  /** Response tokens, where the engine counts them without naming them; `tokens` is empty then. */
  lengthTokens?: number;
}

export interface SampleOptions {
  signal?: AbortSignal;
  /** Called when responses finish: responses done, tokens drawn so far. */
  onProgress?: (done: number, tokens: number) => void;
  /** Remote samplers only: called once per response as soon as it is there; what it throws ends the call. */
  onResponse?: (request: number, sample: number, completion: Completion) => void;
  /** Remote samplers only: called for a response given up after every attempt; the call still ends with an error. */
  onFailure?: (request: number, sample: number, reason: string) => void;
  /** Remote samplers only, with `onResponse`: responses that may be left out before the call ends with an error. Default 0. */
  allowFailed?: number;
}

export interface Sampler {
  readonly capabilities: SamplerCapabilities;
  /** Null when the model's tokenizer is known to its server only. */
  readonly tokenizer: Tokenizer | null;
  /** Responses come one by one from a server and are paid for: callers keep each as soon as it is there. */
  readonly remote?: boolean;
  /**
   * Draws every request's samples; result[i][j] is sample j of request i.
   * @throws {InterruptedError} when the signal fires
   * @throws {EngineError} when a response cannot be drawn; never a response in its place
   */
  sample(requests: readonly SampleRequest[], options?: SampleOptions): Promise<Completion[][]>;
  close(): Promise<void>;
}

/** One sequence to learn from. Positions count response tokens only; the prompt carries no loss. */
export interface TrainingSequence {
  promptTokens: readonly number[];
  responseTokens: readonly number[];
  /** Loss weight of each response token, aggregation included; 0 = masked. Shape [response]. */
  weights: Float32Array;
  /** Advantage of each response token; shape [response]. Policy-gradient losses only. */
  advantages?: Float32Array;
  /** Log-probabilities at the loss temperature under the weights that began the step; shape [response]. */
  oldLogprobs?: Float32Array;
  /** The same under the reference model; needed only when a KL term is on. */
  referenceLogprobs?: Float32Array;
}

/** Sums over the sequences of one forwardBackward call. */
export interface ForwardBackwardResult {
  /** Weighted loss, the quantity differentiated. */
  loss: number;
  /** Response tokens with a non-zero weight. */
  tokens: number;
  /** Tokens pushed through the network, prompt and padding included. */
  computedTokens: number;
  /** Mean entropy of the tempered distribution over the weighted response tokens, in nats. */
  entropy: number;
  /** Share of weighted response tokens whose gradient the clip cut. 0 for cross-entropy. */
  clipFraction: number;
  /** Mean of oldLogprob - logprob over weighted response tokens. 0 for cross-entropy. */
  approximateKl: number;
}

/** AdamW on flat vectors with a global gradient-norm clip. */
export interface OptimizerParameters {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Clip the global gradient norm to this; 0 = off. */
  maxGradientNorm: number;
}

export interface OptimStepResult {
  gradientNorm: number;
  /** True when the gradient was not finite: weights and moments are unchanged. */
  skipped: boolean;
}

export interface LogprobResult {
  /** log softmax(z / T)[token] of each response token. */
  logprobs: Float32Array;
  /** Entropy of softmax(z / T) at each response token, in nats. */
  entropies: Float32Array;
}

/** What a policy can do faithfully beyond sampling and training. */
export interface PolicyCapabilities extends SamplerCapabilities {
  /** `batchGradients` exists and is exact; absent = no. */
  batchGradients?: boolean;
}

/** A sampler whose weights can be read, trained, saved and replaced. */
export interface Policy extends Sampler {
  readonly tokenizer: Tokenizer;
  readonly capabilities: PolicyCapabilities;
  /** Log-probabilities of given responses at a temperature, by the trainer's own forward pass. */
  logprobs(
    sequences: readonly Pick<TrainingSequence, "promptTokens" | "responseTokens">[],
    temperature: number,
  ): Promise<LogprobResult[]>;
  /** Adds the gradient of the loss over these sequences to the accumulated gradient. */
  forwardBackward(
    sequences: readonly TrainingSequence[],
    loss: LossSpecification,
  ): Promise<ForwardBackwardResult>;
  /**
   * The gradient of the loss over each batch on its own, shape [batches][parameters], in an order of parameters that
   * is fixed while the weights are loaded. For measurements: what `forwardBackward` accumulates stays as it is.
   */
  batchGradients?(
    batches: readonly (readonly TrainingSequence[])[],
    loss: LossSpecification,
  ): Promise<Float32Array[]>;
  /** Applies the accumulated gradient and clears it. */
  optimStep(parameters: OptimizerParameters): Promise<OptimStepResult>;
  /** Writes a Hugging Face checkpoint folder; with `optimizer` also the moments and step count. */
  save(folder: string, options?: { optimizer?: boolean }): Promise<void>;
  /** Loads weights of any supported architecture; `optimizer: true` also the moments, otherwise they are zeroed. */
  load(folder: string, options?: { optimizer?: boolean }): Promise<void>;
}
