/** Every differentiable operator against central finite differences, and the rules that refuse bad shapes. */
import { describe, expect, it } from "vitest";
import { randomStream } from "../../../random.ts";
import { type Feed, openSession } from "../runtime/session.ts";
import { gradients } from "./autodiff.ts";
import {
  absolute,
  add,
  clip,
  exponential,
  maximum,
  minimum,
  multiply,
  negate,
  sigmoid,
  subtract,
  swiglu,
  where,
} from "./elementwise.ts";
import { Graph, type Value } from "./graph.ts";
import { concat, gatherRows, reduceSum, reshape, split, splitRows, sumAll } from "./layout.ts";
import { batchMatMul, linear } from "./linear.ts";
import { embedding, logSoftmax, rmsNorm, rotary, softmax, tokenDistribution } from "./network.ts";

type Feeds = Record<string, Feed>;
type Shapes = Record<string, readonly number[]>;

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Compares the graph's gradient of sum(random * build(inputs)) with central differences, element by element. */
async function checkGradient(
  shapes: Shapes,
  build: (inputs: Record<string, Value>, graph: Graph) => Value,
  extra: Feeds = {},
) {
  const graph = new Graph("check");
  const stream = randomStream(3, "operators", JSON.stringify(shapes));
  const inputs: Record<string, Value> = {};
  const feeds: Feeds = { ...extra };
  for (const [name, shape] of Object.entries(shapes)) {
    inputs[name] = graph.input(name, "float32", shape);
    feeds[name] = { data: Float32Array.from({ length: product(shape) }, () => stream.normal()), shape };
  }
  for (const [name, feed] of Object.entries(extra)) {
    const type =
      feed.data instanceof Int32Array ? "int32" : feed.data instanceof BigInt64Array ? "int64" : "float32";
    inputs[name] = graph.input(name, type, feed.shape);
  }
  const result = build(inputs, graph);
  const fixed = result.shape.every((size) => typeof size === "number") ? (result.shape as number[]) : null;
  const weighted = fixed
    ? multiply(
        result,
        graph.floats(
          Float32Array.from({ length: product(fixed) }, () => stream.normal()),
          fixed,
        ),
      )
    : multiply(result, result);
  const loss = sumAll(weighted);
  const names = Object.keys(shapes);
  graph.output("loss", loss);
  gradients(
    loss,
    names.map((name) => inputs[name] as Value),
  ).forEach((gradient, i) => {
    graph.output(`d_${names[i]}`, gradient);
  });
  const session = await openSession(graph, { threads: 1 });
  const analytic = await session.run(feeds);
  const step = 1e-2;
  for (const name of names) {
    const feed = feeds[name] as Feed;
    const scale = Math.max(...(analytic[`d_${name}`] as Float32Array).map(Math.abs), 1e-2);
    for (let i = 0; i < feed.data.length; i++) {
      const kept = feed.data[i] as number;
      const at = async (value: number): Promise<number> => {
        feed.data[i] = value;
        return (await session.run(feeds)).loss?.[0] as number;
      };
      const numeric = ((await at(kept + step)) - (await at(kept - step))) / (2 * step);
      feed.data[i] = kept;
      const error = Math.abs(numeric - ((analytic[`d_${name}`] as Float32Array)[i] as number)) / scale;
      expect(error, `${name}[${i}]: numeric ${numeric}, analytic ${analytic[`d_${name}`]?.[i]}`).toBeLessThan(
        0.02,
      );
    }
  }
  await session.close();
}

const int32 = (values: number[], shape = [values.length]): Feed => ({ data: Int32Array.from(values), shape });
const int64 = (values: number[], shape = [values.length]): Feed => ({
  data: BigInt64Array.from(values, BigInt),
  shape,
});

