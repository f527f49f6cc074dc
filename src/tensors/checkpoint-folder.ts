/**
 * Hugging Face checkpoint folders of a Qwen3 model: config.json, model.safetensors, generation_config.json and the
 * tokenizer's files. Parameters are one flat float32 vector in the order of `qwen3ParameterShapes`, so that an engine,
 * an optimiser and a reference copy share one layout.
 * Source: transformers `from_pretrained` / `save_pretrained` file layout.
 */
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFolderAtomic } from "../data/atomic.ts";
import { CheckpointError } from "../errors.ts";
import type { Json } from "../types.ts";
import { isFloatDType, toFloat32 } from "./dtype.ts";
import {
  type ParameterShape,
  parseQwen3Config,
  type Qwen3Config,
  qwen3ConfigText,
  qwen3ParameterShapes,
} from "./qwen3-config.ts";
import { elementCount, type TensorEntry } from "./safetensors-header.ts";
import { writeSafetensors } from "./safetensors-write.ts";
import { openTensorFolder, readCheckpointJson, readTensorFolder } from "./tensor-folder.ts";

/** Files that belong to the tokenizer and are carried from one checkpoint to the next unchanged. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
] as const;

/** 2^30 elements = 4 GiB: the longest flat vector Node 20 can hold in one buffer. */
const MAX_PARAMETERS = 2 ** 30;

/** A parameter's place in the flat vector. */
export interface ParameterSlot extends ParameterShape {
  /** First element. */
  offset: number;
  /** Number of elements. */
  length: number;
}

/** A model in memory. */
export interface Checkpoint {
  config: Qwen3Config;
  /** In the order of `qwen3ParameterShapes`, each in row-major order; shape [total]. */
  parameters: Float32Array;
  slots: ParameterSlot[];
}

/** Places of all parameters in the flat vector; the last slot ends at the total. */
export function parameterSlots(config: Qwen3Config): ParameterSlot[] {
  let offset = 0;
  return qwen3ParameterShapes(config).map(({ name, shape }) => {
    const slot = { name, shape, offset, length: elementCount(shape) };
    offset += slot.length;
    return slot;
  });
}

/** Number of parameters, a tied head counted once. */
export function parameterCount(config: Qwen3Config): number {
  const last = parameterSlots(config).at(-1)!;
  return last.offset + last.length;
}

/** Reads config.json of a checkpoint folder. @throws {CheckpointError} as `parseQwen3Config` */
export function readCheckpointConfig(folder: string): Qwen3Config {
  const path = join(folder, "config.json");
  return parseQwen3Config(readCheckpointJson(path), path);
}

/** Compares the tensors of a folder with the architecture; tells the first difference. */
function checkTensors(
  folder: string,
  config: Qwen3Config,
  slots: ParameterSlot[],
  tensors: ReadonlyMap<string, TensorEntry>,
): void {
  for (const { name, shape } of slots) {
    const entry = tensors.get(name);
    if (entry === undefined)
      throw new CheckpointError(`${folder}: no tensor "${name}"`, { details: { tensor: name } });
    const details = { file: entry.path, tensor: name, offset: entry.offset };
    if (entry.shape.join() !== shape.join())
      throw new CheckpointError(
        `${entry.path}: tensor "${name}": expected shape [${shape}], got [${entry.shape}]`,
        { details },
      );
    if (!isFloatDType(entry.dtype))
      throw new CheckpointError(
        `${entry.path}: tensor "${name}": expected F32, BF16, F16 or F64, got ${entry.dtype}`,
        { details },
      );
  }
  const expected = new Set(slots.map((slot) => slot.name));
  for (const [name, entry] of tensors) {
    // Old savers stored the rotary table, and some store a tied head twice; neither is a parameter.
    if (expected.has(name) || name.endsWith("rotary_emb.inv_freq")) continue;
    if (name === "lm_head.weight" && config.tieWordEmbeddings) continue;
    throw new CheckpointError(`${entry.path}: unexpected tensor "${name}"`, {
      details: { file: entry.path, tensor: name },
    });
  }
}

