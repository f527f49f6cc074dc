import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import { parameterSlots, readCheckpoint, writeCheckpoint } from "./checkpoint-folder.ts";
import { type FloatDType, fromFloat32, toFloat32 } from "./dtype.ts";
import { qwen3ConfigJson } from "./qwen3-config.ts";
import { readTensors } from "./safetensors.ts";
import type { Tensor } from "./safetensors-header.ts";
import { writeSafetensors } from "./safetensors-write.ts";
import { randomParameters, scratchFolder, tinyConfig } from "./testing.ts";

const config = tinyConfig();
const parameters = randomParameters(config, 1);

/** The parameters as named tensors of one type. */
function tensorsOf(dtype: FloatDType): Tensor[] {
  return parameterSlots(config).map(({ name, shape, offset, length }) => ({
    name,
    dtype,
    shape,
    data: fromFloat32(dtype, parameters.slice(offset, offset + length)),
  }));
}

/** A folder with config.json and whatever tensors are given. */
function folderWith(tensors: Tensor[]): string {
  const folder = scratchFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(qwen3ConfigJson(config)));
  writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

describe("writeCheckpoint", () => {
  test("reads back bit for bit and carries the tokenizer along", async () => {
    const scratch = scratchFolder();
    const tokenizer = join(scratch, "tokenizer");
    mkdirSync(tokenizer);
    writeFileSync(join(tokenizer, "tokenizer.json"), '{"a": 1}');
    writeFileSync(join(tokenizer, "generation_config.json"), '{"top_k": 20}');
    writeFileSync(join(tokenizer, "notes.txt"), "not the tokenizer's");
    const folder = join(scratch, "out");
    await writeCheckpoint(folder, {
      config,
      parameters,
      tokenizerFolder: tokenizer,
      extra: (partial) => writeFileSync(join(partial, "optimizer.bin"), "m"),
    });
    const back = readCheckpoint(folder);
    expect(back.config).toEqual(config);
    expect(Buffer.from(back.parameters.buffer)).toEqual(Buffer.from(parameters.buffer));
    expect(readdirSync(folder).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "optimizer.bin",
      "tokenizer.json",
    ]);
    expect(readFileSync(join(folder, "generation_config.json"), "utf8")).toBe('{"top_k": 20}');
    expect(readTensors(join(folder, "model.safetensors")).get("lm_head.weight")).toBeUndefined();
  });

  test("replaces an older folder whole, and leaves it alone when the new one fails", async () => {
    const folder = join(scratchFolder(), "out");
    await writeCheckpoint(folder, { config, parameters });
    const fail = writeCheckpoint(folder, {
      config,
      parameters: randomParameters(config, 2),
      extra: () => {
        throw new Error("interrupted");
      },
    });
    await expect(fail).rejects.toThrow("interrupted");
    expect(readCheckpoint(folder).parameters).toEqual(parameters);
    expect(existsSync(`${folder}.partial`)).toBe(false);
  });

  test("a vector of another length is misuse", async () => {
    const write = writeCheckpoint(join(scratchFolder(), "out"), { config, parameters: new Float32Array(3) });
    await expect(write).rejects.toThrow(RangeError);
  });
});

