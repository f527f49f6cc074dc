/**
 * One decoding step: a token per sequence in, the next token and its log-probability out, drawn inside the graph from
 * uniforms that the caller supplies. The key-value cache is owned by the caller and enters as an input; the graph returns
 * this step's keys and values only, because the binding copies every output.
 */
import type { Qwen3Config } from "../../../tensors/qwen3-config.ts";
import { add, less, multiply, where } from "../graph/elementwise.ts";
import { type Dimension, Graph, type Value } from "../graph/graph.ts";
import { concat, reduceSum, reshape } from "../graph/layout.ts";
import { batchMatMul } from "../graph/linear.ts";
import { logSoftmax, softmax } from "../graph/network.ts";
import {
  attentionNorm,
  declareModel,
  embedTokens,
  finishLayer,
  type ModelValues,
  outputLogits,
  projectHeads,
  projectValues,
} from "./layers.ts";

/** Attention of one new token per sequence over the cache and itself. */
function attendCache(
  model: ModelValues,
  layer: number,
  rows: { queries: Value; keys: Value; values: Value },
  cache: { mask: Value; split: Value },
): Value {
  const { graph, config } = model;
  const { attentionHeads, keyValueHeads, headDim } = config;
  const repeats = attentionHeads / keyValueHeads;
  const cacheKeys = graph.input(`cache_keys_${layer}`, "float32", [
    "batch",
    keyValueHeads,
    headDim,
    "cacheLength",
  ]);
  const cacheValues = graph.input(`cache_values_${layer}`, "float32", [
    "batch",
    keyValueHeads,
    "cacheLength",
    headDim,
  ]);
  const heads = (flat: Value, count: number): Value =>
    reshape(flat, ["batch", keyValueHeads, count, headDim]);
  const q = heads(rows.queries, repeats);
  const k = heads(rows.keys, 1);
  const v = heads(rows.values, 1);
  const alpha = 1 / Math.sqrt(headDim);
  const past = add(batchMatMul(q, cacheKeys, { alpha }), cache.mask);
  const self = multiply(reduceSum(multiply(q, k), [3], true), graph.scalar(alpha));
  const weights = softmax(concat([past, self], 3));
  const [pastWeights, selfWeight] = graph.node(
    "Split",
    [weights, cache.split],
    [
      { type: "float32", shape: ["batch", keyValueHeads, repeats, "cacheLength"] },
      { type: "float32", shape: ["batch", keyValueHeads, repeats, 1] },
    ],
    { attributes: { axis: 3 } },
  ) as [Value, Value];
  const attended = add(batchMatMul(pastWeights, cacheValues), multiply(selfWeight, v));
  return reshape(attended, ["batch", attentionHeads * headDim]);
}

function node(
  graph: Graph,
  operator: string,
  inputs: Value[],
  shape: readonly Dimension[],
  attributes = {},
): Value {
  return graph.node(operator, inputs, [{ type: "float32", shape }], { attributes })[0] as Value;
}

/** Index of the first entry whose running sum exceeds uniform * total, at most `last`; int64 [batch, 1]. */
function drawIndex(graph: Graph, probabilities: Value, uniforms: Value, last: Value): Value {
  const sums = node(graph, "CumSum", [probabilities, graph.int64([1], [])], probabilities.shape);
  const threshold = multiply(uniforms, reduceSum(probabilities, [1], true));
  const below = graph.node(
    "LessOrEqual",
    [sums, threshold],
    [{ type: "bool", shape: probabilities.shape }],
  )[0] as Value;
  const [counts] = graph.node("Cast", [below], [{ type: "int64", shape: probabilities.shape }], {
    attributes: { to: 7 },
  });
  const [index] = graph.node(
    "ReduceSum",
    [counts as Value, graph.int64([1])],
    [{ type: "int64", shape: ["batch", 1] }],
    {
      attributes: { keepdims: 1 },
    },
  );
  return graph.node("Min", [index as Value, last], [{ type: "int64", shape: ["batch", 1] }])[0] as Value;
}

/** Draws from the whole distribution. */
function drawPlain(graph: Graph, logprobs: Value, uniforms: Value): Value {
  const vocabulary = logprobs.shape[1] as number;
  const probabilities = node(graph, "Exp", [logprobs], logprobs.shape);
  return drawIndex(graph, probabilities, uniforms, graph.int64([vocabulary - 1], [1, 1]));
}

