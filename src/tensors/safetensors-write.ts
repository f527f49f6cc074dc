/**
 * Writing safetensors files, whole or piece by piece, atomically. Equal input gives equal bytes.
 * Source: github.com/huggingface/safetensors, "Format".
 */
import { writePiecesAtomic } from "../data/atomic.ts";
import { DTYPE_BYTES } from "./dtype.ts";
import { elementCount, MAX_RANK, type Tensor, type TensorSpecification } from "./safetensors-header.ts";

/** What transformers looks for before it loads a file as PyTorch weights. */
export const PYTORCH_METADATA: Readonly<Record<string, string>> = { format: "pt" };

/** Bytes of a tensor. */
function byteLength(tensor: TensorSpecification): number {
  return elementCount(tensor.shape) * DTYPE_BYTES[tensor.dtype];
}

/**
 * Order in the file: wide elements first, otherwise as given. The data start on a multiple of 8, so every tensor is
 * aligned to its element size and can be mapped without a copy.
 */
function fileOrder<Item extends TensorSpecification>(tensors: readonly Item[]): Item[] {
  return [...tensors].sort((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
}

/** Length prefix and JSON header for tensors in this order, padded with spaces to a multiple of 8. */
function encodeHeader(
  tensors: readonly TensorSpecification[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const names = new Set<string>();
  let offset = 0;
  const parts = [`"__metadata__":${JSON.stringify(metadata)}`];
  for (const tensor of tensors) {
    if (names.has(tensor.name) || tensor.name === "__metadata__")
      throw new TypeError(`tensor "${tensor.name}": names must be unique and not __metadata__`);
    if (
      tensor.shape.length > MAX_RANK ||
      !tensor.shape.every((size) => Number.isSafeInteger(size) && size >= 0)
    )
      throw new TypeError(`tensor "${tensor.name}": shape [${tensor.shape}] cannot be stored`);
    names.add(tensor.name);
    const end = offset + byteLength(tensor);
    const entry = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    parts.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = Buffer.from(`{${parts.join(",")}}`, "utf8");
  const length = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + length, " ");
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, 8);
  return header;
}

/**
 * Writes a file whose tensors are produced one after another, so that it may be larger than memory.
 *
 * @param produce yields the bytes of one tensor in any number of pieces; called in file order. A piece may be reused
 *   once the next is asked for
 * @throws {TypeError} for repeated names, or when `produce` yields another number of bytes than the shape has
 * @throws {StoreError} when the file cannot be written; nothing half written stays
 */
export function writeSafetensorsPieces(
  path: string,
  tensors: readonly TensorSpecification[],
  produce: (tensor: TensorSpecification) => Iterable<Uint8Array>,
  metadata: Readonly<Record<string, string>> = PYTORCH_METADATA,
): void {
  const ordered = fileOrder(tensors);
  function* pieces(): Iterable<Uint8Array> {
    yield encodeHeader(ordered, metadata);
    for (const tensor of ordered) {
      let bytes = 0;
      for (const piece of produce(tensor)) {
        bytes += piece.byteLength;
        yield piece;
      }
      if (bytes !== byteLength(tensor))
        throw new TypeError(`tensor "${tensor.name}": expected ${byteLength(tensor)} bytes, got ${bytes}`);
    }
  }
  writePiecesAtomic(path, pieces());
}

/**
 * Writes tensors held in memory.
 * @throws {TypeError} for repeated names or data that do not fit the shape
 * @throws {StoreError} when the file cannot be written; nothing half written stays
 */
export function writeSafetensors(
  path: string,
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = PYTORCH_METADATA,
): void {
  const data = new Map(tensors.map((tensor) => [tensor.name, tensor.data]));
  writeSafetensorsPieces(path, tensors, (tensor) => [data.get(tensor.name)!], metadata);
}