describe("readCheckpoint", () => {
  test.each(["BF16", "F16", "F64"] as const)("%s weights become float32", (dtype) => {
    const expected = toFloat32(dtype, fromFloat32(dtype, parameters));
    expect(readCheckpoint(folderWith(tensorsOf(dtype))).parameters).toEqual(expected);
  });

  test("shards are joined by their index", () => {
    const folder = folderWith([]);
    const tensors = tensorsOf("F32");
    const shards = [tensors.filter((_, i) => i % 2 === 0), tensors.filter((_, i) => i % 2 === 1)];
    const map: Record<string, string> = {};
    for (const [i, shard] of shards.entries()) {
      const name = `model-0000${i + 1}-of-00002.safetensors`;
      writeSafetensors(join(folder, name), shard);
      for (const tensor of shard) map[tensor.name] = name;
    }
    const sharded = scratchFolder();
    for (const name of readdirSync(folder).filter((file) => file !== "model.safetensors"))
      writeFileSync(join(sharded, name), readFileSync(join(folder, name)));
    const index = join(sharded, "model.safetensors.index.json");
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
    expect(readCheckpoint(sharded).parameters).toEqual(parameters);

    const norm = "model.norm.weight";
    writeFileSync(index, JSON.stringify({ weight_map: { ...map, [norm]: "../secret.safetensors" } }));
    expect(() => readCheckpoint(sharded)).toThrow("beside the index");
    writeFileSync(index, JSON.stringify({ weight_map: { ...map, ghost: map[norm] } }));
    expect(() => readCheckpoint(sharded)).toThrow('no tensor "ghost"');
    const { [norm]: _, ...withoutNorm } = map;
    writeFileSync(index, JSON.stringify({ weight_map: withoutNorm }));
    expect(() => readCheckpoint(sharded)).toThrow(`tensor "${norm}" is not in`);
    writeFileSync(index, "{}");
    expect(() => readCheckpoint(sharded)).toThrow("weight_map: expected an object");
  });

  test("a tied head stored twice is accepted when it equals the embedding, and refused otherwise", () => {
    const [embedding, ...rest] = tensorsOf("F32") as [Tensor, ...Tensor[]];
    const copy = { ...embedding, name: "lm_head.weight" };
    expect(readCheckpoint(folderWith([embedding, ...rest, copy])).parameters).toEqual(parameters);
    const other = { ...copy, data: new Uint8Array(copy.data.length) };
    expect(() => readCheckpoint(folderWith([embedding, ...rest, other]))).toThrow("tie_word_embeddings");
  });

  test("missing, misshapen, surplus and integer tensors are named", () => {
    const tensors = tensorsOf("F32");
    const norm = tensors.find((tensor) => tensor.name === "model.norm.weight")!;
    const others = tensors.filter((tensor) => tensor !== norm);
    const read =
      (...changed: Tensor[]) =>
      () =>
        readCheckpoint(folderWith([...others, ...changed]));
    expect(read()).toThrow('no tensor "model.norm.weight"');
    expect(read({ ...norm, shape: [3, 2] })).toThrow('"model.norm.weight": expected shape [6], got [3,2]');
    expect(read(norm, { ...norm, name: "model.norm.bias" })).toThrow('unexpected tensor "model.norm.bias"');
    expect(read({ ...norm, dtype: "I32" })).toThrow("expected F32, BF16, F16 or F64, got I32");
    expect(read(norm, { ...norm, name: "model.rotary_emb.inv_freq" })).not.toThrow();
  });

  test("a folder without its files says which one", () => {
    const folder = scratchFolder();
    expect(() => readCheckpoint(folder)).toThrow(`${join(folder, "config.json")}: no such file`);
    writeFileSync(join(folder, "config.json"), JSON.stringify(qwen3ConfigJson(config)));
    expect(() => readCheckpoint(folder)).toThrow(`${join(folder, "model.safetensors")}: no such file`);
    writeFileSync(join(folder, "config.json"), "{");
    expect(() => readCheckpoint(folder)).toThrow(CheckpointError);
    expect(() => readCheckpoint(folder)).toThrow("not JSON");
  });
});

const golden = join(import.meta.dirname, "../../test/peers/golden");
describe.skipIf(!existsSync(golden))("folders written by transformers", () => {
  test.each(
    existsSync(golden) ? readdirSync(golden).filter((n) => existsSync(join(golden, n, "config.json"))) : [],
  )("%s: every parameter lies in its slot", (name) => {
    const folder = join(golden, name);
    const checkpoint = readCheckpoint(folder);
    const tensors = readTensors(join(folder, "model.safetensors"));
    for (const slot of checkpoint.slots) {
      const stored = toFloat32(tensors.get(slot.name)!.dtype, tensors.get(slot.name)!.data);
      expect(checkpoint.parameters.slice(slot.offset, slot.offset + slot.length)).toEqual(stored);
    }
  });
});