/** Draws after top-k, top-p and min-p, all relative to the tempered distribution; each keeps at least one token. */
function drawFiltered(graph: Graph, logprobs: Value, uniforms: Value): Value {
  const vocabulary = logprobs.shape[1] as number;
  const topK = graph.input("top_k", "float32", ["batch", 1]);
  const topP = graph.input("top_p", "float32", ["batch", 1]);
  const minP = graph.input("min_p", "float32", ["batch", 1]);
  const [sorted, order] = graph.node(
    "TopK",
    [logprobs, graph.int64([vocabulary])],
    [
      { type: "float32", shape: logprobs.shape },
      { type: "int64", shape: logprobs.shape },
    ],
    { attributes: { axis: 1, largest: 1, sorted: 1 } },
  ) as [Value, Value];
  const zero = graph.scalar(0);
  const keepWhere = (values: Value, dropped: Value): Value => where(dropped, zero, values);
  let kept = node(graph, "Exp", [sorted], sorted.shape);
  const ranks = graph.floats(
    Float32Array.from({ length: vocabulary }, (_, rank) => rank),
    [1, vocabulary],
  );
  const notLess = (a: Value, b: Value): Value =>
    graph.node("GreaterOrEqual", [a, b], [{ type: "bool", shape: kept.shape }])[0] as Value;
  kept = keepWhere(kept, notLess(ranks, topK));
  const top = graph.node(
    "Slice",
    [kept, graph.int64([0]), graph.int64([1]), graph.int64([1])],
    [{ type: "float32", shape: ["batch", 1] }],
  )[0] as Value;
  kept = keepWhere(kept, less(kept, multiply(top, minP)));
  // A token is in the nucleus when the mass before it is below p, so the token that crosses p is kept.
  const total = reduceSum(kept, [1], true);
  const before = node(graph, "CumSum", [kept, graph.int64([1], [])], kept.shape, { exclusive: 1 });
  const beyond = notLess(before, multiply(total, topP));
  kept = where(
    graph.node(
      "And",
      [beyond, notLess(ranks, graph.scalar(1))],
      [{ type: "bool", shape: kept.shape }],
    )[0] as Value,
    zero,
    kept,
  );
  const nonZero = graph.node("Greater", [kept, zero], [{ type: "bool", shape: kept.shape }])[0] as Value;
  const [counts] = graph.node("Cast", [nonZero], [{ type: "int64", shape: kept.shape }], {
    attributes: { to: 7 },
  });
  const [size] = graph.node(
    "ReduceSum",
    [counts as Value, graph.int64([1])],
    [{ type: "int64", shape: ["batch", 1] }],
    { attributes: { keepdims: 1 } },
  );
  const last = graph.node(
    "Sub",
    [size as Value, graph.int64([1], [1])],
    [{ type: "int64", shape: ["batch", 1] }],
  )[0] as Value;
  const rank = drawIndex(graph, kept, uniforms, last);
  return graph.node("GatherElements", [order, rank], [{ type: "int64", shape: ["batch", 1] }], {
    attributes: { axis: 1 },
  })[0] as Value;
}

/**
 * The decoding graph. Inputs: tokens, positions, mask, caches, inverse_temperature and uniforms, all per sequence; with
 * `filtered` also top_k, top_p and min_p. Outputs: `token` int32 [batch], `logprob` [batch] under softmax(z / T) before
 * any filter, and per layer `keys_<layer>` and `values_<layer>`, head rows of the new token.
 */
export function buildDecodeGraph(config: Qwen3Config, filtered: boolean): Graph {
  const graph = new Graph(filtered ? "decode_filtered" : "decode");
  const model = declareModel(graph, config);
  const tokens = graph.input("tokens", "int32", ["batch"]);
  const positions = graph.input("positions", "int64", ["batch", 1]);
  const mask = graph.input("mask", "float32", ["batch", 1, 1, "cacheLength"]);
  const cache = { mask, split: graph.input("cache_split", "int64", [2]) };
  const inverseTemperature = graph.input("inverse_temperature", "float32", ["batch", 1]);
  const uniforms = graph.input("uniforms", "float32", ["batch", 1]);
  let x = embedTokens(model, tokens);
  for (let layer = 0; layer < config.layers; layer++) {
    const normed = attentionNorm(model, layer, x);
    const queries = projectHeads(model, layer, "q", normed, positions);
    const keys = projectHeads(model, layer, "k", normed, positions);
    const values = projectValues(model, layer, normed);
    graph.output(`keys_${layer}`, keys);
    graph.output(`values_${layer}`, values);
    x = finishLayer(model, layer, x, attendCache(model, layer, { queries, keys, values }, cache));
  }
  const logprobs = logSoftmax(multiply(outputLogits(model, x), inverseTemperature));
  const chosen = filtered ? drawFiltered(graph, logprobs, uniforms) : drawPlain(graph, logprobs, uniforms);
  const [logprob] = graph.node(
    "GatherElements",
    [logprobs, chosen],
    [{ type: "float32", shape: ["batch", 1] }],
    {
      attributes: { axis: 1 },
    },
  );
  const [token] = graph.node("Cast", [chosen], [{ type: "int32", shape: ["batch", 1] }], {
    attributes: { to: 6 },
  });
  graph.output("token", token as Value);
  graph.output("logprob", logprob as Value);
  return graph;
}
