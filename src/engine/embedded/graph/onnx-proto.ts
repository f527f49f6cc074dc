/**
 * Writes the few ONNX messages a graph needs as protocol-buffer bytes: ModelProto, GraphProto, NodeProto,
 * AttributeProto, TensorProto, ValueInfoProto. Writing only; no reader, no dependency.
 * Source: onnx/onnx.proto3, field numbers as published (IR version 8).
 */

/** Growing list of byte chunks with protocol-buffer primitives. */
class MessageWriter {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  #push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  #varint(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 0x80 : low);
    } while (rest > 0n);
    this.#push(Uint8Array.from(bytes));
  }

  integer(field: number, value: number | bigint): this {
    this.#varint(field << 3);
    this.#varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << 3) | 2);
    this.#varint(value.length);
    this.#push(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, build: (writer: MessageWriter) => void): this {
    const inner = new MessageWriter();
    build(inner);
    return this.bytes(field, inner.finish());
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const chunk of this.#chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }
}

/** Element types used by the graphs, as TensorProto.DataType numbers. */
export const ELEMENT_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

export type ElementType = keyof typeof ELEMENT_TYPE;

/** Attribute values: integers, one float (wrapped, so that 1 is not read as an integer), integer lists. */
export type AttributeValue = number | { float: number } | readonly number[] | string;

export interface OnnxNode {
  operator: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, AttributeValue>;
}

export interface OnnxTensor {
  name: string;
  type: ElementType;
  shape: readonly number[];
  /** Little-endian element bytes. */
  bytes: Uint8Array;
}

export interface OnnxValueInfo {
  name: string;
  type: ElementType;
  /** Numbers are fixed sizes, strings are named sizes bound when the session runs. */
  shape: readonly (number | string)[];
}

export interface OnnxGraph {
  name: string;
  nodes: OnnxNode[];
  constants: OnnxTensor[];
  inputs: OnnxValueInfo[];
  outputs: OnnxValueInfo[];
}

function writeAttribute(writer: MessageWriter, name: string, value: AttributeValue): void {
  writer.text(1, name);
  if (typeof value === "number") writer.integer(3, value).integer(20, 2);
  else if (typeof value === "string") writer.text(4, value).integer(20, 3);
  else if (Array.isArray(value)) {
    for (const item of value as readonly number[]) writer.integer(8, item);
    writer.integer(20, 7);
  } else writer.float(2, (value as { float: number }).float).integer(20, 1);
}

function writeValueInfo(writer: MessageWriter, info: OnnxValueInfo): void {
  writer.text(1, info.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.integer(1, ELEMENT_TYPE[info.type]).message(2, (shape) => {
        for (const size of info.shape)
          shape.message(1, (dimension) =>
            typeof size === "number" ? dimension.integer(1, size) : dimension.text(2, size),
          );
      }),
    ),
  );
}

/** Bytes of a ModelProto that ONNX Runtime loads; operator set 17 and the com.microsoft contrib operators. */
export function encodeOnnxModel(graph: OnnxGraph): Uint8Array {
  return new MessageWriter()
    .integer(1, 8)
    .text(2, "polaris")
    .message(7, (writer) => {
      for (const node of graph.nodes)
        writer.message(1, (message) => {
          for (const input of node.inputs) message.text(1, input);
          for (const output of node.outputs) message.text(2, output);
          message.text(4, node.operator);
          for (const [name, value] of Object.entries(node.attributes))
            message.message(5, (attribute) => writeAttribute(attribute, name, value));
          if (node.domain !== "") message.text(7, node.domain);
        });
      writer.text(2, graph.name);
      for (const tensor of graph.constants)
        writer.message(5, (message) => {
          for (const size of tensor.shape) message.integer(1, size);
          message.integer(2, ELEMENT_TYPE[tensor.type]).text(8, tensor.name).bytes(9, tensor.bytes);
        });
      for (const info of graph.inputs) writer.message(11, (message) => writeValueInfo(message, info));
      for (const info of graph.outputs) writer.message(12, (message) => writeValueInfo(message, info));
    })
    .message(8, (opset) => opset.text(1, "").integer(2, 17))
    .message(8, (opset) => opset.text(1, "com.microsoft").integer(2, 1))
    .finish();
}
