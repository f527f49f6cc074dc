import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, InterruptedError } from "../errors.ts";
import { parameterSlots, readCheckpoint, writeCheckpoint } from "./checkpoint-folder.ts";
import { type FloatDType, fromFloat32, toFloat32 } from "./dtype.ts";
import { mergeCheckpoints } from "./merge.ts";
import { mergeBytes } from "./merge-kernel.ts";
import { qwen3ConfigJson } from "./qwen3-config.ts";
import { readTensors } from "./safetensors.ts";
import type { Tensor } from "./safetensors-header.ts";
import { writeSafetensors } from "./safetensors-write.ts";
import { randomParameters, scratchFolder, tinyConfig } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

const config = tinyConfig();

/** Tensors of a random model in one element type. */
function modelTensors(seed: number, dtype: FloatDType): Tensor[] {
  const parameters = randomParameters(config, seed);
  return parameterSlots(config).map(({ name, shape, offset, length }) => ({
    name,
    dtype,
    shape,
    data: fromFloat32(dtype, parameters.slice(offset, offset + length)),
  }));
}

/** Writes a checkpoint of one or two files. */
function writeModel(folder: string, tensors: Tensor[], shards = 1): string {
  writeCheckpointFiles(folder, qwen3ConfigJson(config));
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard++) {
    const file = shards === 1 ? "model.safetensors" : `model-${shard + 1}-of-${shards}.safetensors`;
    const part = tensors.filter((_, i) => i % shards === shard);
    writeSafetensors(join(folder, file), part, { format: "pt", made_by: "test" });
    for (const tensor of part) map[tensor.name] = file;
  }
  if (shards > 1)
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  return folder;
}

function writeCheckpointFiles(folder: string, json: unknown): void {
  writeFileSync(join(folder, "config.json"), JSON.stringify(json));
  writeFileSync(join(folder, "tokenizer.json"), '{"model": {}}');
}

const bytesOf = (folder: string, file = "model.safetensors") => readFileSync(join(folder, file));

