/**
 * Merges two checkpoints of one architecture, `theta = alpha * base + (1 - alpha) * other`, tensor by tensor, so that
 * models larger than memory can be merged. alpha 1 is the base and alpha 0 the other, byte for byte.
 * Any architecture: only names, shapes and element types have to agree, and the keys that give the numbers a meaning.
 * Source: recipe B13.
 */
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { writeFolderAtomic } from "../data/atomic.ts";
import { CheckpointError, ConfigError, InterruptedError } from "../errors.ts";
import { TOKENIZER_FILES } from "./checkpoint-folder.ts";
import { isFloatDType } from "./dtype.ts";
import { mergeBytes } from "./merge-kernel.ts";
import { readSafetensorsHeader } from "./safetensors.ts";
import { elementCount, type TensorEntry } from "./safetensors-header.ts";
import { writeSafetensorsPieces } from "./safetensors-write.ts";
import {
  type FolderReader,
  openTensorFolder,
  readCheckpointJson,
  readTensorFolder,
} from "./tensor-folder.ts";

/** 8 MiB: large enough for full disk speed, small enough that two of them stay out of the way of the page cache. */
const PIECE_BYTES = 2 ** 23;

/** Keys of config.json that decide what equal weights compute. */
const DECISIVE_KEYS = [
  "architectures",
  "model_type",
  "num_attention_heads",
  "num_key_value_heads",
  "head_dim",
  "rms_norm_eps",
  "tie_word_embeddings",
  "num_experts_per_tok",
] as const;

export interface MergeOptions {
  /** Checkpoint folder with weight `alpha`; its configuration and tokenizer are kept. */
  base: string;
  /** Checkpoint folder with weight `1 - alpha`. */
  other: string;
  /** Weight of the base, 0..1. */
  alpha: number;
  /** Folder to write; replaced when it exists. */
  output: string;
  /** Looked at between files. */
  signal?: AbortSignal;
  /** Elements merged so far, and in all. */
  onProgress?: (done: number, total: number) => void;
}

export interface MergeResult {
  tensors: number;
  elements: number;
  files: number;
}

/** Refuses folders whose weights do not mean the same. */
function checkConfigs(base: string, other: string): Record<string, unknown> {
  const read = (folder: string): Record<string, unknown> => {
    const path = join(folder, "config.json");
    const json = readCheckpointJson(path);
    if (typeof json !== "object" || json === null || Array.isArray(json))
      throw new CheckpointError(`${path}: expected a JSON object`, { details: { file: path } });
    return json as Record<string, unknown>;
  };
  const [left, right] = [read(base), read(other)];
  const theta = (config: Record<string, unknown>): unknown =>
    config["rope_theta"] ??
    (config["rope_parameters"] as Record<string, unknown> | null | undefined)?.["rope_theta"];
  const facts = (config: Record<string, unknown>): [string, unknown][] => [
    ...DECISIVE_KEYS.map((key): [string, unknown] => [key, config[key]]),
    ["rope_theta", theta(config)],
  ];
  const others = new Map(facts(right));
  for (const [key, value] of facts(left))
    if (JSON.stringify(value) !== JSON.stringify(others.get(key)))
      throw new CheckpointError(
        `cannot merge ${base} and ${other}: ${key} is ${JSON.stringify(value)} in one and ${JSON.stringify(others.get(key))} in the other`,
      );
  return left;
}

/** Refuses tensor lists that differ in a name, a shape or an element type. */
function checkTensors(
  base: ReadonlyMap<string, TensorEntry>,
  other: ReadonlyMap<string, TensorEntry>,
  folders: { base: string; other: string },
): void {
  for (const [name, { dtype, shape, path }] of base) {
    const match = other.get(name);
    if (match === undefined)
      throw new CheckpointError(`${folders.other}: no tensor "${name}", which ${folders.base} has`, {
        details: { file: folders.other, tensor: name },
      });
    if (match.dtype !== dtype || match.shape.join() !== shape.join())
      throw new CheckpointError(
        `tensor "${name}": ${dtype} [${shape}] in ${path}, ${match.dtype} [${match.shape}] in ${match.path}`,
        { details: { file: match.path, tensor: name } },
      );
  }
  for (const name of other.keys())
    if (!base.has(name))
      throw new CheckpointError(`${folders.base}: no tensor "${name}", which ${folders.other} has`, {
        details: { file: folders.base, tensor: name },
      });
}

/** Tensors of a folder; a head stored although it is tied to the embedding is left out, so it is merged once. */
function tensorsOf(folder: string, tied: boolean): Map<string, TensorEntry> {
  const tensors = readTensorFolder(folder);
  if (tied && tensors.has("model.embed_tokens.weight")) tensors.delete("lm_head.weight");
  return tensors;
}

