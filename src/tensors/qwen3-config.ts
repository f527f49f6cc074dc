/**
 * The architecture of a checkpoint: reading and writing the config.json of Hugging Face `Qwen3ForCausalLM`, and the
 * names and shapes of its parameters. Everything that would change a number (another architecture, biases, sliding
 * windows, another activation) is refused; keys that change none are ignored.
 * Source: transformers `models/qwen3/configuration_qwen3.py`, `modeling_qwen3.py` (names and defaults).
 */
import { CheckpointError } from "../errors.ts";
import type { Json } from "../types.ts";
import { parseRopeScaling, ropeScalingJson, type YarnScaling } from "./rope-scaling.ts";

/** Sizes and constants of a Qwen3 decoder. */
export interface Qwen3Config {
  vocabSize: number;
  hiddenSize: number;
  layers: number;
  attentionHeads: number;
  /** Divides `attentionHeads`. */
  keyValueHeads: number;
  /** Even; need not be hiddenSize / attentionHeads. */
  headDim: number;
  intermediateSize: number;
  rmsNormEpsilon: number;
  /** Base of the rotary frequencies. */
  ropeTheta: number;
  /** null = unscaled positions. */
  ropeScaling: YarnScaling | null;
  /** The output projection is the embedding; there is no `lm_head.weight`. */
  tieWordEmbeddings: boolean;
  maxPositionEmbeddings: number;
  bosTokenId: number | null;
  /** The first one where a checkpoint lists several. */
  eosTokenId: number | null;
  padTokenId: number | null;
}

/** Name and shape of one parameter, under its Hugging Face name. */
export interface ParameterShape {
  name: string;
  shape: number[];
}

/** Largest sizes accepted; each is several times the largest published model, so a corrupt file cannot exhaust memory. */
const LIMITS = {
  vocab_size: 2 ** 22,
  hidden_size: 2 ** 17,
  num_hidden_layers: 1024,
  num_attention_heads: 4096,
  num_key_value_heads: 4096,
  head_dim: 4096,
  intermediate_size: 2 ** 20,
  max_position_embeddings: 2 ** 27,
} as const;

/**
 * Reads a parsed config.json.
 *
 * @param json the parsed file
 * @param where file name, for errors
 * @throws {CheckpointError} for another architecture, a missing or impossible size, or an unsupported option
 */
export function parseQwen3Config(json: unknown, where: string): Qwen3Config {
  const fail = (message: string) => new CheckpointError(`${where}: ${message}`, { details: { file: where } });
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw fail("expected a JSON object");
  const fields = json as Record<string, unknown>;

  const architectures = fields["architectures"];
  const named = Array.isArray(architectures) ? architectures[0] : undefined;
  if (fields["model_type"] !== "qwen3" || (named !== undefined && named !== "Qwen3ForCausalLM"))
    throw fail(
      `expected a Qwen3ForCausalLM checkpoint, got ${JSON.stringify(named ?? fields["model_type"] ?? "no model_type")}`,
    );

  const size = (key: keyof typeof LIMITS, fallback?: number): number => {
    const value = fields[key] ?? fallback;
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > LIMITS[key])
      throw fail(
        `${key}: expected an integer of 1..${LIMITS[key]}, got ${JSON.stringify(value) ?? "nothing"}`,
      );
    return value as number;
  };
  const positive = (key: string, value: unknown): number => {
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
      throw fail(`${key}: expected a positive number, got ${JSON.stringify(value)}`);
    return value;
  };
  const flag = (key: string): boolean => {
    const value = fields[key] ?? false;
    if (typeof value !== "boolean")
      throw fail(`${key}: expected true or false, got ${JSON.stringify(value)}`);
    return value;
  };
  const tokenId = (key: string): number | null => {
    const raw = fields[key];
    const value = Array.isArray(raw) ? raw[0] : raw;
    if (value === null || value === undefined) return null;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw fail(`${key}: expected a token id, got ${JSON.stringify(raw)}`);
    return value as number;
  };

  if (flag("attention_bias")) throw fail("attention_bias: true is not supported");
  if (flag("use_sliding_window")) throw fail("use_sliding_window: true is not supported");
  if ((fields["hidden_act"] ?? "silu") !== "silu")
    throw fail(`hidden_act: expected "silu", got ${JSON.stringify(fields["hidden_act"])}`);
  if (fields["quantization_config"] !== undefined && fields["quantization_config"] !== null)
    throw fail("quantized checkpoints are not supported: use the original weights");

  const maxPositionEmbeddings = size("max_position_embeddings", 32768);
  // Newer transformers write `rope_parameters` with the base inside, older ones `rope_theta` and `rope_scaling`.
  const ropeParameters = (fields["rope_parameters"] ?? {}) as Record<string, unknown>;
  const config: Qwen3Config = {
    vocabSize: size("vocab_size"),
    hiddenSize: size("hidden_size"),
    layers: size("num_hidden_layers"),
    attentionHeads: size("num_attention_heads"),
    keyValueHeads: size("num_key_value_heads"),
    headDim: size("head_dim"),
    intermediateSize: size("intermediate_size"),
    rmsNormEpsilon: positive("rms_norm_eps", fields["rms_norm_eps"] ?? 1e-6),
    ropeTheta: positive("rope_theta", fields["rope_theta"] ?? ropeParameters["rope_theta"] ?? 10000),
    ropeScaling: parseRopeScaling(
      fields["rope_scaling"] ?? fields["rope_parameters"],
      maxPositionEmbeddings,
      where,
    ),
    tieWordEmbeddings: flag("tie_word_embeddings"),
    maxPositionEmbeddings,
    bosTokenId: tokenId("bos_token_id"),
    eosTokenId: tokenId("eos_token_id"),
    padTokenId: tokenId("pad_token_id"),
  };
  if (config.attentionHeads % config.keyValueHeads !== 0)
    throw fail(
      `num_key_value_heads: expected a divisor of num_attention_heads ${config.attentionHeads}, got ${config.keyValueHeads}`,
    );
  if (config.headDim % 2 !== 0)
    throw fail(`head_dim: expected an even number for rotary embeddings, got ${config.headDim}`);
  return config;
}

