/**
 * Keys and values of the sequences being decoded, owned by JavaScript and fed to the decoding graph in place. Slots are
 * dense; lengths grow in steps, because attention costs what the grid is long, not what is used.
 */
import { MASKED } from "../model/packed-batch.ts";
import type { Feed } from "./session.ts";

export interface CacheShape {
  layers: number;
  /** Key-value heads. */
  heads: number;
  headDim: number;
}

const LENGTH_STEP = 16; // columns; smaller steps copy more often, larger ones attend to more padding

/** Cache of up to `capacity` sequences. */
export class KeyValueCache {
  readonly #shape: CacheShape;
  readonly #capacity: number;
  #length = 0;
  /** Per layer: keys [slot, heads, headDim, length], values [slot, heads, length, headDim]. */
  #keys: Float32Array[] = [];
  #values: Float32Array[] = [];
  /** [slot, length]: 0 where a key is valid. */
  #mask: Float32Array<ArrayBufferLike> = new Float32Array(0);

  constructor(shape: CacheShape, capacity: number) {
    this.#shape = shape;
    this.#capacity = capacity;
  }

  /** Makes room for positions 0..columns-1 in every slot, keeping what is there. */
  reserve(columns: number): void {
    if (columns <= this.#length) return;
    const { layers, heads, headDim } = this.#shape;
    const old = this.#length;
    const length = Math.ceil(columns / LENGTH_STEP) * LENGTH_STEP;
    const lines = this.#capacity * heads * headDim;
    const stretch = (
      from: Float32Array | undefined,
      count: number,
      width: number,
      wider: number,
    ): Float32Array => {
      const to = new Float32Array(count * wider);
      if (from)
        for (let line = 0; line < count; line++)
          to.set(from.subarray(line * width, (line + 1) * width), line * wider);
      return to;
    };
    for (let layer = 0; layer < layers; layer++) {
      this.#keys[layer] = stretch(this.#keys[layer], lines, old, length);
      this.#values[layer] = stretch(
        this.#values[layer],
        this.#capacity * heads,
        old * headDim,
        length * headDim,
      );
    }
    const mask = new Float32Array(this.#capacity * length).fill(MASKED);
    for (let slot = 0; slot < this.#capacity; slot++)
      mask.set(this.#mask.subarray(slot * old, (slot + 1) * old), slot * length);
    this.#mask = mask;
    this.#length = length;
  }

  /** Empties a slot. */
  clear(slot: number): void {
    this.#mask.fill(MASKED, slot * this.#length, (slot + 1) * this.#length);
  }

  #write(
    slot: number,
    column: number,
    keys: Float32Array,
    values: Float32Array,
    layer: number,
    row: number,
  ): void {
    const { heads, headDim } = this.#shape;
    const length = this.#length;
    const toKeys = this.#keys[layer] as Float32Array;
    const toValues = this.#values[layer] as Float32Array;
    for (let head = 0; head < heads; head++) {
      const from = (row * heads + head) * headDim;
      const block = (slot * heads + head) * headDim * length;
      const valueStart = block + column * headDim;
      for (let i = 0; i < headDim; i++) {
        toKeys[block + i * length + column] = keys[from + i] as number;
        toValues[valueStart + i] = values[from + i] as number;
      }
    }
  }

  /** Replaces a slot's content by `count` prompt rows of a prefill result. */
  fill(
    slot: number,
    results: Record<string, Float32Array | Int32Array>,
    firstRow: number,
    count: number,
  ): void {
    this.clear(slot);
    for (let layer = 0; layer < this.#shape.layers; layer++) {
      const keys = results[`keys_${layer}`] as Float32Array;
      const values = results[`values_${layer}`] as Float32Array;
      for (let column = 0; column < count; column++)
        this.#write(slot, column, keys, values, layer, firstRow + column);
    }
    this.#mask.fill(0, slot * this.#length, slot * this.#length + count);
  }

  /** Stores this step's key and value of every slot at its position. */
  append(results: Record<string, Float32Array | Int32Array>, positions: readonly number[]): void {
    for (let layer = 0; layer < this.#shape.layers; layer++) {
      const keys = results[`keys_${layer}`] as Float32Array;
      const values = results[`values_${layer}`] as Float32Array;
      for (let slot = 0; slot < positions.length; slot++)
        this.#write(slot, positions[slot] as number, keys, values, layer, slot);
    }
    for (let slot = 0; slot < positions.length; slot++)
      this.#mask[slot * this.#length + (positions[slot] as number)] = 0;
  }

  /** Copies one slot over another. */
  move(from: number, to: number): void {
    if (from === to) return;
    const { heads, headDim } = this.#shape;
    const size = heads * headDim * this.#length;
    for (const arrays of [this.#keys, this.#values])
      for (const array of arrays) array.copyWithin(to * size, from * size, (from + 1) * size);
    this.#mask.copyWithin(to * this.#length, from * this.#length, (from + 1) * this.#length);
  }

  /** Graph inputs over the first `count` slots, in place. */
  feeds(count: number): Record<string, Feed> {
    const { layers, heads, headDim } = this.#shape;
    const length = this.#length;
    const size = count * heads * headDim * length;
    const feeds: Record<string, Feed> = {
      mask: { data: this.#mask.subarray(0, count * length), shape: [count, 1, 1, length] },
      cache_split: { data: BigInt64Array.of(BigInt(length), 1n), shape: [2] },
    };
    for (let layer = 0; layer < layers; layer++) {
      const keys = (this.#keys[layer] as Float32Array).subarray(0, size);
      const values = (this.#values[layer] as Float32Array).subarray(0, size);
      feeds[`cache_keys_${layer}`] = { data: keys, shape: [count, heads, headDim, length] };
      feeds[`cache_values_${layer}`] = { data: values, shape: [count, heads, length, headDim] };
    }
    return feeds;
  }
}
