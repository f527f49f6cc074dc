/** Operators that move or sum elements without changing them: reshape, split, concat, gather, reductions. */
import { addDimensions, type Dimension, describeShape, type Shape, sameShape, type Value } from "./graph.ts";

/**
 * The same elements under another shape. A named size that stands at another axis than before is inferred,
 * so at most one may.
 * @throws {TypeError} when two sizes would have to be inferred
 */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  let inferred = 0;
  const target = shape.map((size, axis) => {
    if (typeof size === "number") return size;
    if (x.shape[axis] === size) return 0;
    inferred += 1;
    return -1;
  });
  if (inferred > 1)
    throw new TypeError(`reshape ${describeShape(x.shape)} to ${describeShape(shape)}: two inferred sizes`);
  const { graph } = x;
  return graph.node("Reshape", [x, graph.int64(target)], [{ type: x.type, shape }], {
    vjp: ([g]) => [reshapeLike(g as Value, x), null],
  })[0] as Value;
}

/** The elements of x under the shape of `like`, read at run time: any number of named sizes. */
function reshapeLike(x: Value, like: Value): Value {
  const { graph } = x;
  if (like.shape.filter((size, axis) => typeof size === "string" && x.shape[axis] !== size).length <= 1)
    return reshape(x, like.shape);
  const size = graph.node("Shape", [like], [{ type: "int64", shape: [like.shape.length] }])[0] as Value;
  return graph.node("Reshape", [x, size], [{ type: x.type, shape: like.shape }])[0] as Value;
}

/** The same tensor with its sizes under other names; for sizes that are equal by construction. */
export function relabel(x: Value, shape: Shape): Value {
  return { graph: x.graph, name: x.name, type: x.type, shape };
}

/** Sum over axes. */
export function reduceSum(x: Value, axes: readonly number[], keepDimensions: boolean): Value {
  const { graph } = x;
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const shape = keepDimensions ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  return graph.node("ReduceSum", [x, graph.int64(axes)], [{ type: x.type, shape }], {
    attributes: { keepdims: keepDimensions ? 1 : 0 },
    vjp: ([g]) => [expandTo(keepDimensions ? (g as Value) : unsqueeze(g as Value, axes, kept), x), null],
  })[0] as Value;
}

function unsqueeze(x: Value, axes: readonly number[], shape: Shape): Value {
  return x.graph.node("Unsqueeze", [x, x.graph.int64(axes)], [{ type: x.type, shape }])[0] as Value;
}

/** Broadcasts x to the shape of `like`. */
function expandTo(x: Value, like: Value): Value {
  const { graph } = x;
  const size = graph.node("Shape", [like], [{ type: "int64", shape: [like.shape.length] }])[0] as Value;
  return graph.node("Expand", [x, size], [{ type: x.type, shape: like.shape }])[0] as Value;
}

/** Sum of all elements, shape []. */
export function sumAll(x: Value): Value {
  return reduceSum(
    x,
    x.shape.map((_, axis) => axis),
    false,
  );
}

/** Joins along an axis. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first] = values as [Value];
  const shape = first.shape.map((size, i) =>
    i === axis
      ? values
          .slice(1)
          .reduce<Dimension>((sum, value) => addDimensions(sum, value.shape[axis] as Dimension), size)
      : size,
  );
  const { graph } = first;
  return graph.node("Concat", values, [{ type: first.type, shape }], {
    attributes: { axis },
    vjp: ([g]) => splitLike(g as Value, values, axis),
  })[0] as Value;
}

/** Cuts x along an axis into pieces as large as the given values. */
function splitLike(x: Value, like: readonly Value[], axis: number): Value[] {
  const sizes = like.map((value) => value.shape[axis] as Dimension);
  if (sizes.every((size) => typeof size === "number")) return split(x, sizes as number[], axis);
  const { graph } = x;
  const lengths = like.map((value) => {
    const [shape] = graph.node("Shape", [value], [{ type: "int64", shape: [1] }], {
      attributes: { start: axis, end: axis + 1 },
    });
    return shape as Value;
  });
  const cuts = graph.node("Concat", lengths, [{ type: "int64", shape: [like.length] }], {
    attributes: { axis: 0 },
  })[0];
  return graph.node(
    "Split",
    [x, cuts as Value],
    like.map((value) => ({
      type: x.type,
      shape: x.shape.map((size, i) => (i === axis ? (value.shape[axis] as Dimension) : size)),
    })),
    { attributes: { axis } },
  );
}

/** Cuts x along an axis into pieces of fixed sizes. */
export function split(x: Value, sizes: readonly number[], axis: number): Value[] {
  const { graph } = x;
  const outputs = graph.node(
    "Split",
    [x, graph.int64(sizes)],
    sizes.map((size) => ({ type: x.type, shape: x.shape.map((old, i) => (i === axis ? size : old)) })),
    {
      attributes: { axis },
      vjp: (gs) => [
        concat(
          gs.map((g, i) => g ?? zerosLike(outputs[i] as Value)),
          axis,
        ),
        null,
      ],
    },
  );
  return outputs;
}

function zerosLike(x: Value): Value {
  return x.graph.node("Mul", [x, x.graph.scalar(0)], [{ type: x.type, shape: x.shape }])[0] as Value;
}

/**
 * Rows cut into two named blocks: the first `sizes[0]` rows and the rest.
 *
 * @param x shape [rows, ...]
 * @param sizes int64 [2], fed at run time
 */
export function splitRows(x: Value, sizes: Value, names: readonly [string, string]): [Value, Value] {
  const outputs = x.graph.node(
    "Split",
    [x, sizes],
    names.map((name) => ({ type: x.type, shape: [name, ...x.shape.slice(1)] })),
    {
      attributes: { axis: 0 },
      vjp: (gs) => {
        const joined = concat(
          gs.map((g, i) => g ?? zerosLike(outputs[i] as Value)),
          0,
        );
        return [relabel(joined, x.shape), null];
      },
    },
  );
  return outputs as [Value, Value];
}

/**
 * Rows of x at `index`, with the inverse map given, so that the derivative is a gather too and no scatter is needed.
 *
 * @param x shape [n, width]
 * @param index int32, any shape; result has shape [...index, width]
 * @param inverse int32 [n] or [n, copies]: for each row of x, its places in the flattened index. A row that occurs less
 *   often than `copies` times points its spare entries at places whose gradient is zero.
 */
export function gatherRows(x: Value, index: Value, inverse: Value): Value {
  const { graph } = x;
  const width = x.shape[1] as Dimension;
  return graph.node("Gather", [x, index], [{ type: x.type, shape: [...index.shape, width] }], {
    attributes: { axis: 0 },
    vjp: ([g]) => {
      const flat = reshape(g as Value, ["flattened", width]);
      const shape = [...inverse.shape, width];
      const gathered = graph.node("Gather", [flat, inverse], [{ type: x.type, shape }], {
        attributes: { axis: 0 },
      })[0] as Value;
      const summed = inverse.shape.length > 1 ? reduceSum(gathered, [1], false) : gathered;
      return [relabel(summed, x.shape), null];
    },
  })[0] as Value;
}
