/**
 * Rotary-embedding scaling as checkpoints store it: parsing and writing the `rope_scaling` object of a config.json.
 * Only YaRN is supported; other kinds are refused, never approximated.
 *
 * Engines disagree on how the attention scale is written. transformers and the newest vLLM read `attention_factor`; vLLM
 * up to 0.25 and SGLang read `attn_factor` and multiply it by 0.1 ln(factor) + 1; POLARIS published `attn_factor: 1.0` and
 * meant scale 1. Here it is one number, `attentionScale`: what cos and sin are multiplied by, exactly.
 * Source: YaRN, arXiv:2309.00071; recipe A9.
 */
import { CheckpointError } from "../errors.ts";
import type { Json } from "../types.ts";

/** YaRN parameters. */
export interface YarnScaling {
  type: "yarn";
  /** Context length over original length; at least 1. */
  factor: number;
  /** Length the model was pre-trained at, in tokens. */
  originalMaxPositionEmbeddings: number;
  /** cos and sin are multiplied by it; 1 = attention is left alone (the POLARIS intent). */
  attentionScale: number;
  /** Rotations over the original length above which a frequency is kept. */
  betaFast: number;
  /** Rotations below which a frequency is divided by `factor`. */
  betaSlow: number;
}

/** Attention scale the YaRN paper recommends, and engines apply unless told otherwise: 0.1 ln(factor) + 1. */
export function defaultAttentionScale(factor: number): number {
  return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
}

/**
 * YaRN as POLARIS uses it at inference: factor 1.5 over a 32768-token original context, attention left alone.
 * @throws {RangeError} when the factor is below 1 or a length is not positive
 */
export function yarnScaling(options: Partial<Omit<YarnScaling, "type">> = {}): YarnScaling {
  const scaling: YarnScaling = {
    type: "yarn",
    factor: 1.5,
    originalMaxPositionEmbeddings: 32768,
    attentionScale: 1,
    betaFast: 32,
    betaSlow: 1,
    ...options,
  };
  if (!(scaling.factor >= 1)) throw new RangeError(`YaRN factor: expected at least 1, got ${scaling.factor}`);
  if (
    !(
      scaling.originalMaxPositionEmbeddings >= 1 &&
      scaling.betaFast >= scaling.betaSlow &&
      scaling.betaSlow > 0
    )
  )
    throw new RangeError("YaRN: expected a positive original length and betaFast >= betaSlow > 0");
  if (!(scaling.attentionScale > 0)) throw new RangeError("YaRN attention scale: expected a positive number");
  return scaling;
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  "rope_type",
  "type",
  "rope_theta",
  "factor",
  "original_max_position_embeddings",
  "attention_factor",
  "attn_factor",
  "beta_fast",
  "beta_slow",
  "truncate",
]);

/**
 * Reads a `rope_scaling` or `rope_parameters` object; null when positions are not scaled.
 * A missing original length means `maxPositionEmbeddings` and a missing attention scale the paper's, both as in
 * transformers; `attn_factor` without `attention_factor` is POLARIS's notation and taken as the scale itself.
 *
 * @param where file name for errors
 * @throws {CheckpointError} for another kind of scaling, an unknown key, or a value out of range
 */
export function parseRopeScaling(
  json: unknown,
  maxPositionEmbeddings: number,
  where: string,
): YarnScaling | null {
  if (json === null || json === undefined) return null;
  const fail = (message: string) => new CheckpointError(`${where}: rope_scaling: ${message}`);
  if (typeof json !== "object" || Array.isArray(json)) throw fail("expected an object");
  const fields = json as Record<string, unknown>;
  const type = fields["rope_type"] ?? fields["type"] ?? "default";
  if (type === "default") return null;
  if (type !== "yarn") throw fail(`expected rope_type "yarn" or "default", got ${JSON.stringify(type)}`);
  for (const key of Object.keys(fields)) if (!KNOWN_KEYS.has(key)) throw fail(`unknown key "${key}"`);
  if (fields["truncate"] === false) throw fail("truncate: false is not supported");
  const number = (key: string, fallback: number): number => {
    const value = fields[key] ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
      throw fail(`${key}: expected a positive number, got ${JSON.stringify(value)}`);
    return value;
  };
  const factor = number("factor", Number.NaN);
  try {
    return yarnScaling({
      factor,
      originalMaxPositionEmbeddings: number("original_max_position_embeddings", maxPositionEmbeddings),
      attentionScale: number("attention_factor", number("attn_factor", defaultAttentionScale(factor))),
      betaFast: number("beta_fast", 32),
      betaSlow: number("beta_slow", 1),
    });
  } catch (cause) {
    throw cause instanceof RangeError ? fail(cause.message) : cause;
  }
}

/** Engines whose `rope_scaling` notation is known. */
export type RopeDialect = "transformers" | "vllm" | "sglang";
/** Readers of an object: vLLM changed what it reads. */
export type RopeReader = RopeDialect | "vllm after 0.25";

/**
 * The `rope_scaling` object that makes an engine apply exactly this scaling.
 * vLLM and SGLang get both notations: each of their versions reads one and ignores the other. `attn_factor` is divided by
 * the scale they apply themselves (0.961033 for scale 1 at factor 1.5).
 * Source: vLLM `get_rope`, which passes `attn_factor` on in 0.8 to 0.25 and `attention_factor` in its place after.
 */
export function ropeScalingJson(
  scaling: YarnScaling,
  dialect: RopeDialect = "transformers",
): Record<string, Json> {
  const common = {
    rope_type: "yarn",
    factor: scaling.factor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
    beta_fast: scaling.betaFast,
    beta_slow: scaling.betaSlow,
  };
  const exact = { ...common, attention_factor: scaling.attentionScale };
  return dialect === "transformers"
    ? exact
    : { ...exact, attn_factor: scaling.attentionScale / defaultAttentionScale(scaling.factor) };
}

/**
 * The object with both notations of the attention scale, which each engine reads in its own: what a folder holds that
 * several engines load.
 */
export function portableRopeScalingJson(scaling: YarnScaling): Record<string, Json> {
  return ropeScalingJson(scaling, "vllm");
}

const FLOAT_KEYS =
  /"(?:attention_factor|attn_factor|factor|rope_theta|beta_fast|beta_slow)": ?\d+(?=[,}\s])/g;

/**
 * JSON of a configuration with whole rotary factors as `1.0`: Python reads `1` as an integer, and transformers warns of it.
 *
 * @param indent as of JSON.stringify
 */
export function ropeJsonText(value: Json, indent?: number): string {
  // Inside a string JSON writes quotes with a backslash, so only keys match.
  return JSON.stringify(value, null, indent).replace(FLOAT_KEYS, "$&.0");
}

/**
 * The attention scale an engine applies when it finds this object: what the notation means there, not what was meant.
 * transformers and vLLM after 0.25 take `attention_factor` or the default and ignore `attn_factor`; vLLM before and SGLang
 * multiply their default by `attn_factor` and ignore `attention_factor`.
 * Source: transformers `modeling_rope_utils.py`; vLLM and SGLang `YaRNScalingRotaryEmbedding`.
 */
export function appliedAttentionScale(json: Readonly<Record<string, unknown>>, reader: RopeReader): number {
  const number = (key: string): number | undefined => {
    const value = json[key];
    return typeof value === "number" && Number.isFinite(value) ? value : undefined;
  };
  const standard = defaultAttentionScale(number("factor") ?? 1);
  if (reader === "transformers" || reader === "vllm after 0.25")
    return number("attention_factor") ?? standard;
  return standard * (number("attn_factor") ?? 1);
}