/**
 * Reads a checkpoint folder, one file or sharded, any float type, into one flat float32 vector.
 * @throws {CheckpointError} naming file and tensor when something is missing, defective, misshapen or too large
 */
export function readCheckpoint(folder: string): Checkpoint {
  const config = readCheckpointConfig(folder);
  const slots = parameterSlots(config);
  const total = parameterCount(config);
  if (total > MAX_PARAMETERS)
    throw new CheckpointError(`${folder}: expected at most ${MAX_PARAMETERS} parameters, got ${total}`, {
      hint: "models of this size need a GPU engine",
    });
  const tensors = readTensorFolder(folder);
  checkTensors(folder, config, slots, tensors);
  const parameters = new Float32Array(total);
  const reader = openTensorFolder();
  const load = (name: string): Uint8Array => {
    const entry = tensors.get(name)!;
    const bytes = new Uint8Array(entry.bytes);
    reader.read(entry, bytes);
    return bytes;
  };
  try {
    for (const { name, offset, length } of slots)
      toFloat32(tensors.get(name)!.dtype, load(name), parameters.subarray(offset, offset + length));
    if (config.tieWordEmbeddings && tensors.has("lm_head.weight")) {
      if (Buffer.compare(load("lm_head.weight"), load("model.embed_tokens.weight")) !== 0)
        throw new CheckpointError(
          `${folder}: tie_word_embeddings is true but "lm_head.weight" differs from "model.embed_tokens.weight"`,
          { details: { tensor: "lm_head.weight" } },
        );
    }
  } finally {
    reader.close();
  }
  return { config, parameters, slots };
}

/** What `writeCheckpoint` stores. */
export interface WriteCheckpointOptions {
  config: Qwen3Config;
  /** In the order of `qwen3ParameterShapes`; shape [total]. */
  parameters: Float32Array;
  /** Folder whose tokenizer files and generation_config.json are copied. */
  tokenizerFolder?: string;
  /** Fills the folder with more files before it takes its name, for example optimiser moments. */
  extra?: (folder: string) => void | Promise<void>;
}

/** Sampling defaults of a checkpoint that brought none: only the token ids, so that generation stops. */
function generationConfig(config: Qwen3Config): Record<string, Json> {
  return {
    _from_model_config: true,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    pad_token_id: config.padTokenId,
  };
}

/**
 * Writes a float32 checkpoint folder that transformers loads, complete or not at all, replacing an older one.
 * @throws {RangeError} when `parameters` has another length than the architecture
 * @throws {StoreError} when the folder cannot be written
 */
export async function writeCheckpoint(folder: string, options: WriteCheckpointOptions): Promise<void> {
  const { config, parameters, tokenizerFolder } = options;
  const total = parameterCount(config);
  if (parameters.length !== total)
    throw new RangeError(`writeCheckpoint: expected ${total} parameters, got ${parameters.length}`);
  await writeFolderAtomic(folder, async (partial) => {
    writeFileSync(join(partial, "config.json"), qwen3ConfigText(config));
    writeSafetensors(
      join(partial, "model.safetensors"),
      parameterSlots(config).map(({ name, shape, offset, length }) => ({
        name,
        dtype: "F32",
        shape,
        data: new Uint8Array(parameters.buffer, parameters.byteOffset + offset * 4, length * 4),
      })),
    );
    writeFileSync(
      join(partial, "generation_config.json"),
      `${JSON.stringify(generationConfig(config), null, 2)}\n`,
    );
    if (tokenizerFolder !== undefined)
      for (const name of [...TOKENIZER_FILES, "generation_config.json"])
        if (existsSync(join(tokenizerFolder, name)))
          copyFileSync(join(tokenizerFolder, name), join(partial, name));
    await options.extra?.(partial);
  });
}
