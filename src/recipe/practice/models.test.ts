import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parameterCount, parameterSlots, readCheckpoint } from "../../tensors/checkpoint-folder.ts";
import { loadTokenizer } from "../../text/load-tokenizer.ts";
import { BOS_ID, EOS_ID, encodePractice, PAD_ID } from "./alphabet.ts";
import { createInitialParameters, PRACTICE_CONFIGS, writeInitialCheckpoint } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "polaris-practice-"));
/** Bits of a vector; comparing 300 thousand elements one by one is slow. */
const bits = (values: Float32Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("practice models", () => {
  it("have the sizes of the study", () => {
    expect(parameterCount(PRACTICE_CONFIGS["practice-small"])).toBe(308_112);
    expect(parameterCount(PRACTICE_CONFIGS["practice-large"])).toBe(549_056);
  });

  it("start from the stated deviations", () => {
    const config = PRACTICE_CONFIGS["practice-large"];
    const parameters = createInitialParameters(config, 1);
    const deviation = (suffix: string): number => {
      const slot = parameterSlots(config).find(({ name }) => name.endsWith(suffix));
      if (slot === undefined) throw new Error(`no ${suffix}`);
      const values = parameters.subarray(slot.offset, slot.offset + slot.length);
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(deviation("embed_tokens.weight")).toBeCloseTo(0.1, 2);
    expect(deviation("0.self_attn.q_proj.weight")).toBeCloseTo(1 / Math.sqrt(128), 2);
    expect(deviation("2.mlp.down_proj.weight")).toBeCloseTo(0.4 / Math.sqrt(6 * 344), 3);
    expect(deviation("1.self_attn.q_norm.weight")).toBe(1);
  });

  it("are a function of the seed", () => {
    const config = PRACTICE_CONFIGS["practice-small"];
    const first = bits(createInitialParameters(config, 1));
    expect(first.equals(bits(createInitialParameters(config, 1)))).toBe(true);
    expect(first.equals(bits(createInitialParameters(config, 2)))).toBe(false);
  });

  it("are written with a tokenizer that reads practice text and refuses other text", async () => {
    const path = join(folder, "small");
    await writeInitialCheckpoint(path, "practice-small", 3);
    const { config, parameters } = readCheckpoint(path);
    expect(config).toEqual(PRACTICE_CONFIGS["practice-small"]);
    expect(bits(parameters).equals(bits(createInitialParameters(config, 3)))).toBe(true);
    const tokenizer = loadTokenizer(path);
    expect([tokenizer.padTokenId, tokenizer.bosTokenId, tokenizer.eosTokenId]).toEqual([
      PAD_ID,
      BOS_ID,
      EOS_ID,
    ]);
    expect(tokenizer.vocabularySize).toBe(33);
    const text = "g=9;j=g+4;gj?:\\underline{j=g+4=9+4=3}\\boxed{93}";
    expect(tokenizer.encode(text)).toEqual(encodePractice(text));
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(() => tokenizer.encode("What is 1+1?")).toThrow(/not in the vocabulary/);
  });
});
