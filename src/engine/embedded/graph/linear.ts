/** Matrix products and their derivatives. */
import { type Dimension, describeShape, type Value } from "./graph.ts";

function gemm(
  a: Value,
  b: Value,
  transA: boolean,
  transB: boolean,
  rows: Dimension,
  columns: Dimension,
): Value {
  return a.graph.node("Gemm", [a, b], [{ type: a.type, shape: [rows, columns] }], {
    attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0 },
  })[0] as Value;
}

/**
 * x W^T with W stored as Hugging Face does.
 *
 * @param x shape [rows, in]
 * @param weight shape [out, in]
 */
export function linear(x: Value, weight: Value): Value {
  const [rows, width] = x.shape as [Dimension, Dimension];
  const [out, inner] = weight.shape as [Dimension, Dimension];
  if (x.shape.length !== 2 || weight.shape.length !== 2 || width !== inner)
    throw new TypeError(`linear: ${describeShape(x.shape)} with weight ${describeShape(weight.shape)}`);
  return x.graph.node("Gemm", [x, weight], [{ type: x.type, shape: [rows, out] }], {
    attributes: { transB: 1 },
    vjp: ([g]) => [
      gemm(g as Value, weight, false, false, rows, width),
      gemm(g as Value, x, true, false, out, inner),
    ],
  })[0] as Value;
}

export interface MatMulOptions {
  transA?: boolean;
  transB?: boolean;
  /** Factor on the product. */
  alpha?: number;
}

/**
 * alpha * op(a) op(b) over the last two axes; the leading axes must be equal.
 *
 * @param a shape [..., m, k], or [..., k, m] with transA
 * @param b shape [..., k, n], or [..., n, k] with transB
 */
export function batchMatMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  const lead = a.shape.slice(0, -2);
  const last = (value: Value, transposed: boolean): [Dimension, Dimension] => {
    const [x, y] = value.shape.slice(-2) as [Dimension, Dimension];
    return transposed ? [y, x] : [x, y];
  };
  const [m, k] = last(a, transA);
  const [inner, n] = last(b, transB);
  if (k !== inner || lead.some((size, axis) => size !== b.shape[axis]) || a.shape.length !== b.shape.length)
    throw new TypeError(`batchMatMul: ${describeShape(a.shape)} with ${describeShape(b.shape)}`);
  return a.graph.node("FusedMatMul", [a, b], [{ type: a.type, shape: [...lead, m, n] }], {
    domain: "com.microsoft",
    attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } },
    vjp: ([g]) => {
      const gradient = g as Value;
      const da = transA
        ? batchMatMul(b, gradient, { transA: transB, transB: true, alpha })
        : batchMatMul(gradient, b, { transB: !transB, alpha });
      const db = transB
        ? batchMatMul(gradient, a, { transA: true, transB: transA, alpha })
        : batchMatMul(a, gradient, { transA: !transA, alpha });
      return [da, db];
    },
  })[0] as Value;
}
