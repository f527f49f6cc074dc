/**
 * The whole-sequence forward pass behind `grad`, `logprob` and `prefill`. A batch is packed rows in two blocks: the
 * prompts without their last token, computed once for all responses that share them, and the responses (each begins with
 * its prompt's last token and lacks its own last one), every row of which predicts one response token.
 * model/packed-batch.ts builds the inputs; row 0 of each block is a dummy that padding cells point at.
 */
import type { LossSpecification } from "../../../rl/loss.ts";
import type { Qwen3Config } from "../../../tensors/qwen3-config.ts";
import { gradients } from "../graph/autodiff.ts";
import { multiply } from "../graph/elementwise.ts";
import { Graph, type Value } from "../graph/graph.ts";
import { concat, gatherRows, relabel, reshape, splitRows, sumAll } from "../graph/layout.ts";
import { tokenDistribution } from "../graph/network.ts";
import { attend, type HeadGrid, stackMask } from "./attention.ts";
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
import { tokenLoss } from "./loss-graph.ts";

/** Graph inputs that place rows in attention grids. */
interface BatchValues {
  tokens: Value;
  positions: Value;
  /** int64 [2]: rows in the prompt block and in the response block. */
  blockRows: Value;
  prompt: { queries: HeadGrid; keys: HeadGrid; mask: Value };
  response: { queries: HeadGrid; keys: HeadGrid; mask: Value; positions: Value };
  /** Prompt keys as seen by each response. */
  shared: HeadGrid;
}

function declarePromptGrids(graph: Graph, config: Qwen3Config): BatchValues["prompt"] {
  const { attentionHeads: heads, keyValueHeads } = config;
  const grid = (name: string, count: number): HeadGrid => ({
    cells: graph.input(`prompt_${name}_cells`, "int32", ["prompts", count, "promptLength"]),
    places: graph.input(`prompt_${name}_places`, "int32", [`${count}*promptRows`]),
  });
  const mask = graph.input("prompt_mask", "float32", ["prompts", 1, "promptLength", "promptLength"]);
  return {
    queries: grid("query", heads),
    keys: grid("key", keyValueHeads),
    mask: stackMask(mask, heads / keyValueHeads),
  };
}

function declareBatch(graph: Graph, config: Qwen3Config): BatchValues {
  const { attentionHeads: heads, keyValueHeads } = config;
  const grid = (name: string, count: number): HeadGrid => ({
    cells: graph.input(`response_${name}_cells`, "int32", ["responses", count, "responseLength"]),
    places: graph.input(`response_${name}_places`, "int32", [`${count}*responseRows`]),
  });
  const mask = graph.input("response_mask", "float32", [
    "responses",
    1,
    "responseLength",
    "promptLength+responseLength",
  ]);
  return {
    tokens: graph.input("tokens", "int32", ["rows"]),
    positions: graph.input("positions", "int64", ["rows", 1]),
    blockRows: graph.input("block_rows", "int64", [2]),
    prompt: declarePromptGrids(graph, config),
    response: {
      queries: grid("query", heads),
      keys: grid("key", keyValueHeads),
      mask: stackMask(mask, heads / keyValueHeads),
      positions: graph.input("response_positions", "int64", ["responseRows", 1]),
    },
    shared: {
      cells: graph.input("shared_key_cells", "int32", ["responses", keyValueHeads, "promptLength"]),
      places: graph.input("shared_key_places", "int32", [`${keyValueHeads}*promptRows`, "copies"]),
    },
  };
}

const BLOCKS = ["promptRows", "responseRows"] as const;

/** Splits head rows [rows * heads, headDim] into the two blocks. */
function splitHeadRows(headRows: Value, heads: number, blockRows: Value): [Value, Value] {
  const { graph } = headRows;
  const sizes = heads === 1 ? blockRows : multiply(blockRows, graph.int64([heads], [1]));
  return splitRows(headRows, sizes, [`${heads}*promptRows`, `${heads}*responseRows`]);
}

