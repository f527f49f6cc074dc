/**
 * The JSON header of a safetensors file: parsing and every check on it. Files come from strangers, so the header is
 * checked in full before a byte of data is read, and each limit has a reason. No input or output here.
 * Source: github.com/huggingface/safetensors, "Format"; limits follow its reference reader where it has one.
 */
import { CheckpointError } from "../errors.ts";
import { DTYPE_BYTES, type DType, isDType } from "./dtype.ts";

/** 100 MB: the reference reader's limit; a header of a million tensors stays below it. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The largest open mixture-of-experts checkpoints have about 50 thousand tensors. */
export const MAX_TENSORS = 1_000_000;
/** Language models use 1 to 3 dimensions, video models 5. */
export const MAX_RANK = 8;
/** The largest real dimension is a vocabulary, below 2^20. */
export const MAX_DIMENSION = 2 ** 32;

/** Where one tensor lies in its file. */
export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: number[];
  /** File that holds it. */
  path: string;
  /** First byte, counted from the start of the file. */
  offset: number;
  /** Length in bytes: elements times bytes per element. */
  bytes: number;
}

/** A checked header. `tensors` is ordered by offset. */
export interface SafetensorsHeader {
  path: string;
  metadata: Record<string, string>;
  tensors: Map<string, TensorEntry>;
  fileBytes: number;
}

/** Name, element type and shape: what a tensor is without its values. */
export interface TensorSpecification {
  name: string;
  dtype: DType;
  shape: readonly number[];
}

/** A tensor in memory; `data` holds little-endian elements in row-major order. */
export interface Tensor extends TensorSpecification {
  data: Uint8Array;
}

/** Elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** One line naming file, tensor and offset; the three facts are also in `details`. */
export function corrupt(
  path: string,
  message: string,
  details: Record<string, unknown> = {},
): CheckpointError {
  return new CheckpointError(`${path}: ${message}`, {
    hint: "the file is damaged, incomplete or no safetensors file: copy or download it again",
    details: { file: path, ...details },
  });
}

/** `[begin, end]` of a header entry, relative to the data, or null when malformed. */
function dataOffsets(value: unknown): [number, number] | null {
  if (!Array.isArray(value) || value.length !== 2) return null;
  const [begin, end] = value as unknown[];
  return Number.isSafeInteger(begin) && Number.isSafeInteger(end) && (begin as number) >= 0
    ? [begin as number, end as number]
    : null;
}

/** Checks one header entry against its own shape and the end of the file. */
function parseEntry(path: string, name: string, value: unknown, start: number, end: number): TensorEntry {
  const fail = (message: string): CheckpointError =>
    corrupt(path, `tensor "${name}": ${message}`, { tensor: name });
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail("expected an object");
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (!isDType(dtype))
    throw fail(`dtype: expected one of ${Object.keys(DTYPE_BYTES).join(" ")}, got ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || shape.length > MAX_RANK)
    throw fail(`shape: expected at most ${MAX_RANK} dimensions, got ${JSON.stringify(shape)?.slice(0, 80)}`);
  for (const dimension of shape as unknown[])
    if (
      !Number.isSafeInteger(dimension) ||
      (dimension as number) < 0 ||
      (dimension as number) > MAX_DIMENSION
    )
      throw fail(`shape: expected dimensions of 0..2^32, got ${JSON.stringify(shape).slice(0, 80)}`);
  const range = dataOffsets(offsets);
  if (range === null)
    throw fail(`data_offsets: expected [begin, end], got ${JSON.stringify(offsets)?.slice(0, 80)}`);
  const [from, to] = range;
  const offset = start + from;
  const bytes = elementCount(shape as number[]) * DTYPE_BYTES[dtype];
  if (!Number.isSafeInteger(bytes)) throw fail(`shape: ${JSON.stringify(shape)} is too large to address`);
  if (to - from !== bytes)
    throw fail(`expected ${bytes} bytes for ${dtype} [${shape}], got ${to - from} (offset ${offset})`);
  if (start + to > end) throw fail(`ends at byte ${start + to}, the file at ${end} (offset ${offset})`);
  return { name, dtype, shape: shape as number[], path, offset, bytes };
}

/**
 * Header text to a checked header.
 *
 * @param start first data byte, counted from the start of the file
 * @throws {CheckpointError} naming file, tensor and offset of the first defect
 */
export function parseHeader(path: string, text: string, start: number, fileBytes: number): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(path, `header is not JSON: ${(cause as Error).message.slice(0, 120)}`, { offset: 8 });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw corrupt(path, "header: expected a JSON object", { offset: 8 });
  const metadata: Record<string, string> = {};
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name !== "__metadata__") {
      if (entries.length >= MAX_TENSORS) throw corrupt(path, `header names more than ${MAX_TENSORS} tensors`);
      entries.push(parseEntry(path, name, value, start, fileBytes));
      continue;
    }
    if (typeof value !== "object" || value === null) throw corrupt(path, "__metadata__: expected an object");
    for (const [key, item] of Object.entries(value)) {
      if (typeof item !== "string") throw corrupt(path, `__metadata__.${key}: expected a string`);
      metadata[key] = item;
    }
  }
  entries.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  // Gaps are refused like overlaps, as the reference reader does: bytes nobody names can smuggle another format.
  let next = start;
  for (const entry of entries) {
    if (entry.offset !== next)
      throw corrupt(
        path,
        `tensor "${entry.name}": starts at byte ${entry.offset}, expected ${next} ` +
          `(${entry.offset < next ? "overlaps the tensor before it" : "bytes before it belong to no tensor"})`,
        { tensor: entry.name, offset: entry.offset },
      );
    next += entry.bytes;
  }
  if (next !== fileBytes)
    throw corrupt(path, `tensors end at byte ${next}, the file at ${fileBytes}`, { offset: next });
  return { path, metadata, tensors: new Map(entries.map((entry) => [entry.name, entry])), fileBytes };
}
