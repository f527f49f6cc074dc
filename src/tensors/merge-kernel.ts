/**
 * The arithmetic of a weight merge, `alpha * base + (1 - alpha) * other`, on raw tensor bytes. Every operation is
 * rounded to float32, then the result to the stored type, so that equal inputs give the bits PyTorch gives for
 * `(alpha * base.float() + (1 - alpha) * other.float()).to(dtype)`.
 * Source: recipe B13.
 */
import { DTYPE_BYTES, type FloatDType, fromFloat32, toFloat32 } from "./dtype.ts";

/** Elements worked on at a time: three float32 blocks of this size stay in a 256 KiB cache. */
const BLOCK = 16384;

const baseBlock = new Float32Array(BLOCK);
const otherBlock = new Float32Array(BLOCK);
const mixedWords = new Uint32Array(baseBlock.buffer);

/** base <- alpha * base + beta * other over the first `count` elements; NaN when a result is not finite, else 0. */
function mixBlock(alpha: number, beta: number, count: number): number {
  let defect = 0;
  for (let i = 0; i < count; i++) {
    const mixed = Math.fround(Math.fround(alpha * baseBlock[i]!) + Math.fround(beta * otherBlock[i]!));
    baseBlock[i] = mixed;
    // x - x is 0 for every finite x and NaN otherwise: a check without a branch.
    defect += mixed - mixed;
  }
  return defect;
}

/** Rounds the first `count` mixed elements to bfloat16, ties to even; they are known to be finite. */
function storeBfloat(target: Uint16Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const bits = mixedWords[i]!;
    target[from + i] = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
}

/**
 * Merges two equally long runs of elements into `base`.
 *
 * @param base weight `alpha`; overwritten with the result; starts on a multiple of the element size
 * @param other weight `1 - alpha`
 * @returns false when a result is not finite, which means an input was not; `base` is then unspecified
 */
export function mergeBytes(dtype: FloatDType, base: Uint8Array, other: Uint8Array, alpha: number): boolean {
  const size = DTYPE_BYTES[dtype];
  const a = Math.fround(alpha);
  const b = Math.fround(1 - alpha);
  const halves =
    dtype === "BF16" ? new Uint16Array(base.buffer, base.byteOffset, base.length / 2) : undefined;
  for (let start = 0; start < base.length; start += BLOCK * size) {
    const end = Math.min(start + BLOCK * size, base.length);
    const count = (end - start) / size;
    toFloat32(dtype, base.subarray(start, end), baseBlock);
    toFloat32(dtype, other.subarray(start, end), otherBlock);
    if (mixBlock(a, b, count) !== 0) return false;
    if (halves !== undefined) storeBfloat(halves, start / 2, count);
    else base.set(fromFloat32(dtype, baseBlock.subarray(0, count)), start);
  }
  return true;
}
