import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import { rotaryFrequencies } from "./rope.ts";
import {
  appliedAttentionScale,
  parseRopeScaling,
  portableRopeScalingJson,
  type RopeDialect,
  type RopeReader,
  yarnScaling,
} from "./rope-scaling.ts";
import { readRawConfig, ropeThetaOf, scaledConfig, writeScaledFolder } from "./scaled-folder.ts";
import { yarnExport } from "./yarn-export.ts";

fc.configureGlobal({ seed: 20260318 });

const ENGINES: readonly RopeDialect[] = ["transformers", "vllm", "sglang"];
/** What reads an export: vLLM changed which key it takes, and a user's version is not known here. */
const READERS: Record<RopeDialect, readonly RopeReader[]> = {
  transformers: ["transformers"],
  vllm: ["vllm", "vllm after 0.25"],
  sglang: ["sglang"],
};

/**
 * What an engine computes from a `rope_scaling` object, written from the engines' formulas and not from ours: frequencies
 * by interpolation and extrapolation with a mask, and the factor on cos and sin.
 */
function engineTables(json: Record<string, unknown>, engine: RopeReader, headDim: number, base: number) {
  const factor = json["factor"] as number;
  const original = json["original_max_position_embeddings"] as number;
  const dimensionOf = (turns: number): number =>
    (headDim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const low = Math.max(Math.floor(dimensionOf(json["beta_fast"] as number)), 0);
  const high = Math.min(Math.ceil(dimensionOf(json["beta_slow"] as number)), headDim - 1);
  const frequencies = Array.from({ length: headDim / 2 }, (_, i) => {
    const period = base ** ((2 * i) / headDim);
    const mask = 1 - Math.min(1, Math.max(0, (i - low) / (low === high ? 0.001 : high - low)));
    return (1 / (factor * period)) * (1 - mask) + (1 / period) * mask;
  });
  const standard = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
  const scale =
    engine === "transformers" || engine === "vllm after 0.25"
      ? ((json["attention_factor"] as number | undefined) ?? standard)
      : standard * ((json["attn_factor"] as number | undefined) ?? 1);
  return { frequencies, scale };
}

const scalings = fc.record({
  factor: fc.double({ min: 1, max: 16, noNaN: true }),
  originalMaxPositionEmbeddings: fc.integer({ min: 128, max: 131_072 }),
  attentionScale: fc.double({ min: 0.5, max: 2, noNaN: true }),
});

describe("exports", () => {
  test("every engine computes our table from its own notation, and from the portable one", () => {
    fc.assert(
      fc.property(scalings, fc.constantFrom(...ENGINES), (options, engine) => {
        const scaling = yarnScaling(options);
        const ours = rotaryFrequencies({ headDim: 128, theta: 1e6, scaling });
        const own = yarnExport({
          engine,
          scaling,
          maxPositionEmbeddings: 100,
          ropeTheta: 1e6,
          model: "m",
        }).config;
        const objects = [own["rope_scaling"], portableRopeScalingJson(scaling)];
        for (const [json, reader] of objects.flatMap((one) =>
          READERS[engine].map((who) => [one, who] as const),
        )) {
          const theirs = engineTables(json as Record<string, unknown>, reader, 128, 1e6);
          expect(theirs.scale).toBeCloseTo(ours.attentionScale, 12);
          expect(appliedAttentionScale(json as Record<string, unknown>, reader)).toBeCloseTo(
            theirs.scale,
            12,
          );
          for (const [i, frequency] of theirs.frequencies.entries())
            expect(frequency / (ours.inverseFrequencies[i] as number)).toBeCloseTo(1, 10);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("the published notation means another scale to every engine than to its authors", () => {
    const published = { attn_factor: 1, factor: 1.5, rope_type: "yarn" };
    for (const engine of ENGINES) expect(appliedAttentionScale(published, engine)).toBeCloseTo(1.0405465, 6);
    expect(parseRopeScaling(published, 131_072, "config.json")?.attentionScale).toBe(1);
  });

  test("commands a shell can run, with the base of the frequencies inside", () => {
    const scaling = yarnScaling();
    const vllm = yarnExport({
      engine: "vllm",
      scaling,
      maxPositionEmbeddings: 49_152,
      ropeTheta: 1e6,
      model: "it's a model",
    });
    expect(vllm.commands[0]?.command).toContain(
      `vllm serve 'it'\\''s a model' --hf-overrides '{"max_position_embeddings":49152,"rope_parameters":{`,
    );
    const json = JSON.parse(
      /--hf-overrides '(.*)' --max-model-len 49152$/.exec(vllm.commands[0]?.command ?? "")?.[1] ?? "",
    );
    expect(json.rope_parameters).toMatchObject({ rope_type: "yarn", factor: 1.5, rope_theta: 1e6 });
    expect(json.rope_parameters.attn_factor).toBeCloseTo(0.961033, 6);
    expect(vllm.notes).toEqual([]);
    // Python would read 1 as an integer, of which transformers warns.
    expect(vllm.commands[0]?.command).toContain('"beta_fast":32.0,"beta_slow":1.0,"attention_factor":1.0,');
    expect(vllm.commands[0]?.command).toContain('"original_max_position_embeddings":32768,');
    // Versions that read `rope_scaling` get the same numbers; both need no override of the length here.
    expect(vllm.commands[1]?.command).toMatch(
      /^vllm serve .* --hf-overrides '\{.*"rope_scaling":\{.*"rope_theta":1000000\.0\}\}'/,
    );
    expect(json.rope_parameters.attention_factor).toBe(1);
    const long = yarnExport({
      engine: "vllm",
      scaling,
      maxPositionEmbeddings: 131_072,
      ropeTheta: 1e6,
      model: "m",
    });
    for (const { command } of long.commands)
      expect(command).toMatch(/^VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 vllm serve m .* --max-model-len 131072$/);
    const sglang = yarnExport({ engine: "sglang", scaling, maxPositionEmbeddings: 131_072, model: "m" });
    expect(sglang.commands[0]?.command).toMatch(
      /^SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 python -m sglang.launch_server --model-path m --json-model-override-args '\{.*\}' --context-length 131072$/,
    );
    const hugging = (maxPositionEmbeddings: number): string =>
      yarnExport({
        engine: "transformers",
        scaling,
        maxPositionEmbeddings,
        ropeTheta: 1e6,
        model: "m",
      }).notes.join(" ");
    expect(hugging(49_152)).toBe("");
    expect(hugging(131_072)).toMatch(
      /transformers from before September 2025 takes 131072 \/ 32768 for the factor/,
    );
    expect(sglang.notes.join(" ")).toMatch(/131072 positions are more than factor × original length = 49152/);
    expect(sglang.notes.join(" ")).toMatch(/base of the frequencies is not known/);
    expect(
      yarnExport({
        engine: "transformers",
        scaling,
        maxPositionEmbeddings: 49_152,
        ropeTheta: 1e6,
        model: "m",
      }).commands,
    ).toEqual([]);
  });
});

const goldenPath = join(import.meta.dirname, "../../../shared/golden/golden_numeric.json");
const golden = existsSync(goldenPath)
  ? (JSON.parse(readFileSync(goldenPath, "utf8")) as { yarn: Record<string, number>[] }).yarn
  : [];
if (golden.length === 0) console.warn(`skipped: golden YaRN vectors are not at ${goldenPath}`);

describe.skipIf(golden.length === 0)("golden YaRN vectors through the exporters", () => {
  test.each(golden)("original length $original_max_position", (vector) => {
    const scaling = yarnScaling({
      factor: vector["factor"] as number,
      originalMaxPositionEmbeddings: vector["original_max_position"] as number,
    });
    for (const engine of ENGINES) {
      const { config } = yarnExport({
        engine,
        scaling,
        maxPositionEmbeddings: 1000,
        ropeTheta: vector["base"] as number,
        model: "m",
      });
      const { frequencies, scale } = engineTables(
        config["rope_scaling"] as Record<string, unknown>,
        engine,
        vector["head_dim"] as number,
        vector["base"] as number,
      );
      expect(scale).toBeCloseTo(vector["polaris_attention_scale"] as number, 12);
      for (const [key, value] of Object.entries(vector).filter(([name]) => name.startsWith("inv_freq_")))
        expect((frequencies[Number(key.slice(9))] as number) / value, key).toBeCloseTo(1, 10);
      if (engine !== "transformers")
        expect((config["rope_scaling"] as Record<string, number>)["attn_factor"]).toBeCloseTo(
          vector["vllm_attn_factor_to_get_1"] as number,
          12,
        );
    }
  });
});

describe("scaled folders", () => {
  let root: string;
  const folder = (): string => join(root, "model");
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "polaris-yarn-"));
    mkdirSync(folder());
    writeFileSync(join(root, "weights.bin"), "weights");
    symlinkSync("../weights.bin", join(folder(), "model.safetensors"));
    writeFileSync(join(folder(), "tokenizer.json"), "{}");
    writeFileSync(
      join(folder(), "config.json"),
      JSON.stringify({
        model_type: "other",
        custom: [1],
        max_position_embeddings: 64,
        rope_parameters: { rope_type: "default", rope_theta: 5e5 },
      }),
    );
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("only the keys of the rotary embedding change; links are followed, the original stays", async () => {
    const before = readFileSync(join(folder(), "config.json"), "utf8");
    const output = join(root, "long");
    const scaling = yarnScaling({ factor: 2, originalMaxPositionEmbeddings: 64 });
    await writeScaledFolder({ folder: folder(), output, scaling, maxPositionEmbeddings: 128 });
    const config = readRawConfig(output);
    expect(config).toMatchObject({ model_type: "other", custom: [1], max_position_embeddings: 128 });
    expect(config["rope_parameters"]).toEqual(config["rope_scaling"]);
    expect(ropeThetaOf(config)).toBe(5e5);
    expect(parseRopeScaling(config["rope_scaling"], 128, "c")).toEqual(scaling);
    // Whole factors are written as floats, or transformers warns.
    expect(readFileSync(join(output, "config.json"), "utf8")).toMatch(/"factor": 2\.0,/);
    expect(readFileSync(join(output, "model.safetensors"), "utf8")).toBe("weights");
    expect(statSync(join(output, "model.safetensors")).isFile()).toBe(true);
    expect(readFileSync(join(folder(), "config.json"), "utf8")).toBe(before);
  });

  test("a scaled folder can be scaled again, and the old scaling is gone", () => {
    const twice = scaledConfig(
      scaledConfig(readRawConfig(folder()), yarnScaling({ factor: 2 }), 1),
      yarnScaling({ factor: 3 }),
      2,
    );
    expect(twice["rope_scaling"]).toMatchObject({ factor: 3, rope_theta: 5e5 });
  });

  test("what is no checkpoint is refused in one line", async () => {
    const scaling = yarnScaling();
    await expect(
      writeScaledFolder({ folder: folder(), output: folder(), scaling, maxPositionEmbeddings: 1 }),
    ).rejects.toThrow(/another folder/);
    expect(() => readRawConfig(join(root, "none"))).toThrow(CheckpointError);
    writeFileSync(join(root, "config.json"), "[]");
    expect(() => readRawConfig(root)).toThrow(/expected a JSON object/);
  });
});
