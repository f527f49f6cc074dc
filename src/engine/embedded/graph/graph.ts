/**
 * A typed tensor graph: values with element type and shape, nodes with an optional vector-Jacobian product.
 * Shapes are checked while the graph is built; sizes that vary from batch to batch are names ("rows", "batch"),
 * so one session serves every batch. Execution belongs to ONNX Runtime, differentiation to autodiff.ts.
 */
import {
  type AttributeValue,
  type ElementType,
  encodeOnnxModel,
  type OnnxTensor,
  type OnnxValueInfo,
} from "./onnx-proto.ts";

/** A fixed size, or the name of a size known only when the graph runs. */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** One tensor in a graph. */
export interface Value {
  readonly graph: Graph;
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** Gradients of a node's inputs from those of its outputs; null where none flows. */
export type VectorJacobianProduct = (gradients: readonly (Value | null)[]) => (Value | null)[];

export interface GraphNode {
  operator: string;
  domain: string;
  inputs: readonly Value[];
  outputs: readonly Value[];
  attributes: Record<string, AttributeValue>;
  vjp: VectorJacobianProduct | null;
}

export interface NodeOptions {
  domain?: string;
  attributes?: Record<string, AttributeValue>;
  vjp?: VectorJacobianProduct;
}

/** `[2, rows, 96]` for messages. */
export function describeShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** a + b; a name when one of them is a name. */
export function addDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return `${a}+${b}`;
}

/** a * b; a name when one of them is a name. */
export function multiplyDimensions(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return `${a}*${b}`;
}

/** Builder and container of one graph. */
export class Graph {
  readonly name: string;
  readonly nodes: GraphNode[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: { name: string; value: Value }[] = [];
  readonly #constants: OnnxTensor[] = [];
  readonly #constantByKey = new Map<string, Value>();
  #counter = 0;

  constructor(name: string) {
    this.name = name;
  }

  #value(name: string, type: ElementType, shape: Shape): Value {
    return { graph: this, name, type, shape };
  }

  /** A tensor fed at every run. @throws {TypeError} when the name is taken */
  input(name: string, type: ElementType, shape: Shape): Value {
    if (this.inputs.some((value) => value.name === name))
      throw new TypeError(`graph input "${name}" exists already`);
    const value = this.#value(name, type, shape);
    this.inputs.push(value);
    return value;
  }

  #constant(
    type: ElementType,
    shape: readonly number[],
    array: Float32Array | Int32Array | BigInt64Array,
  ): Value {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const key = `${type}/${shape.join("x")}/${bytes.length <= 64 ? bytes.join(",") : `#${this.#counter++}`}`;
    const known = this.#constantByKey.get(key);
    if (known) return known;
    const value = this.#value(`constant_${this.#counter++}`, type, shape);
    this.#constants.push({ name: value.name, type, shape, bytes: bytes.slice() });
    this.#constantByKey.set(key, value);
    return value;
  }

  /** A float32 scalar baked into the graph. */
  scalar(value: number): Value {
    return this.#constant("float32", [], Float32Array.of(value));
  }

  floats(values: Float32Array, shape: readonly number[] = [values.length]): Value {
    return this.#constant("float32", shape, values);
  }

  int32(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant("int32", shape, Int32Array.from(values));
  }

  int64(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant("int64", shape, BigInt64Array.from(values, BigInt));
  }

  /** Appends a node and returns its outputs, one per given type and shape. */
  node(
    operator: string,
    inputs: readonly Value[],
    outputs: readonly { type: ElementType; shape: Shape }[],
    options: NodeOptions = {},
  ): Value[] {
    for (const input of inputs)
      if (input.graph !== this)
        throw new TypeError(`${operator}: input "${input.name}" belongs to another graph`);
    const values = outputs.map(({ type, shape }) => this.#value(`v${this.#counter++}`, type, shape));
    this.nodes.push({
      operator,
      domain: options.domain ?? "",
      inputs,
      outputs: values,
      attributes: options.attributes ?? {},
      vjp: options.vjp ?? null,
    });
    return values;
  }

  /** Names a value as a result of the graph. */
  output(name: string, value: Value): void {
    this.outputs.push({ name, value });
  }

  /** ONNX bytes of the nodes that the outputs need, in order; nothing unused is kept. */
  encode(): Uint8Array {
    const needed = new Set(this.outputs.map(({ value }) => value.name));
    const kept: GraphNode[] = [];
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output.name))) continue;
      for (const input of node.inputs) needed.add(input.name);
      kept.push(node);
    }
    kept.reverse();
    // A result takes its output name where it is made; a result that is an input or has two names is copied instead.
    const made = new Set(kept.flatMap((node) => node.outputs.map((output) => output.name)));
    const outputNames = new Map<string, string>();
    const copies: { name: string; value: Value }[] = [];
    for (const output of this.outputs) {
      const { name, value } = output;
      if (made.has(value.name) && !outputNames.has(value.name)) outputNames.set(value.name, name);
      else copies.push(output);
    }
    const nameOf = (value: Value): string => outputNames.get(value.name) ?? value.name;
    const info = (value: Value): OnnxValueInfo => ({
      name: value.name,
      type: value.type,
      shape: value.shape,
    });
    return encodeOnnxModel({
      name: this.name,
      nodes: [
        ...kept.map((node) => ({
          operator: node.operator,
          domain: node.domain,
          inputs: node.inputs.map(nameOf),
          // Unused results keep their names: some operators read outside their outputs when one is left out.
          outputs: node.outputs.map(nameOf),
          attributes: node.attributes,
        })),
        ...copies.map(({ name, value }) => ({
          operator: "Identity",
          domain: "",
          inputs: [nameOf(value)],
          outputs: [name],
          attributes: {},
        })),
      ],
      constants: this.#constants.filter((tensor) => needed.has(tensor.name)),
      inputs: this.inputs.filter((value) => needed.has(value.name)).map(info),
      outputs: this.outputs.map(({ name, value }) => ({ ...info(value), name })),
    });
  }

  /** Names of the inputs that the outputs depend on; the others must not be fed. */
  requiredInputs(): Set<string> {
    const needed = new Set(this.outputs.map(({ value }) => value.name));
    for (const node of this.nodes.toReversed())
      if (node.outputs.some((output) => needed.has(output.name)))
        for (const input of node.inputs) needed.add(input.name);
    return new Set(this.inputs.filter((value) => needed.has(value.name)).map((value) => value.name));
  }
}
