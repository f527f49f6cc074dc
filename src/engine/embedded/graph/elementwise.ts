/** Elementwise operators with NumPy broadcasting, and their derivatives. */
import { type Dimension, describeShape, type Shape, sameShape, type Value } from "./graph.ts";
import { reduceSum, reshape } from "./layout.ts";

/** Broadcast shape of two shapes. @throws {TypeError} when they do not fit */
export function broadcastShapes(a: Shape, b: Shape): Dimension[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new TypeError(`cannot broadcast ${describeShape(a)} with ${describeShape(b)}`);
  });
}

/** Sums a gradient over the axes along which its operand was broadcast. */
function unbroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
  );
  const summed = axes.length > 0 ? reduceSum(gradient, axes, true) : gradient;
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape);
}

function binary(operator: string, a: Value, b: Value, vjp?: (g: Value) => (Value | null)[]): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  return a.graph.node(operator, [a, b], [{ type: a.type, shape }], {
    vjp: vjp
      ? ([g]) => {
          const [da, db] = vjp(g as Value);
          return [da ? unbroadcast(da, a.shape) : null, db ? unbroadcast(db, b.shape) : null];
        }
      : undefined,
  })[0] as Value;
}

function unary(operator: string, x: Value, vjp: (g: Value, y: Value) => Value): Value {
  const [y] = x.graph.node(operator, [x], [{ type: x.type, shape: x.shape }], {
    vjp: ([g]) => [vjp(g as Value, y as Value)],
  });
  return y as Value;
}

/** a + b */
export function add(a: Value, b: Value): Value {
  return binary("Add", a, b, (g) => [g, g]);
}

/** a - b */
export function subtract(a: Value, b: Value): Value {
  return binary("Sub", a, b, (g) => [g, negate(g)]);
}

/** a * b */
export function multiply(a: Value, b: Value): Value {
  return binary("Mul", a, b, (g) => [multiply(g, b), multiply(g, a)]);
}

/** -x */
export function negate(x: Value): Value {
  return unary("Neg", x, (g) => negate(g));
}

/** e^x */
export function exponential(x: Value): Value {
  return unary("Exp", x, (g, y) => multiply(g, y));
}

/** |x|; derivative sign(x), 0 at 0. */
export function absolute(x: Value): Value {
  return unary("Abs", x, (g) =>
    multiply(
      g,
      unary("Sign", x, () => x.graph.scalar(0)),
    ),
  );
}

/** 1 / (1 + e^-x) */
export function sigmoid(x: Value): Value {
  return unary("Sigmoid", x, (g, y) => multiply(g, multiply(y, subtract(x.graph.scalar(1), y))));
}

/** a >= b as booleans; no derivative. */
function greaterOrEqual(a: Value, b: Value): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  return a.graph.node("GreaterOrEqual", [a, b], [{ type: "bool", shape }])[0] as Value;
}

/** a < b as booleans; no derivative. */
export function less(a: Value, b: Value): Value {
  const shape = broadcastShapes(a.shape, b.shape);
  return a.graph.node("Less", [a, b], [{ type: "bool", shape }])[0] as Value;
}

/** Elementwise choice; the condition carries no derivative. */
export function where(condition: Value, a: Value, b: Value): Value {
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape));
  const zero = a.graph.scalar(0);
  return a.graph.node("Where", [condition, a, b], [{ type: a.type, shape }], {
    vjp: ([g]) => [
      null,
      unbroadcast(where(condition, g as Value, zero), a.shape),
      unbroadcast(where(condition, zero, g as Value), b.shape),
    ],
  })[0] as Value;
}

/** The larger of a and b; at a tie the derivative goes to a. */
export function maximum(a: Value, b: Value): Value {
  return binary("Max", a, b, (g) => {
    const first = greaterOrEqual(a, b);
    const zero = a.graph.scalar(0);
    return [where(first, g, zero), where(first, zero, g)];
  });
}

/** The smaller of a and b; at a tie the derivative goes to a. */
export function minimum(a: Value, b: Value): Value {
  return binary("Min", a, b, (g) => {
    const first = greaterOrEqual(b, a);
    const zero = a.graph.scalar(0);
    return [where(first, g, zero), where(first, zero, g)];
  });
}

/** x limited to [low, high]; derivative 1 inside, ends included, as in PyTorch. */
export function clip(x: Value, low: number, high: number): Value {
  const { graph } = x;
  const lower = graph.scalar(low);
  const upper = graph.scalar(high);
  return graph.node("Clip", [x, lower, upper], [{ type: x.type, shape: x.shape }], {
    vjp: ([g]) => {
      const zero = graph.scalar(0);
      return [
        where(greaterOrEqual(x, lower), where(greaterOrEqual(upper, x), g as Value, zero), zero),
        null,
        null,
      ];
    },
  })[0] as Value;
}

/** silu(gate) * up, the SwiGLU product. */
export function swiglu(gate: Value, up: Value): Value {
  const { graph } = gate;
  const shape = broadcastShapes(gate.shape, up.shape);
  const gated = graph.node("QuickGelu", [gate], [{ type: gate.type, shape: gate.shape }], {
    domain: "com.microsoft",
    attributes: { alpha: { float: 1 } },
    vjp: ([g]) => {
      // silu'(x) = s + silu(x) (1 - s); recomputing s is cheaper than keeping it.
      const s = sigmoid(gate);
      const slope = add(s, subtract(gated, multiply(gated, s)));
      return [multiply(g as Value, slope)];
    },
  })[0] as Value;
  if (!sameShape(shape, gate.shape)) throw new TypeError("swiglu: gate and up differ in shape");
  return multiply(gated, up);
}
