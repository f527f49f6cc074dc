/**
 * The Qwen3 decoder layer on packed rows: every token of a batch is one row, whatever sequence it belongs to, so
 * projections and MLPs compute no padding. Attention differs between training, prefill and decoding and lives apart.
 * Source: transformers `models/qwen3/modeling_qwen3.py`.
 */
import type { Qwen3Config } from "../../../tensors/qwen3-config.ts";
import { qwen3ParameterShapes } from "../../../tensors/qwen3-config.ts";
import { add, swiglu } from "../graph/elementwise.ts";
import { type Dimension, type Graph, multiplyDimensions, type Value } from "../graph/graph.ts";
import { relabel, reshape } from "../graph/layout.ts";
import { linear } from "../graph/linear.ts";
import { embedding, type RotaryTables, rmsNorm, rotary } from "../graph/network.ts";

/** Parameters and tables of a model inside one graph. */
export interface ModelValues {
  graph: Graph;
  config: Qwen3Config;
  /** Parameters by Hugging Face name; each is a graph input. */
  parameters: Map<string, Value>;
  tables: RotaryTables;
}

/** Declares every parameter and the rotary tables as graph inputs. */
export function declareModel(graph: Graph, config: Qwen3Config): ModelValues {
  const parameters = new Map<string, Value>();
  for (const { name, shape } of qwen3ParameterShapes(config))
    parameters.set(name, graph.input(name, "float32", shape));
  const tableShape = ["positions", config.headDim / 2];
  return {
    graph,
    config,
    parameters,
    tables: {
      cosine: graph.input("rotary_cosine", "float32", tableShape),
      sine: graph.input("rotary_sine", "float32", tableShape),
    },
  };
}

export function parameter(model: ModelValues, name: string): Value {
  const value = model.parameters.get(name);
  if (!value) throw new TypeError(`no parameter "${name}"`);
  return value;
}

/** Token embeddings, [rows, hidden]. */
export function embedTokens(model: ModelValues, tokens: Value): Value {
  return embedding(parameter(model, "model.embed_tokens.weight"), tokens);
}

/** The norm before a layer's attention. */
export function attentionNorm(model: ModelValues, layer: number, x: Value): Value {
  return rmsNorm(
    x,
    parameter(model, `model.layers.${layer}.input_layernorm.weight`),
    model.config.rmsNormEpsilon,
  );
}

/**
 * Projects to heads, normalises each head and rotates it: queries or keys as rows of single heads.
 *
 * @param x shape [rows, hidden]
 * @param positions int64 [rows, 1]
 * @returns shape [rows * heads, headDim]
 */
export function projectHeads(
  model: ModelValues,
  layer: number,
  which: "q" | "k",
  x: Value,
  positions: Value,
): Value {
  const { config } = model;
  const heads = which === "q" ? config.attentionHeads : config.keyValueHeads;
  const prefix = `model.layers.${layer}.self_attn.${which}`;
  const rows = x.shape[0] as Dimension;
  const headRows = multiplyDimensions(heads, rows);
  const projected = reshape(linear(x, parameter(model, `${prefix}_proj.weight`)), [headRows, config.headDim]);
  const normed = rmsNorm(projected, parameter(model, `${prefix}_norm.weight`), config.rmsNormEpsilon);
  const rotated = rotary(reshape(normed, [rows, heads * config.headDim]), positions, model.tables);
  return reshape(rotated, [headRows, config.headDim]);
}

/** Values as rows of single heads, [rows * keyValueHeads, headDim]. */
export function projectValues(model: ModelValues, layer: number, x: Value): Value {
  const { config } = model;
  const values = linear(x, parameter(model, `model.layers.${layer}.self_attn.v_proj.weight`));
  return reshape(values, [multiplyDimensions(config.keyValueHeads, x.shape[0] as Dimension), config.headDim]);
}

/**
 * Output projection, residual, and the SwiGLU block with its residual.
 *
 * @param x residual stream before the layer, [rows, hidden]
 * @param attended attention result, [rows, heads * headDim]
 */
export function finishLayer(model: ModelValues, layer: number, x: Value, attended: Value): Value {
  const name = `model.layers.${layer}`;
  const output = linear(attended, parameter(model, `${name}.self_attn.o_proj.weight`));
  const middle = add(relabel(x, output.shape), output);
  const normed = rmsNorm(
    middle,
    parameter(model, `${name}.post_attention_layernorm.weight`),
    model.config.rmsNormEpsilon,
  );
  const gate = linear(normed, parameter(model, `${name}.mlp.gate_proj.weight`));
  const up = linear(normed, parameter(model, `${name}.mlp.up_proj.weight`));
  return add(middle, linear(swiglu(gate, up), parameter(model, `${name}.mlp.down_proj.weight`)));
}

/** Final norm and output head: logits [rows, vocabulary]. */
export function outputLogits(model: ModelValues, x: Value): Value {
  const normed = rmsNorm(x, parameter(model, "model.norm.weight"), model.config.rmsNormEpsilon);
  const head = model.config.tieWordEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return linear(normed, parameter(model, head));
}