/** Attention of one layer over both blocks; the last layer needs the response block only. */
function attendBlocks(model: ModelValues, batch: BatchValues, layer: number, x: Value, last: boolean) {
  const { attentionHeads: heads, keyValueHeads, headDim } = model.config;
  const normed = attentionNorm(model, layer, x);
  const [promptKeys, ownKeys] = splitHeadRows(
    projectHeads(model, layer, "k", normed, batch.positions),
    keyValueHeads,
    batch.blockRows,
  );
  const [promptValues, ownValues] = splitHeadRows(
    projectValues(model, layer, normed),
    keyValueHeads,
    batch.blockRows,
  );
  const seen = (prompt: Value, own: Value): Value =>
    concat(
      [
        gatherRows(prompt, batch.shared.cells, batch.shared.places),
        gatherRows(own, batch.response.keys.cells, batch.response.keys.places),
      ],
      2,
    );
  const attendResponses = (queries: Value): Value =>
    attend(
      queries,
      batch.response.queries,
      seen(promptKeys, ownKeys),
      seen(promptValues, ownValues),
      batch.response.mask,
    );
  if (last) {
    const [, responses] = splitRows(normed, batch.blockRows, BLOCKS);
    const attended = attendResponses(projectHeads(model, layer, "q", responses, batch.response.positions));
    return reshape(attended, ["responseRows", heads * headDim]);
  }
  const [promptQueries, responseQueries] = splitHeadRows(
    projectHeads(model, layer, "q", normed, batch.positions),
    heads,
    batch.blockRows,
  );
  const gatherPrompt = (rows: Value): Value =>
    gatherRows(rows, batch.prompt.keys.cells, batch.prompt.keys.places);
  const attended = concat(
    [
      attend(
        promptQueries,
        batch.prompt.queries,
        gatherPrompt(promptKeys),
        gatherPrompt(promptValues),
        batch.prompt.mask,
      ),
      attendResponses(responseQueries),
    ],
    0,
  );
  return reshape(relabel(attended, [`${heads}*rows`, headDim]), ["rows", heads * headDim]);
}

/** Logits of the response rows. */
function responseLogits(model: ModelValues, batch: BatchValues): Value {
  let x = embedTokens(model, batch.tokens);
  const { layers } = model.config;
  for (let layer = 0; layer < layers; layer++) {
    const last = layer === layers - 1;
    const attended = attendBlocks(model, batch, layer, x, last);
    const stream = last ? splitRows(x, batch.blockRows, BLOCKS)[1] : x;
    x = finishLayer(model, layer, stream, attended);
  }
  return outputLogits(model, x);
}

/** Token log-probabilities and entropies at 1 / inverse_temperature. */
function distribution(graph: Graph, config: Qwen3Config) {
  const model = declareModel(graph, config);
  const batch = declareBatch(graph, config);
  const inverseTemperature = graph.input("inverse_temperature", "float32", []);
  const targets = graph.input("targets", "int32", ["responseRows"]);
  const logits = multiply(responseLogits(model, batch), inverseTemperature);
  return { model, ...tokenDistribution(logits, targets) };
}

/** Forward only: `logprobs` and `entropies`, one per response row. */
export function buildLogprobGraph(config: Qwen3Config): Graph {
  const graph = new Graph("logprob");
  const { logprobs, entropies } = distribution(graph, config);
  graph.output("logprobs", logprobs);
  graph.output("entropies", entropies);
  return graph;
}

/** Name of the output that holds a parameter's gradient. */
export function gradientName(parameterName: string): string {
  return `gradient:${parameterName}`;
}

/** Forward and backward: `loss`, `logprobs`, `entropies` and the gradient of every parameter. */
export function buildGradientGraph(config: Qwen3Config, loss: LossSpecification): Graph {
  const graph = new Graph(`grad_${loss.kind}`);
  const { model, logprobs, entropies } = distribution(graph, config);
  const weights = graph.input("weights", "float32", ["responseRows"]);
  const total = sumAll(multiply(tokenLoss(graph, loss, logprobs, entropies), weights));
  graph.output("loss", total);
  graph.output("logprobs", logprobs);
  graph.output("entropies", entropies);
  const names = [...model.parameters.keys()];
  const slopes = gradients(total, [...model.parameters.values()]);
  for (const [i, name] of names.entries()) graph.output(gradientName(name), slopes[i] as Value);
  return graph;
}

/** Keys and values of every prompt row, for the decoder's cache: outputs `keys_<layer>` and `values_<layer>`. */
export function buildPrefillGraph(config: Qwen3Config): Graph {
  const graph = new Graph("prefill");
  const model = declareModel(graph, config);
  const tokens = graph.input("tokens", "int32", ["promptRows"]);
  const positions = graph.input("positions", "int64", ["promptRows", 1]);
  const grids = declarePromptGrids(graph, config);
  const { attentionHeads: heads, headDim, layers } = config;
  let x = embedTokens(model, tokens);
  for (let layer = 0; layer < layers; layer++) {
    const normed = attentionNorm(model, layer, x);
    const keys = projectHeads(model, layer, "k", normed, positions);
    const values = projectValues(model, layer, normed);
    graph.output(`keys_${layer}`, keys);
    graph.output(`values_${layer}`, values);
    if (layer === layers - 1) break;
    const gathered = (rows: Value): Value => gatherRows(rows, grids.keys.cells, grids.keys.places);
    const queries = projectHeads(model, layer, "q", normed, positions);
    const attended = attend(queries, grids.queries, gathered(keys), gathered(values), grids.mask);
    x = finishLayer(model, layer, x, reshape(attended, ["promptRows", heads * headDim]));
  }
  return graph;
}
