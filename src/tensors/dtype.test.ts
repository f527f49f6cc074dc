import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DTYPE_BYTES, float32ToHalf, fromFloat32, isDType, toFloat32 } from "./dtype.ts";

fc.configureGlobal({ seed: 1 });

const bytesOf = (words: ArrayLike<number>) => new Uint8Array(Uint16Array.from(words).buffer);
const patterns = Array.from({ length: 65536 }, (_, i) => i);
const allHalves = bytesOf(patterns);

/** NaNs of any payload become the quiet one. */
const isNanPattern = (bits: number, exponentMask: number, fractionMask: number) =>
  (bits & exponentMask) === exponentMask && (bits & fractionMask) !== 0;

describe("half precision", () => {
  test("known values: IEEE 754 binary16", () => {
    const known: [number, number][] = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x3555, 0.333251953125],
      [0x7c00, Number.POSITIVE_INFINITY],
    ];
    for (const [bits, value] of known) {
      expect(toFloat32("F16", bytesOf([bits]))[0]).toBe(value);
      expect(float32ToHalf(value)).toBe(bits);
    }
    expect(Object.is(toFloat32("F16", bytesOf([0x8000]))[0], -0)).toBe(true);
  });

  test("every bit pattern survives the round trip", () => {
    const back = new Uint16Array(fromFloat32("F16", toFloat32("F16", allHalves)).buffer);
    const expected = (bits: number) => (isNanPattern(bits, 0x7c00, 0x3ff) ? (bits & 0x8000) | 0x7e00 : bits);
    expect(patterns.filter((bits) => back[bits] !== expected(bits))).toEqual([]);
  });

  test("midpoints go to the even neighbour, anything beyond them to the nearer one", () => {
    const values = toFloat32("F16", allHalves);
    const step = new Float32Array(1);
    const word = new Uint32Array(step.buffer);
    const wrong = patterns.slice(0, 0x7bff).filter((bits) => {
      step[0] = (values[bits]! + values[bits + 1]!) / 2;
      const middle = float32ToHalf(step[0]);
      word[0]! += 1;
      const above = float32ToHalf(step[0]);
      word[0]! -= 2;
      const below = float32ToHalf(step[0]);
      return middle !== bits + (bits % 2) || above !== bits + 1 || below !== bits;
    });
    expect(wrong).toEqual([]);
  });

  test("65519.99 is the largest half, 65520 overflows", () => {
    expect(float32ToHalf(Math.fround(65519.99))).toBe(0x7bff);
    expect(float32ToHalf(65520)).toBe(0x7c00);
    expect(float32ToHalf(-65520)).toBe(0xfc00);
  });
});

describe("bfloat16", () => {
  test("every bit pattern survives the round trip", () => {
    const back = new Uint16Array(fromFloat32("BF16", toFloat32("BF16", allHalves)).buffer);
    const expected = (bits: number) => (isNanPattern(bits, 0x7f80, 0x7f) ? 0x7fc0 : bits);
    expect(patterns.filter((bits) => back[bits] !== expected(bits))).toEqual([]);
  });

  test("rounds to nearest, ties to even", () => {
    const round = (value: number) => toFloat32("BF16", fromFloat32("BF16", Float32Array.of(value)))[0];
    expect(round(1 + 2 ** -8)).toBe(1);
    expect(round(1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(round(1 + 2 ** -8 + 2 ** -20)).toBe(1 + 2 ** -7);
    expect(round(3.4028234663852886e38)).toBe(Number.POSITIVE_INFINITY);
  });
});

test("float32 and float64 keep every float32", () => {
  fc.assert(
    fc.property(fc.float32Array({ minLength: 0, maxLength: 40 }), (values) => {
      for (const dtype of ["F32", "F64"] as const)
        expect(toFloat32(dtype, fromFloat32(dtype, values))).toEqual(values);
    }),
  );
});

test("bytes that start at an odd address are read as well", () => {
  const source = fromFloat32("F32", Float32Array.of(1.5, -2));
  const shifted = new Uint8Array(9);
  shifted.set(source, 1);
  expect([...toFloat32("F32", shifted.subarray(1))]).toEqual([1.5, -2]);
});

test("misuse is a TypeError or a RangeError", () => {
  expect(() => toFloat32("I64", new Uint8Array(8))).toThrow(TypeError);
  expect(() => fromFloat32("U8", new Float32Array(1))).toThrow(TypeError);
  expect(() => toFloat32("F32", new Uint8Array(8), new Float32Array(1))).toThrow(RangeError);
});

test("element types are looked up as own names only", () => {
  expect(Object.keys(DTYPE_BYTES).every(isDType)).toBe(true);
  expect(isDType("toString")).toBe(false);
  expect(isDType(4)).toBe(false);
});
