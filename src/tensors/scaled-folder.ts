/**
 * A checkpoint folder with YaRN laid on it: config.json rewritten, every other file linked, so that any engine that reads
 * Hugging Face folders generates longer than the model was trained. Works for every architecture: only the keys of the
 * rotary embedding change. Inference only; nothing is retrained.
 * Source: recipe A9; transformers reads `rope_scaling`, and `rope_parameters` from version 5.
 */
import {
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { writeFolderAtomic } from "../data/atomic.ts";
import { CheckpointError } from "../errors.ts";
import type { Json } from "../types.ts";
import { portableRopeScalingJson, ropeJsonText, type YarnScaling } from "./rope-scaling.ts";

/** A config.json has some kilobytes. */
const MAX_CONFIG_BYTES = 1 << 20;
/** A sharded checkpoint has a few hundred files; more means the wrong folder was named. */
const MAX_FILES = 10_000;

/** The parsed config.json of a checkpoint folder of any architecture. @throws {CheckpointError} when it cannot be read */
export function readRawConfig(folder: string): Record<string, Json> {
  const path = join(folder, "config.json");
  let value: unknown;
  try {
    const { size } = statSync(path);
    if (size > MAX_CONFIG_BYTES)
      throw new CheckpointError(`${path}: expected at most ${MAX_CONFIG_BYTES} bytes, got ${size}`);
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : String((cause as Error).message);
    throw new CheckpointError(`${path}: ${reason.slice(0, 160)}`, {
      cause,
      hint: "name a Hugging Face checkpoint folder",
    });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CheckpointError(`${path}: expected a JSON object`);
  return value as Record<string, Json>;
}

/** Base of the rotary frequencies, from either notation; undefined when the file names none. */
export function ropeThetaOf(config: Record<string, Json>): number | undefined {
  const parameters = config["rope_parameters"];
  const nested =
    typeof parameters === "object" && parameters !== null && !Array.isArray(parameters)
      ? parameters["rope_theta"]
      : undefined;
  const theta = config["rope_theta"] ?? nested;
  return typeof theta === "number" ? theta : undefined;
}

/**
 * The config with this scaling and number of positions. The base of the frequencies is repeated inside the scaling,
 * because transformers 5 replaces `rope_parameters` as a whole.
 */
export function scaledConfig(
  config: Record<string, Json>,
  scaling: YarnScaling,
  maxPositionEmbeddings: number,
): Record<string, Json> {
  const theta = ropeThetaOf(config);
  const rope = { ...portableRopeScalingJson(scaling), ...(theta === undefined ? {} : { rope_theta: theta }) };
  return {
    ...config,
    max_position_embeddings: maxPositionEmbeddings,
    rope_scaling: rope,
    ...(config["rope_parameters"] === undefined ? {} : { rope_parameters: rope }),
  };
}

/** Hard link where the file system allows it, else a copy. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

export interface ScaledFolderOptions {
  /** Checkpoint folder; stays as it is. */
  folder: string;
  /** Where the scaled one is written, complete or not at all; an older one is replaced. */
  output: string;
  scaling: YarnScaling;
  /** Positions the engine accepts. */
  maxPositionEmbeddings: number;
}

/**
 * Writes the scaled folder. Weights are hard links on the same file system: they take no space, and a program that
 * overwrites them in place would change both.
 *
 * @throws {CheckpointError} when the folder is no checkpoint; {StoreError} when the output cannot be written
 */
export async function writeScaledFolder(options: ScaledFolderOptions): Promise<void> {
  const { folder, output, scaling, maxPositionEmbeddings } = options;
  if (resolve(folder) === resolve(output))
    throw new CheckpointError(`${output}: expected another folder than the checkpoint's own`);
  const config = scaledConfig(readRawConfig(folder), scaling, maxPositionEmbeddings);
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== "config.json");
  if (entries.length > MAX_FILES)
    throw new CheckpointError(`${folder}: expected at most ${MAX_FILES} files, got ${entries.length}`);
  await writeFolderAtomic(output, (partial) => {
    writeFileSync(join(partial, "config.json"), `${ropeJsonText(config, 2)}\n`);
    for (const { name } of entries) {
      const from = join(folder, name);
      // Links are followed: a hub cache keeps its files as links. Folders hold nothing an engine loads.
      if (statSync(from).isFile()) linkOrCopy(realpathSync(from), join(partial, name));
    }
  });
}
