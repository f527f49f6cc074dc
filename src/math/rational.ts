/**
 * Exact rationals. Small ones are pairs of safe integers, larger ones pairs of BigInt; always reduced, denominator
 * positive, so equal values are equal field by field. Sizes are capped: beyond the cap a result is null and the
 * caller falls back to an opaque value.
 */

/** num/den in lowest terms, den > 0; both number (safe integers) or both bigint (one of them not safe). */
export type Rational =
  | { readonly num: number; readonly den: number }
  | { readonly num: bigint; readonly den: bigint };

/** Bits of a numerator or denominator. Enough for 7^2900 or 900!; multiplying two takes about 10 microseconds. */
export const MAX_BITS = 8192;
/** Fractions above this size are not reduced by Euclid's algorithm, whose cost is quadratic. Bits. */
const MAX_REDUCED_BITS = 2048;
const SAFE = 9007199254740991;
const SAFE_BIG = 9007199254740991n;

export const ZERO: Rational = { num: 0, den: 1 };
export const ONE: Rational = { num: 1, den: 1 };

function gcdNumber(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** Number of bits of |x|, exact to four. */
export function bitLength(x: bigint): number {
  return (x < 0n ? -x : x).toString(16).length * 4;
}

function gcdBig(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y > SAFE_BIG) [x, y] = [y, x % y];
  if (y === 0n) return x;
  return BigInt(gcdNumber(Number(x % y), Number(y)));
}

/** The reduced fraction, or null beyond the size cap. @throws {RangeError} when den is 0 */
export function rational(num: number | bigint, den: number | bigint = 1): Rational | null {
  if (typeof num === "number" && typeof den === "number") {
    if (Number.isSafeInteger(num) && Number.isSafeInteger(den)) {
      if (den === 0) throw new RangeError("rational: denominator is 0");
      if (den === 1) return { num: num === 0 ? 0 : num, den: 1 };
      const common = gcdNumber(num, den) * (den < 0 ? -1 : 1);
      return { num: num / common + 0, den: den / common };
    }
    if (!Number.isInteger(num) || !Number.isInteger(den)) return null;
  }
  return reduceBig(BigInt(num), BigInt(den));
}

function reduceBig(num: bigint, den: bigint): Rational | null {
  if (den === 0n) throw new RangeError("rational: denominator is 0");
  let n = num;
  let d = den;
  if (d !== 1n) {
    const size = Math.max(bitLength(n), bitLength(d));
    if (size > MAX_REDUCED_BITS && Math.min(bitLength(n), bitLength(d)) > 64) return null;
    const common = gcdBig(n, d);
    if (common > 1n) {
      n /= common;
      d /= common;
    }
    if (d < 0n) {
      n = -n;
      d = -d;
    }
  }
  if (n <= SAFE_BIG && n >= -SAFE_BIG && d <= SAFE_BIG) return { num: Number(n), den: Number(d) };
  if (bitLength(n) > MAX_BITS || bitLength(d) > MAX_BITS) return null;
  return { num: n, den: d };
}

export function addRational(a: Rational, b: Rational): Rational | null {
  if (typeof a.num === "number" && typeof b.num === "number") {
    const ad = a.den as number;
    const bd = b.den as number;
    if (ad === 1 && bd === 1) {
      const sum = a.num + b.num;
      if (sum <= SAFE && sum >= -SAFE) return { num: sum, den: 1 };
    } else {
      const left = a.num * bd;
      const right = b.num * ad;
      const den = ad * bd;
      const sum = left + right;
      if (Math.abs(left) <= SAFE && Math.abs(right) <= SAFE && den <= SAFE && Math.abs(sum) <= SAFE)
        return rational(sum, den);
    }
  }
  const bd = BigInt(b.den);
  const ad = BigInt(a.den);
  return reduceBig(BigInt(a.num) * bd + BigInt(b.num) * ad, ad * bd);
}

export function mulRational(a: Rational, b: Rational): Rational | null {
  if (typeof a.num === "number" && typeof b.num === "number") {
    const num = a.num * b.num;
    const den = (a.den as number) * (b.den as number);
    if (Math.abs(num) <= SAFE && den <= SAFE)
      return den === 1 ? { num: num + 0, den: 1 } : rational(num, den);
  }
  return reduceBig(BigInt(a.num) * BigInt(b.num), BigInt(a.den) * BigInt(b.den));
}

export function negRational(a: Rational): Rational {
  return typeof a.num === "number"
    ? { num: a.num === 0 ? 0 : -a.num, den: a.den as number }
    : { num: -a.num, den: a.den as bigint };
}