/** The config.json of a float32 checkpoint, readable by old and new transformers alike. */
export function qwen3ConfigJson(config: Qwen3Config): Record<string, Json> {
  const scaling = config.ropeScaling === null ? null : ropeScalingJson(config.ropeScaling);
  return {
    architectures: ["Qwen3ForCausalLM"],
    model_type: "qwen3",
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: config.bosTokenId,
    dtype: "float32",
    eos_token_id: config.eosTokenId,
    head_dim: config.headDim,
    hidden_act: "silu",
    hidden_size: config.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    num_attention_heads: config.attentionHeads,
    num_hidden_layers: config.layers,
    num_key_value_heads: config.keyValueHeads,
    pad_token_id: config.padTokenId,
    rms_norm_eps: config.rmsNormEpsilon,
    rope_parameters: { ...(scaling ?? { rope_type: "default" }), rope_theta: config.ropeTheta },
    rope_scaling: scaling,
    rope_theta: config.ropeTheta,
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: "float32",
    use_cache: true,
    use_sliding_window: false,
    vocab_size: config.vocabSize,
  };
}

/**
 * The text of config.json. Python reads `1` as an integer and transformers warns of rotary factors that are no floats,
 * so whole ones are written as `1.0`.
 */
export function qwen3ConfigText(config: Qwen3Config): string {
  const text = JSON.stringify(qwen3ConfigJson(config), null, 2);
  return `${text.replace(/"(attention_factor|factor|rope_theta)": \d+(?=,?\n)/g, "$&.0")}\n`;
}

/**
 * Every parameter in the order of the forward pass. Projection weights are [out, in], as in PyTorch's Linear.
 */
export function qwen3ParameterShapes(config: Qwen3Config): ParameterShape[] {
  const { hiddenSize, headDim, intermediateSize } = config;
  const queries = config.attentionHeads * headDim;
  const keys = config.keyValueHeads * headDim;
  const shapes: ParameterShape[] = [
    { name: "model.embed_tokens.weight", shape: [config.vocabSize, hiddenSize] },
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const add = (name: string, ...shape: number[]) =>
      shapes.push({ name: `model.layers.${layer}.${name}.weight`, shape });
    add("input_layernorm", hiddenSize);
    add("self_attn.q_proj", queries, hiddenSize);
    add("self_attn.k_proj", keys, hiddenSize);
    add("self_attn.v_proj", keys, hiddenSize);
    add("self_attn.o_proj", hiddenSize, queries);
    add("self_attn.q_norm", headDim);
    add("self_attn.k_norm", headDim);
    add("post_attention_layernorm", hiddenSize);
    add("mlp.gate_proj", intermediateSize, hiddenSize);
    add("mlp.up_proj", intermediateSize, hiddenSize);
    add("mlp.down_proj", hiddenSize, intermediateSize);
  }
  shapes.push({ name: "model.norm.weight", shape: [hiddenSize] });
  if (!config.tieWordEmbeddings)
    shapes.push({ name: "lm_head.weight", shape: [config.vocabSize, hiddenSize] });
  return shapes;
}
