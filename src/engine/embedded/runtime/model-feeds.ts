/** The feeds every graph of a model shares: parameters as views of one flat vector, and the rotary tables. */
import { parameterSlots } from "../../../tensors/checkpoint-folder.ts";
import type { Qwen3Config } from "../../../tensors/qwen3-config.ts";
import { rotaryFrequencies } from "../../../tensors/rope.ts";
import type { Feed } from "./session.ts";

/** Cosine and sine of every position and frequency, [positions, headDim / 2] each. */
function rotaryTables(config: Qwen3Config): { rotary_cosine: Feed; rotary_sine: Feed } {
  const { inverseFrequencies, attentionScale } = rotaryFrequencies({
    headDim: config.headDim,
    theta: config.ropeTheta,
    scaling: config.ropeScaling,
  });
  const half = config.headDim / 2;
  const shape = [config.maxPositionEmbeddings, half];
  const cosine = new Float32Array(config.maxPositionEmbeddings * half);
  const sine = new Float32Array(cosine.length);
  for (let position = 0; position < config.maxPositionEmbeddings; position++)
    for (let i = 0; i < half; i++) {
      const angle = position * (inverseFrequencies[i] as number);
      cosine[position * half + i] = Math.cos(angle) * attentionScale;
      sine[position * half + i] = Math.sin(angle) * attentionScale;
    }
  return { rotary_cosine: { data: cosine, shape }, rotary_sine: { data: sine, shape } };
}

/** Feeds that see `parameters` in place: new weights need no new feeds. */
export function modelFeeds(config: Qwen3Config, parameters: Float32Array): Record<string, Feed> {
  const feeds: Record<string, Feed> = rotaryTables(config);
  for (const { name, shape, offset, length } of parameterSlots(config))
    feeds[name] = { data: parameters.subarray(offset, offset + length), shape };
  return feeds;
}
