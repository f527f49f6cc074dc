/**
 * Reading safetensors files: 8 bytes header length, a JSON header, then the tensors' bytes without gaps.
 * Nothing here knows what the tensors mean; the header's checks are in `safetensors-header.ts`.
 * Source: github.com/huggingface/safetensors, "Format".
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CheckpointError } from "../errors.ts";
import { toFloat32 } from "./dtype.ts";
import {
  corrupt,
  MAX_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type Tensor,
  type TensorEntry,
} from "./safetensors-header.ts";

export type { SafetensorsHeader, Tensor, TensorEntry } from "./safetensors-header.ts";

/** float32 values of a float tensor, shape [elements]. @throws {TypeError} when it holds no floats */
export function tensorToFloat32(tensor: Tensor): Float32Array {
  return toFloat32(tensor.dtype, tensor.data);
}

/** Opens for reading; a missing or unreadable file is a CheckpointError like any other defect. */
function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? "no such file" : `cannot be opened (${code})`;
    throw new CheckpointError(`${path}: ${reason}`, { cause, details: { file: path } });
  }
}

/** Fills `target` from `offset`; read(2) may return less than asked. */
function readFully(file: number, path: string, target: Uint8Array, offset: number): void {
  // 2^30: one read(2) call takes at most 2^31 - 4096 bytes on Linux.
  const limit = 2 ** 30;
  let done = 0;
  while (done < target.length) {
    let count: number;
    try {
      count = readSync(file, target, done, Math.min(target.length - done, limit), offset + done);
    } catch (cause) {
      throw new CheckpointError(`${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
        details: { file: path },
      });
    }
    if (count === 0)
      throw corrupt(path, `ends at byte ${offset + done}, expected ${offset + target.length}`, {
        offset: offset + done,
      });
    done += count;
  }
}

/** Reads and checks the header of an open file. */
function headerOf(file: number, path: string): SafetensorsHeader {
  const fileBytes = fstatSync(file).size;
  if (fileBytes < 10) throw corrupt(path, `expected at least 10 bytes, got ${fileBytes}`, { offset: 0 });
  const prefix = new DataView(new ArrayBuffer(8));
  readFully(file, path, new Uint8Array(prefix.buffer), 0);
  const length = Number(prefix.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length < 2)
    throw corrupt(path, `header length: expected 2..${MAX_HEADER_BYTES} bytes, got ${length}`, { offset: 0 });
  if (8 + length > fileBytes)
    throw corrupt(path, `header ends at byte ${8 + length}, the file at ${fileBytes}`, { offset: 8 });
  const header = new Uint8Array(length);
  readFully(file, path, header, 8);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(header);
  } catch {
    throw corrupt(path, "header is not UTF-8", { offset: 8 });
  }
  return parseHeader(path, text, 8 + length, fileBytes);
}

/**
 * Reads and checks the header; no tensor data is read.
 * @throws {CheckpointError} naming file, tensor and offset of the first defect
 */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  const file = openForReading(path);
  try {
    return headerOf(file, path);
  } finally {
    closeSync(file);
  }
}

/** Opened tensor data: `read` fills `target` from the tensor's byte `from`. */
export interface TensorReader {
  readonly header: SafetensorsHeader;
  /** @throws {CheckpointError} when the file ends early; {RangeError} when the range leaves the tensor */
  read(entry: TensorEntry, target: Uint8Array, from?: number): void;
  close(): void;
}

/** Opens a file for piecewise reads. @throws {CheckpointError} as `readSafetensorsHeader` */
export function openSafetensors(path: string): TensorReader {
  const file = openForReading(path);
  let header: SafetensorsHeader;
  try {
    header = headerOf(file, path);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return {
    header,
    read(entry, target, from = 0) {
      if (from < 0 || from + target.length > entry.bytes)
        throw new RangeError(
          `tensor "${entry.name}": bytes ${from}..${from + target.length} of ${entry.bytes}`,
        );
      readFully(file, path, target, entry.offset + from);
    },
    close: () => closeSync(file),
  };
}

/**
 * Reads tensors into memory, in file order.
 *
 * @param names only these; all when left out
 * @throws {CheckpointError} for a defective file or a name that is not in it
 */
export function readTensors(path: string, names?: readonly string[]): Map<string, Tensor> {
  const reader = openSafetensors(path);
  try {
    const wanted = names === undefined ? undefined : new Set(names);
    for (const name of wanted ?? [])
      if (!reader.header.tensors.has(name))
        throw new CheckpointError(`${path}: no tensor "${name}"`, { details: { file: path, tensor: name } });
    const tensors = new Map<string, Tensor>();
    for (const [name, entry] of reader.header.tensors) {
      if (wanted !== undefined && !wanted.has(name)) continue;
      const data = new Uint8Array(entry.bytes);
      reader.read(entry, data);
      tensors.set(name, { name, dtype: entry.dtype, shape: entry.shape, data });
    }
    return tensors;
  } finally {
    reader.close();
  }
}