describe("mergeCheckpoints", () => {
  test.each(["F32", "BF16", "F16"] as const)(
    "%s: alpha 1 is the base and alpha 0 the other, byte for byte",
    async (dtype) => {
      const base = writeModel(scratchFolder(), modelTensors(1, dtype));
      const other = writeModel(scratchFolder(), modelTensors(2, dtype));
      for (const [alpha, expected] of [
        [1, base],
        [0, other],
      ] as const) {
        const output = join(scratchFolder(), "merged");
        await mergeCheckpoints({ base, other, alpha, output });
        expect(bytesOf(output)).toEqual(bytesOf(expected));
        expect(readFileSync(join(output, "tokenizer.json"), "utf8")).toBe('{"model": {}}');
      }
    },
  );

  test.each([0.3, 0.4, 0.5, 0.7])("alpha %d gives every parameter its weighted mean", async (alpha) => {
    const base = writeModel(scratchFolder(), modelTensors(1, "F32"));
    const other = writeModel(scratchFolder(), modelTensors(2, "F32"));
    const output = join(scratchFolder(), "merged");
    const progress: number[] = [];
    const result = await mergeCheckpoints({
      base,
      other,
      alpha,
      output,
      onProgress: (done) => progress.push(done),
    });
    const [a, b, merged] = [base, other, output].map((folder) => readCheckpoint(folder).parameters) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    let worst = 0;
    for (let i = 0; i < a.length; i++)
      worst = Math.max(worst, Math.abs(merged[i]! - (alpha * a[i]! + (1 - alpha) * b[i]!)));
    expect(worst).toBeLessThan(1e-6);
    expect(result).toEqual({ tensors: parameterSlots(config).length, elements: a.length, files: 1 });
    expect(progress.at(-1)).toBe(a.length);
  });

  test("shards keep their layout; either side may be sharded", async () => {
    const base = writeModel(scratchFolder(), modelTensors(1, "BF16"), 2);
    const whole = writeModel(scratchFolder(), modelTensors(1, "BF16"));
    const other = writeModel(scratchFolder(), modelTensors(2, "BF16"));
    const sharded = join(scratchFolder(), "sharded");
    const single = join(scratchFolder(), "single");
    expect((await mergeCheckpoints({ base, other, alpha: 0.5, output: sharded })).files).toBe(2);
    await mergeCheckpoints({ base: whole, other, alpha: 0.5, output: single });
    expect(readdirSync(sharded)).toContain("model.safetensors.index.json");
    expect(readCheckpoint(sharded).parameters).toEqual(readCheckpoint(single).parameters);
  });

  test("tensors that are not floats are copied from the base and must be equal", async () => {
    const counter = (value: number): Tensor => ({
      name: "steps",
      dtype: "I64",
      shape: [1],
      data: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
    });
    const base = writeModel(scratchFolder(), [...modelTensors(1, "F32"), counter(7)]);
    const same = writeModel(scratchFolder(), [...modelTensors(2, "F32"), counter(7)]);
    const unequal = writeModel(scratchFolder(), [...modelTensors(2, "F32"), counter(8)]);
    const output = join(scratchFolder(), "merged");
    await mergeCheckpoints({ base, other: same, alpha: 0.5, output });
    expect(readTensors(join(output, "model.safetensors")).get("steps")).toEqual(counter(7));
    const refused = join(scratchFolder(), "refused");
    await expect(mergeCheckpoints({ base, other: unequal, alpha: 0.5, output: refused })).rejects.toThrow(
      'tensor "steps": I64 values are not merged and must be equal',
    );
    expect(existsSync(refused) || existsSync(`${refused}.partial`)).toBe(false);
  });

  test("a tied head that one side stores twice is merged once", async () => {
    const tensors = modelTensors(1, "F32");
    const twice = writeModel(scratchFolder(), [...tensors, { ...tensors[0]!, name: "lm_head.weight" }]);
    const once = writeModel(scratchFolder(), modelTensors(2, "F32"));
    const output = join(scratchFolder(), "merged");
    await mergeCheckpoints({ base: twice, other: once, alpha: 0.5, output });
    expect(readTensors(join(output, "model.safetensors")).has("lm_head.weight")).toBe(false);
  });

  test("names, shapes and types must agree", async () => {
    const tensors = modelTensors(1, "F32");
    const base = writeModel(scratchFolder(), tensors);
    const merge = (changed: Tensor[]) => {
      const other = writeModel(scratchFolder(), changed);
      return mergeCheckpoints({ base, other, alpha: 0.5, output: join(scratchFolder(), "m") });
    };
    await expect(merge(tensors.slice(1))).rejects.toThrow('no tensor "model.embed_tokens.weight"');
    await expect(merge([...tensors, { ...tensors[0]!, name: "extra" }])).rejects.toThrow('no tensor "extra"');
    await expect(merge(modelTensors(1, "BF16"))).rejects.toThrow(/F32 \[7,6\] in .*, BF16 \[7,6\] in /);
    await expect(merge([{ ...tensors[0]!, shape: [6, 7] }, ...tensors.slice(1)])).rejects.toThrow("[6,7]");
  });

  test("configurations must give the numbers one meaning", async () => {
    const base = writeModel(scratchFolder(), modelTensors(1, "F32"));
    const other = writeModel(scratchFolder(), modelTensors(2, "F32"));
    const output = join(scratchFolder(), "m");
    writeCheckpointFiles(other, { ...qwen3ConfigJson(config), rope_theta: 5 });
    await expect(mergeCheckpoints({ base, other, alpha: 0.5, output })).rejects.toThrow(
      "rope_theta is 10000 in one and 5 in the other",
    );
    writeCheckpointFiles(other, null);
    await expect(mergeCheckpoints({ base, other, alpha: 0.5, output })).rejects.toThrow(
      "config.json: expected a JSON object",
    );
    const { rope_theta: _, ...newer } = qwen3ConfigJson(config);
    writeCheckpointFiles(other, newer);
    await expect(mergeCheckpoints({ base, other, alpha: 0.5, output })).resolves.toBeDefined();
  });

  test("a value that is not finite is an error, not a merged NaN", async () => {
    const base = writeModel(scratchFolder(), modelTensors(1, "BF16"));
    const tensors = modelTensors(2, "BF16");
    const norm = tensors.find((tensor) => tensor.name === "model.norm.weight")!;
    new Uint16Array(norm.data.buffer)[3] = 0x7f80;
    const other = writeModel(scratchFolder(), tensors);
    const merge = mergeCheckpoints({ base, other, alpha: 0.5, output: join(scratchFolder(), "m") });
    await expect(merge).rejects.toThrow(CheckpointError);
    await expect(merge).rejects.toThrow('tensor "model.norm.weight": infinite or not a number');
  });

  test("alpha outside 0..1, an output that is an input, and a stop are refused", async () => {
    const base = join(scratchFolder(), "base");
    const other = join(scratchFolder(), "other");
    for (const [folder, seed] of [
      [base, 1],
      [other, 2],
    ] as const)
      await writeCheckpoint(folder, { config, parameters: randomParameters(config, seed) });
    const output = join(scratchFolder(), "m");
    for (const alpha of [-0.1, 1.1, Number.NaN])
      await expect(mergeCheckpoints({ base, other, alpha, output })).rejects.toThrow(ConfigError);
    await expect(mergeCheckpoints({ base, other, alpha: 0.5, output: `${other}/` })).rejects.toThrow(
      "expected a folder of its own",
    );
    const stopped = mergeCheckpoints({ base, other, alpha: 0.5, output, signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow(InterruptedError);
    expect(existsSync(output)).toBe(false);
  });
});

describe("mergeBytes", () => {
  test("equals float32 arithmetic rounded once to the stored type, over block borders", () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
    fc.assert(
      fc.property(
        fc.constantFrom<FloatDType>("F32", "BF16", "F16", "F64"),
        fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 8 }),
        fc.float({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(1, 3000),
        (dtype, pairs, alpha, repeats) => {
          const rows = Array.from({ length: repeats }, () => pairs).flat();
          const base = fromFloat32(
            dtype,
            Float32Array.from(rows, ([a]) => a),
          ).slice();
          const other = fromFloat32(
            dtype,
            Float32Array.from(rows, ([, b]) => b),
          ).slice();
          const a = toFloat32(dtype, base.slice());
          const b = toFloat32(dtype, other);
          const [wa, wb] = [Math.fround(alpha), Math.fround(1 - alpha)];
          const expected = fromFloat32(
            dtype,
            a.map((x, i) => Math.fround(wa * x) + Math.fround(wb * b[i]!)),
          );
          expect(mergeBytes(dtype, base, other, alpha)).toBe(true);
          expect(Buffer.compare(base, expected)).toBe(0);
        },
      ),
      { numRuns: 80 },
    );
  });
});
