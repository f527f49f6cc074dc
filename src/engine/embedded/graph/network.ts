/** The operators of a decoder-only transformer: norms, rotary positions, softmax, embedding, token log-probabilities. */
import { exponential, multiply, negate, subtract } from "./elementwise.ts";
import { type Dimension, describeShape, type Value } from "./graph.ts";
import { reduceSum, reshape } from "./layout.ts";

/** Vocabularies up to this size get their embedding gradient from a one-hot product, larger ones from a scatter. */
const ONE_HOT_VOCABULARY_LIMIT = 2048; // above this the [rows, vocabulary] one-hot costs more than the scatter

/**
 * x / sqrt(mean(x^2) + epsilon) * gain over the last axis.
 *
 * @param x shape [rows, width]
 * @param gain shape [width]
 */
export function rmsNorm(x: Value, gain: Value, epsilon: number): Value {
  const { graph } = x;
  const [rows, width] = x.shape as [Dimension, number];
  if (x.shape.length !== 2 || gain.shape[0] !== width)
    throw new TypeError(`rmsNorm: ${describeShape(x.shape)} with gain ${describeShape(gain.shape)}`);
  const [y, inverse] = graph.node(
    "SimplifiedLayerNormalization",
    [x, gain],
    [
      { type: "float32", shape: x.shape },
      { type: "float32", shape: [rows, 1] },
    ],
    {
      attributes: { axis: -1, epsilon: { float: epsilon }, stash_type: 1 },
      vjp: ([g]) => {
        // With n = x / rms and z = g n: d gain = sum of z over rows, dx = (g gain - n (z . gain) / width) / rms.
        const normal = multiply(x, inverse as Value);
        const z = multiply(g as Value, normal);
        const column = reshape(gain, [width, 1]);
        const [dot] = graph.node("Gemm", [z, column], [{ type: "float32", shape: [rows, 1] }], {
          attributes: { alpha: { float: 1 / width } },
        });
        const dx = multiply(
          subtract(multiply(g as Value, gain), multiply(normal, dot as Value)),
          inverse as Value,
        );
        return [dx, reduceSum(z, [0], false)];
      },
    },
  );
  return y as Value;
}

export interface RotaryTables {
  /** Shape [positions, headDim / 2]. */
  cosine: Value;
  sine: Value;
}

/**
 * Rotary position embedding, halves rotated against each other as Hugging Face does.
 *
 * @param x shape [rows, heads * headDim]
 * @param positions int64 [rows, 1]
 */
export function rotary(x: Value, positions: Value, tables: RotaryTables): Value {
  const { graph } = x;
  const [rows, width] = x.shape as [Dimension, Dimension];
  const input = reshape(x, [rows, 1, width]);
  const rotate = (value: Value, sine: Value, vjp?: (g: Value) => Value): Value =>
    graph.node(
      "RotaryEmbedding",
      [value, positions, tables.cosine, sine],
      [{ type: "float32", shape: value.shape }],
      {
        domain: "com.microsoft",
        attributes: { interleaved: 0 },
        vjp: vjp ? ([g]) => [vjp(g as Value), null, null, null] : undefined,
      },
    )[0] as Value;
  // A rotation's transpose is the rotation by the opposite angle.
  return reshape(
    rotate(input, tables.sine, (g) => rotate(g, negate(tables.sine))),
    x.shape,
  );
}

/** Softmax over the last axis. */
export function softmax(x: Value): Value {
  const axis = x.shape.length - 1;
  const [y] = x.graph.node("Softmax", [x], [{ type: "float32", shape: x.shape }], {
    attributes: { axis: -1 },
    vjp: ([g]) => {
      const product = multiply(g as Value, y as Value);
      return [subtract(product, multiply(y as Value, reduceSum(product, [axis], true)))];
    },
  });
  return y as Value;
}

/** Log-softmax over the last axis. */
export function logSoftmax(x: Value): Value {
  const axis = x.shape.length - 1;
  const [y] = x.graph.node("LogSoftmax", [x], [{ type: "float32", shape: x.shape }], {
    attributes: { axis: -1 },
    vjp: ([g]) => [
      subtract(g as Value, multiply(exponential(y as Value), reduceSum(g as Value, [axis], true))),
    ],
  });
  return y as Value;
}

/** 1 where the id is, 0 elsewhere: float32 [rows, size]. */
function oneHot(ids: Value, size: number): Value {
  const { graph } = ids;
  return graph.node(
    "OneHot",
    [ids, graph.int32([size]), graph.floats(Float32Array.of(0, 1))],
    [{ type: "float32", shape: [...ids.shape, size] }],
  )[0] as Value;
}

/**
 * Rows of an embedding table.
 *
 * @param table shape [vocabulary, width]
 * @param ids int32 [rows]
 */
export function embedding(table: Value, ids: Value): Value {
  const { graph } = table;
  const [vocabulary, width] = table.shape as [number, number];
  return graph.node("Gather", [table, ids], [{ type: "float32", shape: [...ids.shape, width] }], {
    attributes: { axis: 0 },
    vjp: ([g]) => {
      const shape = { type: "float32" as const, shape: table.shape };
      if (vocabulary <= ONE_HOT_VOCABULARY_LIMIT)
        return [
          graph.node("Gemm", [oneHot(ids, vocabulary), g as Value], [shape], {
            attributes: { transA: 1 },
          })[0] as Value,
          null,
        ];
      const zeros = graph.node(
        "Expand",
        [graph.scalar(0), graph.int64([vocabulary, width])],
        [shape],
      )[0] as Value;
      const [wide] = graph.node("Cast", [ids], [{ type: "int64", shape: ids.shape }], {
        attributes: { to: 7 },
      });
      const places = reshape(wide as Value, [...ids.shape, 1]);
      const attributes = { reduction: "add" };
      return [
        graph.node("ScatterND", [zeros, places, g as Value], [shape], { attributes })[0] as Value,
        null,
      ];
    },
  })[0] as Value;
}

export interface TokenDistribution {
  /** log softmax(logits)[target], shape [rows]. */
  logprobs: Value;
  /** Entropy of softmax(logits) in nats, shape [rows]. */
  entropies: Value;
}

/**
 * Log-probability of each row's target and the entropy of each row's distribution.
 *
 * @param logits shape [rows, vocabulary], already divided by the temperature
 * @param targets int32 [rows]
 */
export function tokenDistribution(logits: Value, targets: Value): TokenDistribution {
  const { graph } = logits;
  const [rows, vocabulary] = logits.shape as [Dimension, number];
  const all = logSoftmax(logits);
  const places = reshape(targets, [rows, 1]);
  const [chosen] = graph.node("GatherElements", [all, places], [{ type: "float32", shape: [rows, 1] }], {
    attributes: { axis: 1 },
    vjp: ([g]) => [multiply(oneHot(targets, vocabulary), g as Value), null],
  });
  return {
    logprobs: reshape(chosen as Value, [rows]),
    entropies: negate(reduceSum(multiply(exponential(all), all), [1], false)),
  };
}