/** 1/a. @throws {RangeError} when a is 0 */
export function inverseRational(a: Rational): Rational {
  if (isZero(a)) throw new RangeError("rational: division by 0");
  if (typeof a.num === "number")
    return a.num < 0 ? { num: -(a.den as number), den: -a.num } : { num: a.den as number, den: a.num };
  return a.num < 0n ? { num: -(a.den as bigint), den: -a.num } : { num: a.den as bigint, den: a.num };
}

/** a^n for an integer n, or null beyond the size cap. @throws {RangeError} for 0 to a negative power */
export function powRational(a: Rational, n: number): Rational | null {
  if (n < 0) return powRational(inverseRational(a), -n);
  if (n === 0) return ONE;
  if (n === 1) return a;
  const num = BigInt(a.num);
  const den = BigInt(a.den);
  if ((num === 1n || num === -1n || num === 0n) && den === 1n) {
    if (num === 0n) return ZERO;
    return num === 1n || n % 2 === 0 ? ONE : { num: -1, den: 1 };
  }
  if (Math.max(bitLength(num) - 3, bitLength(den) - 3) * n > MAX_BITS) return null;
  const power = num ** BigInt(n);
  const below = den ** BigInt(n);
  if (power <= SAFE_BIG && power >= -SAFE_BIG && below <= SAFE_BIG)
    return { num: Number(power), den: Number(below) };
  if (bitLength(power) > MAX_BITS || bitLength(below) > MAX_BITS) return null;
  return { num: power, den: below };
}

export function isZero(a: Rational): boolean {
  return a.num === 0 || a.num === 0n;
}

export function isInteger(a: Rational): boolean {
  return a.den === 1 || a.den === 1n;
}

/** -1, 0 or 1. */
export function signRational(a: Rational): number {
  return a.num < 0 ? -1 : isZero(a) ? 0 : 1;
}

/** The integer as a number when it is a safe integer, else null. */
export function safeInteger(a: Rational): number | null {
  return a.den === 1 ? (a.num as number) : null;
}

export function compareRational(a: Rational, b: Rational): number {
  if (typeof a.num === "number" && typeof b.num === "number") {
    const left = a.num * (b.den as number);
    const right = b.num * (a.den as number);
    if (Math.abs(left) <= SAFE && Math.abs(right) <= SAFE) return left - right;
  }
  const left = BigInt(a.num) * BigInt(b.den);
  const right = BigInt(b.num) * BigInt(a.den);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The largest integer not above a. */
export function floorRational(a: Rational): Rational {
  if (typeof a.num === "number") return { num: Math.floor(a.num / (a.den as number)) + 0, den: 1 };
  const den = a.den as bigint;
  const down = a.num / den - (a.num < 0n && a.num % den !== 0n ? 1n : 0n);
  return rational(down) as Rational;
}

/** Canonical text: "n" or "n/d", hexadecimal when large. */
export function rationalText(a: Rational): string {
  if (typeof a.num === "number") return a.den === 1 ? `${a.num}` : `${a.num}/${a.den}`;
  return a.den === 1n ? `x${a.num.toString(16)}` : `x${a.num.toString(16)}/${(a.den as bigint).toString(16)}`;
}

/** Numbers with more digits are opaque: nothing multiplies them usefully. */
const MAX_DIGITS = 2000;

/** Of the e-notation; physical quantities stay far below. */
const MAX_EXPONENT = 400;

/**
 * Exact value of the lexer's number text: digits, an optional fraction, `(` before a repeating part, an exponent.
 * Null beyond the size caps.
 */
export function parseNumber(text: string): Rational | null {
  if (text.length <= 15) {
    let plain = 0;
    let i = 0;
    for (; i < text.length; i++) {
      const digit = text.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) break;
      plain = plain * 10 + digit;
    }
    if (i === text.length) return { num: plain, den: 1 };
  }
  if (text.length > MAX_DIGITS) return null;
  const match = /^(\d*)(?:\.(\d*))?(?:\((\d+))?(?:e([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  const [, whole = "", fraction = "", repeating = "", exponent = "0"] = match;
  const power = Number(exponent);
  if (Math.abs(power) > MAX_EXPONENT) return null;
  let value = rational(BigInt(whole + fraction || "0"), 10n ** BigInt(fraction.length));
  if (value !== null && repeating !== "") {
    const period = 10n ** BigInt(repeating.length) - 1n;
    const tail = rational(BigInt(repeating), period * 10n ** BigInt(fraction.length));
    value = tail === null ? null : addRational(value, tail);
  }
  if (value === null || power === 0) return value;
  const scale = rational(10n ** BigInt(Math.abs(power))) as Rational;
  return mulRational(value, power > 0 ? scale : inverseRational(scale));
}