/** Yields the merged bytes of one tensor; the yielded buffer is reused. */
function* mergeTensor(
  left: { reader: FolderReader; entry: TensorEntry },
  right: { reader: FolderReader; entry: TensorEntry },
  alpha: number,
): Iterable<Uint8Array> {
  const { name, dtype, bytes } = left.entry;
  const length = Math.min(PIECE_BYTES, bytes);
  const base = new Uint8Array(length);
  const other = new Uint8Array(length);
  const float = isFloatDType(dtype);
  for (let start = 0; start < bytes; start += length) {
    const count = Math.min(length, bytes - start);
    const a = base.subarray(0, count);
    const b = other.subarray(0, count);
    left.reader.read(left.entry, a, start);
    right.reader.read(right.entry, b, start);
    if (float && alpha !== 0 && alpha !== 1) {
      if (!mergeBytes(dtype, a, b, alpha))
        throw new CheckpointError(
          `tensor "${name}": infinite or not a number in ${left.entry.path} or ${right.entry.path}`,
          { details: { tensor: name } },
        );
    } else if (!float && Buffer.compare(a, b) !== 0)
      throw new CheckpointError(
        `tensor "${name}": ${dtype} values are not merged and must be equal, but differ between ${left.entry.path} and ${right.entry.path}`,
        { details: { tensor: name } },
      );
    yield float && alpha === 0 ? b : a;
  }
}

/**
 * Merges two checkpoint folders into a third, which has the files of the base and is complete or absent.
 * @throws {ConfigError} when alpha is not in 0..1 or the output is one of the inputs
 * @throws {CheckpointError} when the checkpoints do not match, differ in a tensor that is not a float, or hold a value
 * that is not finite
 * @throws {InterruptedError} when the signal fires
 */
export async function mergeCheckpoints(options: MergeOptions): Promise<MergeResult> {
  const { base, other, alpha, output } = options;
  if (!(alpha >= 0 && alpha <= 1)) throw new ConfigError(`merge alpha: expected 0..1, got ${alpha}`);
  if ([base, other].some((folder) => resolve(folder) === resolve(output)))
    throw new ConfigError(`merge output: expected a folder of its own, got an input: ${output}`);
  const config = checkConfigs(base, other);
  const tied = config["tie_word_embeddings"] === true;
  const left = tensorsOf(base, tied);
  const right = tensorsOf(other, tied);
  checkTensors(left, right, { base, other });

  const byFile = new Map<string, TensorEntry[]>();
  let total = 0;
  for (const entry of left.values()) {
    const entries = byFile.get(entry.path);
    if (entries === undefined) byFile.set(entry.path, [entry]);
    else entries.push(entry);
    total += elementCount(entry.shape);
  }
  const readers = { left: openTensorFolder(), right: openTensorFolder() };
  let done = 0;
  try {
    await writeFolderAtomic(output, async (partial) => {
      for (const [path, entries] of byFile) {
        // Lets a key press or a signal through; a file of a few GB takes seconds.
        await new Promise<void>((next) => setImmediate(next));
        if (options.signal?.aborted) throw new InterruptedError(`merge into ${output} stopped`);
        writeSafetensorsPieces(
          join(partial, basename(path)),
          entries,
          function* ({ name, shape }) {
            const [a, b] = [left.get(name)!, right.get(name)!];
            yield* mergeTensor(
              { reader: readers.left, entry: a },
              { reader: readers.right, entry: b },
              alpha,
            );
            done += elementCount(shape);
            options.onProgress?.(done, total);
          },
          readSafetensorsHeader(path).metadata,
        );
      }
      writeSidecars(base, partial, left);
    });
  } finally {
    readers.left.close();
    readers.right.close();
  }
  return { tensors: left.size, elements: total, files: byFile.size };
}

/** Configuration, tokenizer and, for several files, the index. */
function writeSidecars(base: string, output: string, tensors: ReadonlyMap<string, TensorEntry>): void {
  for (const name of ["config.json", "generation_config.json", ...TOKENIZER_FILES])
    if (existsSync(join(base, name))) copyFileSync(join(base, name), join(output, name));
  const files = new Set([...tensors.values()].map((entry) => basename(entry.path)));
  if (files.size <= 1) return;
  const index = {
    metadata: { total_size: [...tensors.values()].reduce((sum, entry) => sum + entry.bytes, 0) },
    weight_map: Object.fromEntries([...tensors].map(([name, entry]) => [name, basename(entry.path)])),
  };
  writeFileSync(join(output, "model.safetensors.index.json"), `${JSON.stringify(index, null, 2)}\n`);
}
