/**
 * The tensors of a checkpoint folder, whether in one `model.safetensors` or in shards named by
 * `model.safetensors.index.json`. Only headers are read here.
 * Source: transformers `save_pretrained` file layout.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile } from "../data/json-file.ts";
import { CheckpointError } from "../errors.ts";
import { openSafetensors, readSafetensorsHeader, type TensorReader } from "./safetensors.ts";
import type { TensorEntry } from "./safetensors-header.ts";

const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";

/** The largest published checkpoints have a few hundred shards. */
const MAX_SHARDS = 10_000;

/** Reads a JSON file of a checkpoint folder. @throws {CheckpointError} when it is missing, too large, or not JSON */
export function readCheckpointJson(path: string): unknown {
  return readJsonFile(path, {
    kind: "checkpoint",
    hint: "a checkpoint folder has config.json, model.safetensors and tokenizer.json",
  });
}

/** Shards of an index and which tensors it promises in each. */
function parseIndex(path: string): Map<string, Set<string>> {
  const json = readCheckpointJson(path) as { weight_map?: unknown } | null;
  const map = json?.weight_map;
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new CheckpointError(`${path}: weight_map: expected an object`, { details: { file: path } });
  const shards = new Map<string, Set<string>>();
  for (const [tensor, file] of Object.entries(map)) {
    // A shard lies beside its index: a name with a separator would read files elsewhere on the machine.
    if (typeof file !== "string" || !/^[^/\\\0]{1,200}\.safetensors$/.test(file))
      throw new CheckpointError(
        `${path}: tensor "${tensor}": expected the name of a .safetensors file beside the index, got ${JSON.stringify(file)?.slice(0, 80)}`,
        { details: { file: path, tensor } },
      );
    const names = shards.get(file) ?? new Set();
    shards.set(file, names.add(tensor));
    if (shards.size > MAX_SHARDS)
      throw new CheckpointError(`${path}: names more than ${MAX_SHARDS} shards`, { details: { file: path } });
  }
  return shards;
}

/**
 * Every tensor of a checkpoint folder by name, in file order.
 * @throws {CheckpointError} when there is no safetensors file, a shard is missing or defective, or the index and the
 * shards do not name the same tensors
 */
export function readTensorFolder(folder: string): Map<string, TensorEntry> {
  const indexPath = join(folder, INDEX_FILE);
  if (existsSync(join(folder, SINGLE_FILE)) || !existsSync(indexPath))
    return readSafetensorsHeader(join(folder, SINGLE_FILE)).tensors;
  const tensors = new Map<string, TensorEntry>();
  for (const [file, names] of parseIndex(indexPath)) {
    const header = readSafetensorsHeader(join(folder, file));
    for (const name of names)
      if (!header.tensors.has(name))
        throw new CheckpointError(`${header.path}: no tensor "${name}", which ${INDEX_FILE} places there`, {
          details: { file: header.path, tensor: name },
        });
    for (const [name, entry] of header.tensors) {
      if (!names.has(name))
        throw new CheckpointError(`${header.path}: tensor "${name}" is not in ${INDEX_FILE}`, {
          details: { file: header.path, tensor: name },
        });
      tensors.set(name, entry);
    }
  }
  return tensors;
}

/** Reads tensors of several files; at most one file stays open. */
export interface FolderReader {
  /** Fills `target` from the tensor's byte `from`. @throws {CheckpointError} when the file ends early */
  read(entry: TensorEntry, target: Uint8Array, from?: number): void;
  close(): void;
}

/** Opens a reader for the entries of `readTensorFolder`. */
export function openTensorFolder(): FolderReader {
  let open: TensorReader | undefined;
  return {
    read(entry, target, from = 0) {
      if (open?.header.path !== entry.path) {
        open?.close();
        open = undefined;
        open = openSafetensors(entry.path);
      }
      open.read(entry, target, from);
    },
    close() {
      open?.close();
      open = undefined;
    },
  };
}
