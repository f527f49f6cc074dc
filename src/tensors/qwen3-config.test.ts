import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../errors.ts";
import { parameterCount, parameterSlots } from "./checkpoint-folder.ts";
import { parseQwen3Config, qwen3ConfigJson, qwen3ConfigText, qwen3ParameterShapes } from "./qwen3-config.ts";
import { yarnScaling } from "./rope-scaling.ts";
import { tinyConfig } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

/** config.json of the published Qwen3-4B, the keys that matter, as older transformers write them. */
const QWEN3_4B = {
  architectures: ["Qwen3ForCausalLM"],
  attention_bias: false,
  bos_token_id: 151643,
  eos_token_id: 151645,
  head_dim: 128,
  hidden_act: "silu",
  hidden_size: 2560,
  intermediate_size: 9728,
  max_position_embeddings: 40960,
  max_window_layers: 36,
  model_type: "qwen3",
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: null,
  tie_word_embeddings: true,
  torch_dtype: "bfloat16",
  use_sliding_window: false,
  vocab_size: 151936,
};

describe("reading", () => {
  test("Qwen3-4B has the published number of parameters", () => {
    const config = parseQwen3Config(QWEN3_4B, "config.json");
    // 4.02B with the tied embedding counted once, as the model card's file sizes say.
    expect(parameterCount(config)).toBe(4_022_468_096);
    expect(config.headDim * config.attentionHeads).not.toBe(config.hiddenSize);
    expect(config).toMatchObject({
      ropeTheta: 1000000,
      ropeScaling: null,
      eosTokenId: 151645,
      padTokenId: null,
    });
  });

  test("newer transformers keep the base inside rope_parameters", () => {
    const { rope_theta, rope_scaling: _, ...rest } = QWEN3_4B;
    const json = { ...rest, rope_parameters: { rope_type: "default", rope_theta } };
    expect(parseQwen3Config(json, "config.json")).toEqual(parseQwen3Config(QWEN3_4B, "config.json"));
  });

  test("a list of end tokens gives its first", () => {
    expect(parseQwen3Config({ ...QWEN3_4B, eos_token_id: [7, 8] }, "config.json").eosTokenId).toBe(7);
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      "another architecture",
      { architectures: ["LlamaForCausalLM"] },
      "expected a Qwen3ForCausalLM checkpoint",
    ],
    ["a mixture of experts", { model_type: "qwen3_moe", architectures: undefined }, '"qwen3_moe"'],
    ["biases", { attention_bias: true }, "attention_bias: true is not supported"],
    ["sliding windows", { use_sliding_window: true }, "use_sliding_window"],
    ["another activation", { hidden_act: "gelu" }, 'hidden_act: expected "silu"'],
    ["quantised weights", { quantization_config: { bits: 4 } }, "quantized"],
    ["no head_dim", { head_dim: undefined }, "head_dim: expected an integer of 1..4096, got nothing"],
    ["text as a size", { hidden_size: "2560" }, "hidden_size: expected an integer"],
    ["an absurd size", { num_hidden_layers: 1e9 }, "num_hidden_layers: expected an integer of 1..1024"],
    ["heads that do not divide", { num_key_value_heads: 5 }, "expected a divisor of num_attention_heads 32"],
    ["an odd head", { head_dim: 3 }, "even number"],
    ["a negative epsilon", { rms_norm_eps: -1 }, "rms_norm_eps: expected a positive number"],
    ["text as a flag", { tie_word_embeddings: "yes" }, "tie_word_embeddings: expected true or false"],
    ["a fractional token", { eos_token_id: 1.5 }, "eos_token_id: expected a token id"],
    ["unknown scaling", { rope_scaling: { rope_type: "llama3", factor: 8 } }, 'expected rope_type "yarn"'],
  ])("%s is refused in one line", (_, change, message) => {
    const read = () => parseQwen3Config({ ...QWEN3_4B, ...change }, "folder/config.json");
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^folder\/config\.json: [^\n]*$/);
  });

  test("any JSON in any key is read or one CheckpointError line", () => {
    const json = { ...QWEN3_4B, rope_parameters: null };
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(json)), fc.jsonValue(), (key, value) => {
        try {
          const config = parseQwen3Config({ ...json, [key]: value }, "c");
          expect(Object.values(config)).not.toContain(undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
          expect((error as Error).message).not.toContain("\n");
        }
      }),
      { numRuns: 1000 },
    );
  });

  test.each([null, 3, "x", [], undefined])("%j is refused", (json) => {
    expect(() => parseQwen3Config(json, "config.json")).toThrow("expected a JSON object");
  });
});

describe("writing", () => {
  test.each([
    tinyConfig(),
    tinyConfig({ tieWordEmbeddings: false, bosTokenId: null, padTokenId: null }),
    tinyConfig({ ropeScaling: yarnScaling({ factor: 2, attentionScale: 1 }) }),
  ])("a configuration reads back equal, through JSON", (config) => {
    const json: unknown = JSON.parse(qwen3ConfigText(config));
    expect(json).toEqual(qwen3ConfigJson(config));
    expect(parseQwen3Config(json, "config.json")).toEqual(config);
  });

  test("whole rotary factors are floats to Python, sizes stay integers", () => {
    const text = qwen3ConfigText(tinyConfig({ ropeScaling: yarnScaling({ factor: 2 }) }));
    expect(text.match(/"(factor|attention_factor|rope_theta)": [^,\n]*/g)).toEqual([
      '"factor": 2.0',
      '"attention_factor": 1.0',
      '"rope_theta": 10000.0',
      '"factor": 2.0',
      '"attention_factor": 1.0',
      '"rope_theta": 10000.0',
    ]);
    expect(text).toContain('"hidden_size": 6,');
    expect(qwen3ConfigText(tinyConfig({ ropeScaling: yarnScaling() }))).toContain('"factor": 1.5,');
  });
});

describe("parameters", () => {
  test("names, shapes and order follow the forward pass", () => {
    const shapes = qwen3ParameterShapes(tinyConfig({ layers: 1, tieWordEmbeddings: false }));
    expect(shapes.map(({ name, shape }) => `${name.replace("model.layers.0.", "")} ${shape}`)).toEqual([
      "model.embed_tokens.weight 7,6",
      "input_layernorm.weight 6",
      "self_attn.q_proj.weight 8,6",
      "self_attn.k_proj.weight 4,6",
      "self_attn.v_proj.weight 4,6",
      "self_attn.o_proj.weight 6,8",
      "self_attn.q_norm.weight 2",
      "self_attn.k_norm.weight 2",
      "post_attention_layernorm.weight 6",
      "mlp.gate_proj.weight 5,6",
      "mlp.up_proj.weight 5,6",
      "mlp.down_proj.weight 6,5",
      "model.norm.weight 6",
      "lm_head.weight 7,6",
    ]);
  });

  test("slots lie side by side", () => {
    let next = 0;
    for (const slot of parameterSlots(tinyConfig())) {
      expect(slot.offset).toBe(next);
      next += slot.length;
    }
    expect(next).toBe(parameterCount(tinyConfig()));
  });
});