describe("operator gradients", () => {
  const cases: [string, Shapes, (x: Record<string, Value>, graph: Graph) => Value, Feeds?][] = [
    ["add with broadcasting", { a: [3, 4], b: [4] }, (x) => add(x.a as Value, x.b as Value)],
    ["subtract with broadcasting", { a: [3, 1], b: [3, 4] }, (x) => subtract(x.a as Value, x.b as Value)],
    ["multiply with broadcasting", { a: [2, 3, 4], b: [3, 1] }, (x) => multiply(x.a as Value, x.b as Value)],
    ["negate and exponential", { a: [5] }, (x) => exponential(negate(x.a as Value))],
    ["absolute", { a: [6] }, (x) => absolute(x.a as Value)],
    ["sigmoid", { a: [6] }, (x) => sigmoid(x.a as Value)],
    ["maximum", { a: [8], b: [8] }, (x) => maximum(x.a as Value, x.b as Value)],
    ["minimum", { a: [8], b: [8] }, (x) => minimum(x.a as Value, x.b as Value)],
    ["clip", { a: [9] }, (x) => clip(x.a as Value, -0.5, 0.7)],
    ["swiglu", { a: [3, 4], b: [3, 4] }, (x) => swiglu(x.a as Value, x.b as Value)],
    [
      "reduceSum without and with kept axes",
      { a: [2, 3, 4] },
      (x) => reduceSum(reduceSum(x.a as Value, [1], true), [2], false),
    ],
    ["reshape", { a: [2, 6] }, (x) => reshape(x.a as Value, [3, 4])],
    [
      "split and concat",
      { a: [3, 5] },
      (x) => {
        const [left, right] = split(x.a as Value, [2, 3], 1) as [Value, Value];
        return concat([right, multiply(left, left)], 1);
      },
    ],
    ["linear", { x: [4, 3], w: [5, 3] }, (x) => linear(x.x as Value, x.w as Value)],
    ["rmsNorm", { x: [3, 6], g: [6] }, (x) => rmsNorm(x.x as Value, x.g as Value, 1e-6)],
    ["softmax", { a: [3, 5] }, (x) => softmax(x.a as Value)],
    ["logSoftmax", { a: [3, 5] }, (x) => logSoftmax(x.a as Value)],
    [
      "embedding by one-hot",
      { t: [5, 3] },
      (x) => embedding(x.t as Value, x.ids as Value),
      { ids: int32([1, 4, 1, 0]) },
    ],
    [
      "token log-probabilities",
      { z: [3, 5] },
      (x) => tokenDistribution(x.z as Value, x.ids as Value).logprobs,
      { ids: int32([4, 0, 2]) },
    ],
    [
      "entropies",
      { z: [3, 5] },
      (x) => tokenDistribution(x.z as Value, x.ids as Value).entropies,
      { ids: int32([4, 0, 2]) },
    ],
  ];
  it.each(cases)("%s", async (_, shapes, build, extra) => checkGradient(shapes, build, extra));

  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("batchMatMul with transA %s and transB %s", async (transA, transB) => {
    await checkGradient({ a: transA ? [2, 3, 4] : [2, 4, 3], b: transB ? [2, 5, 3] : [2, 3, 5] }, (x) =>
      batchMatMul(x.a as Value, x.b as Value, { transA, transB, alpha: 0.7 }),
    );
  });

  it("where passes the gradient of the chosen side only", async () => {
    await checkGradient({ a: [4], b: [4] }, (x, graph) => {
      const condition = graph.node("Cast", [graph.int32([1, 0, 0, 1])], [{ type: "bool", shape: [4] }], {
        attributes: { to: 9 },
      })[0] as Value;
      return where(condition, x.a as Value, x.b as Value);
    });
  });

  it("rotary is a rotation, and its gradient rotates back", async () => {
    const angles = [0, 0.3, 1.1, 2.0, 0.7, 1.9];
    const tables = { data: Float32Array.from(angles, Math.cos), shape: [3, 2] };
    const sines = { data: Float32Array.from(angles, Math.sin), shape: [3, 2] };
    await checkGradient(
      { x: [2, 8] },
      (x) => rotary(x.x as Value, x.positions as Value, { cosine: x.cosine as Value, sine: x.sine as Value }),
      { positions: int64([1, 2], [2, 1]), cosine: tables, sine: sines },
    );
  });

  it("gatherRows sums the gradients of repeated rows through the inverse map", async () => {
    // Row 0 is used twice, row 1 once; the last place of the index is weighted by nothing but its own square.
    await checkGradient(
      { x: [2, 3] },
      (x) => {
        const gathered = gatherRows(x.x as Value, x.index as Value, x.inverse as Value);
        return multiply(gathered, x.mask as Value);
      },
      {
        index: int32([0, 1, 0, 1]),
        inverse: int32([0, 2, 1, 3], [2, 2]),
        mask: { data: Float32Array.of(1, 1, 1, 0), shape: [4, 1] },
      },
    );
  });

  it("splitRows gives each block its own gradient", async () => {
    await checkGradient(
      { x: [5, 2] },
      (x) => {
        const [head, tail] = splitRows(x.x as Value, x.sizes as Value, ["head", "tail"]);
        return concat([exponential(head), multiply(tail, tail)], 0);
      },
      { sizes: int64([2, 3]) },
    );
  });
});

describe("graph building", () => {
  it("refuses shapes that do not fit while the graph is built", () => {
    const graph = new Graph("bad");
    const a = graph.input("a", "float32", ["rows", 3]);
    expect(() => linear(a, graph.input("w", "float32", [4, 5]))).toThrow(
      /linear: \[rows, 3\] with weight \[4, 5\]/,
    );
    expect(() => add(a, graph.input("b", "float32", [2]))).toThrow(/cannot broadcast/);
    expect(() => graph.input("a", "float32", [1])).toThrow(/exists already/);
    expect(() => gradients(a, [a])).toThrow(/scalar loss/);
  });

  it("keeps only what the outputs need", async () => {
    const graph = new Graph("prune");
    const a = graph.input("a", "float32", [2]);
    graph.input("unused", "float32", [2]);
    graph.output("y", exponential(a));
    const session = await openSession(graph, { threads: 1 });
    const { y } = await session.run({ a: { data: Float32Array.of(0, 1), shape: [2] } });
    expect(Array.from(y as Float32Array)).toEqual([1, Math.fround(Math.E)]);
  });
});
