import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import { rotaryFrequencies, yarnRange } from "./rope.ts";
import { defaultAttentionScale, parseRopeScaling, ropeScalingJson, yarnScaling } from "./rope-scaling.ts";

interface YarnVector {
  head_dim: number;
  base: number;
  original_max_position: number;
  factor: number;
  low: number;
  high: number;
  default_attention_scale: number;
  polaris_attention_scale: number;
  vllm_attn_factor_to_get_1: number;
  [frequency: `inv_freq_${number}`]: number;
}

const goldenPath = join(import.meta.dirname, "../../../shared/golden/golden_numeric.json");
const golden = existsSync(goldenPath)
  ? (JSON.parse(readFileSync(goldenPath, "utf8")) as { yarn: YarnVector[] }).yarn
  : [];
if (golden.length === 0) console.warn(`skipped: golden YaRN vectors are not at ${goldenPath}`);

describe.skipIf(golden.length === 0)("golden YaRN vectors", () => {
  test.each(golden)("original length $original_max_position", (vector) => {
    const scaling = yarnScaling({
      factor: vector.factor,
      originalMaxPositionEmbeddings: vector.original_max_position,
    });
    const { low, high } = yarnRange(vector.head_dim, vector.base, scaling);
    expect([low, high]).toEqual([vector.low, vector.high]);
    const { inverseFrequencies, attentionScale } = rotaryFrequencies({
      headDim: vector.head_dim,
      theta: vector.base,
      scaling,
    });
    expect(inverseFrequencies).toHaveLength(vector.head_dim / 2);
    const expected = Object.entries(vector).filter(([key]) => key.startsWith("inv_freq_"));
    expect(expected.length).toBeGreaterThan(3);
    for (const [key, value] of expected)
      expect(inverseFrequencies[Number(key.slice(9))]! / value).toBeCloseTo(1, 12);
    expect(attentionScale).toBe(vector.polaris_attention_scale);
    expect(defaultAttentionScale(vector.factor)).toBeCloseTo(vector.default_attention_scale, 12);
    expect(ropeScalingJson(scaling, "vllm")["attn_factor"]).toBeCloseTo(vector.vllm_attn_factor_to_get_1, 12);
  });
});

describe("rotaryFrequencies", () => {
  test("unscaled: theta^(-2i/d)", () => {
    const { inverseFrequencies, attentionScale } = rotaryFrequencies({ headDim: 4, theta: 10000 });
    expect([...inverseFrequencies]).toEqual([1, 0.01]);
    expect(attentionScale).toBe(1);
  });

  test("factor 1 changes nothing; a larger one lies between interpolation and the plain table, falling", () => {
    const plain = rotaryFrequencies({ headDim: 24, theta: 10000 }).inverseFrequencies;
    const same = rotaryFrequencies({ headDim: 24, theta: 10000, scaling: yarnScaling({ factor: 1 }) });
    same.inverseFrequencies.forEach((value, i) => {
      expect(value).toBeCloseTo(plain[i]!, 14);
    });
    const scaling = yarnScaling({ factor: 4, originalMaxPositionEmbeddings: 128 });
    const scaled = rotaryFrequencies({ headDim: 24, theta: 10000, scaling }).inverseFrequencies;
    for (const [i, value] of scaled.entries()) {
      expect(value).toBeLessThanOrEqual(plain[i]! * (1 + 1e-15));
      expect(value).toBeGreaterThanOrEqual((plain[i]! / 4) * (1 - 1e-15));
      if (i > 0) expect(value).toBeLessThan(scaled[i - 1]!);
    }
  });

  test("misuse is a RangeError", () => {
    for (const headDim of [0, 3, -2, 2.5])
      expect(() => rotaryFrequencies({ headDim, theta: 10000 })).toThrow(RangeError);
    expect(() => rotaryFrequencies({ headDim: 4, theta: 1 })).toThrow(RangeError);
    expect(() => yarnScaling({ factor: 0.5 })).toThrow(RangeError);
    expect(() => yarnScaling({ attentionScale: 0 })).toThrow(RangeError);
  });
});

describe("rope_scaling in config.json", () => {
  const parse = (json: unknown) => parseRopeScaling(json, 131072, "config.json");

  test("each notation means its attention scale", () => {
    const yarn = { rope_type: "yarn", factor: 1.5 };
    expect(parse(yarn)?.attentionScale).toBeCloseTo(1.0405465, 6);
    expect(parse({ ...yarn, attn_factor: 1 })?.attentionScale).toBe(1);
    expect(parse({ ...yarn, attention_factor: 0.9, attn_factor: 1 })?.attentionScale).toBe(0.9);
    expect(parse(yarn)?.originalMaxPositionEmbeddings).toBe(131072);
    expect(parse({ type: "yarn", factor: 2, original_max_position_embeddings: 4096 })).toMatchObject({
      factor: 2,
      originalMaxPositionEmbeddings: 4096,
    });
  });

  test("no scaling", () => {
    for (const json of [null, undefined, { rope_type: "default", rope_theta: 1e6 }])
      expect(parse(json)).toBeNull();
  });

  test("transformers reads back what is written; SGLang has vLLM's notation", () => {
    const scaling = yarnScaling({ factor: 3, attentionScale: 1.1 });
    expect(parse(ropeScalingJson(scaling))).toEqual(scaling);
    const { attn_factor: factor } = ropeScalingJson(scaling, "sglang") as { attn_factor: number };
    expect(factor * defaultAttentionScale(3)).toBeCloseTo(1.1, 14);
  });

  test.each<[unknown, string]>([
    [{ rope_type: "dynamic", factor: 2 }, 'expected rope_type "yarn"'],
    [{ rope_type: "yarn" }, "factor: expected a positive number"],
    [{ rope_type: "yarn", factor: 0.5 }, "expected at least 1"],
    [{ rope_type: "yarn", factor: "2" }, "factor: expected a positive number"],
    [{ rope_type: "yarn", factor: 2, mscale: 1 }, 'unknown key "mscale"'],
    [{ rope_type: "yarn", factor: 2, truncate: false }, "truncate"],
    [[], "expected an object"],
  ])("%j is refused", (json, message) => {
    expect(() => parse(json)).toThrow(CheckpointError);
    expect(() => parse(json)).toThrow(message);
  });
});
