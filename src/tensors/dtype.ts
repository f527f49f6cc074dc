/**
 * Element types of safetensors files and the conversion of the floating ones to and from float32.
 * Bytes are little-endian, as the format says; every platform Node runs on is little-endian too, which is checked once.
 * Rounding is to nearest, ties to even, as in IEEE 754 and PyTorch, so a round trip through a wider type is exact.
 * Source: safetensors format description; IEEE 754-2019 binary16; bfloat16 is the upper half of binary32.
 */

/** Bytes per element of every element type read here. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** Element type under its safetensors name. */
export type DType = keyof typeof DTYPE_BYTES;

/** Element types that have an exact or rounded float32 value. */
export type FloatDType = "F16" | "BF16" | "F32" | "F64";

const FLOAT_DTYPES: ReadonlySet<string> = new Set<FloatDType>(["F16", "BF16", "F32", "F64"]);

/** True for element types that `toFloat32` and `fromFloat32` convert. */
export function isFloatDType(dtype: DType): dtype is FloatDType {
  return FLOAT_DTYPES.has(dtype);
}

/** True when `name` is an element type of the table above. */
export function isDType(name: unknown): name is DType {
  return typeof name === "string" && Object.hasOwn(DTYPE_BYTES, name);
}

if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1)
  throw new Error("safetensors are little-endian; this processor is not");

const oneFloat = new Float32Array(1);
const oneWord = new Uint32Array(oneFloat.buffer);

/** Bits of the half-precision number nearest to `value`. */
export function float32ToHalf(value: number): number {
  oneFloat[0] = value;
  const bits = oneWord[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 lies halfway between the largest half, 65504, and the next step, and goes to the even one: infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000)
    return sign | ((magnitude + 0xfff + ((magnitude >>> 13) & 1) - 0x38000000) >>> 13);
  // Subnormal: adding 0.5 makes the float32 unit in the last place 2^-24, the smallest half, so the addition rounds.
  oneWord[0] = magnitude;
  oneFloat[0] = oneFloat[0]! + 0.5;
  return sign | (oneWord[0]! - 0x3f000000);
}

/** Bits of the bfloat16 number nearest to the float32 with these bits. */
function wordToBfloat(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let halfTable: Float32Array | undefined;

/** float32 value of each of the 65536 half-precision bit patterns; 256 KiB, built on first use. */
function halfValues(): Float32Array {
  if (halfTable !== undefined) return halfTable;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  halfTable = table;
  return table;
}

/** View of the bytes as `Type`, copied first when they do not start on a multiple of its size. */
function view<Type>(
  bytes: Uint8Array,
  array: {
    new (buffer: ArrayBufferLike, offset: number, length: number): Type;
    BYTES_PER_ELEMENT: number;
  },
): Type {
  const size = array.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / size));
}

/**
 * float32 values of the elements in `bytes`; F64 is rounded, the others are exact.
 *
 * @param into written from its start when given, and returned; shape [elements] or longer
 * @throws {TypeError} for an element type that is not a float
 * @throws {RangeError} when `into` is too short
 */
export function toFloat32(dtype: DType, bytes: Uint8Array, into?: Float32Array): Float32Array {
  if (!isFloatDType(dtype)) throw new TypeError(`toFloat32: expected a float element type, got ${dtype}`);
  const count = bytes.byteLength / DTYPE_BYTES[dtype];
  const result = into ?? new Float32Array(count);
  if (result.length < count) throw new RangeError(`toFloat32: ${count} elements into ${result.length}`);
  if (dtype === "F32") result.set(view(bytes, Float32Array));
  else if (dtype === "F64") result.set(view(bytes, Float64Array));
  else if (dtype === "BF16") {
    const source = view(bytes, Uint16Array);
    const words = new Uint32Array(result.buffer, result.byteOffset, count);
    for (let i = 0; i < count; i++) words[i] = source[i]! << 16;
  } else {
    const source = view(bytes, Uint16Array);
    const table = halfValues();
    for (let i = 0; i < count; i++) result[i] = table[source[i]!]!;
  }
  return result;
}

/**
 * Bytes of `values` stored as `dtype`, rounded to nearest, ties to even. F32 shares memory with `values`.
 * @throws {TypeError} for an element type that is not a float
 */
export function fromFloat32(dtype: DType, values: Float32Array): Uint8Array {
  if (!isFloatDType(dtype)) throw new TypeError(`fromFloat32: expected a float element type, got ${dtype}`);
  if (dtype === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (dtype === "F64") return new Uint8Array(Float64Array.from(values).buffer);
  const halves = new Uint16Array(values.length);
  if (dtype === "BF16") {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < halves.length; i++) halves[i] = wordToBfloat(words[i]!);
  } else for (let i = 0; i < halves.length; i++) halves[i] = float32ToHalf(values[i]!);
  return new Uint8Array(halves.buffer);
}
