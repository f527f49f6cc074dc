/**
 * Values an expression takes at one point: an exact rational, or a complex double-double with a bound on its error.
 * The bound is what makes keys safe: a term that vanishes below the kept digits, a cancellation, an overflow make
 * the value `unreliable`, and the caller falls back to structure instead of comparing digits.
 */
import {
  DD_ONE,
  DD_ZERO,
  type DoubleDouble,
  ddAdd,
  ddDiv,
  ddFromBigInt,
  ddMul,
  ddNeg,
  ddScale,
} from "./double-double.ts";
import {
  addRational,
  bitLength,
  inverseRational,
  isZero,
  MAX_BITS,
  mulRational,
  negRational,
  ONE,
  type Rational,
  rational,
  rationalText,
  ZERO,
} from "./rational.ts";

export interface Value {
  /** Exact value when it is a known rational. */
  readonly exact: Rational | null;
  /** Real part; meaningless when `exact` is set: use `real()`. */
  readonly re: DoubleDouble;
  readonly im: DoubleDouble;
  /** Bound on the absolute error of each part; infinite = unreliable. */
  readonly error: number;
  /** Does it depend on a symbol? */
  readonly free: boolean;
}

/** Relative error charged to one operation; a few times the real one. */
export const EPSILON = 2 ** -101;
/** A term smaller than this share of the sum would leave no trace in the kept digits. */
const ABSORBED = 2 ** -57;
/** Digits that enter a key: two words of this many bits. */
const WORD = 2 ** 30;
/** A key's 60 bits are trusted when the error stays this far below the value. */
const RELIABLE = 2 ** -76;

export function fromRational(exact: Rational): Value {
  return { exact, re: DD_ZERO, im: DD_ZERO, error: 0, free: false };
}
export const VALUE_ZERO = fromRational(ZERO);
export const VALUE_ONE = fromRational(ONE);
export const UNRELIABLE: Value = {
  exact: null,
  re: DD_ONE,
  im: DD_ZERO,
  error: Number.POSITIVE_INFINITY,
  free: true,
};
export const VALUE_I: Value = { exact: null, re: DD_ZERO, im: DD_ONE, error: 0, free: false };

/** A real double-double as a value. */
export function fromReal(re: DoubleDouble, error: number, free: boolean): Value {
  return make(re, DD_ZERO, error, free);
}

export function make(re: DoubleDouble, im: DoubleDouble, error: number, free: boolean): Value {
  const limit = error * 4;
  const a = Math.abs(re.hi) <= limit ? DD_ZERO : re;
  const b = Math.abs(im.hi) <= limit ? DD_ZERO : im;
  if (a.hi === 0 && b.hi === 0 && Number.isFinite(error)) return VALUE_ZERO;
  if (!Number.isFinite(a.hi + b.hi) || !(error < Number.POSITIVE_INFINITY)) return UNRELIABLE;
  // Below this, products of the parts lose bits to underflow.
  if (Math.max(Math.abs(a.hi), Math.abs(b.hi)) < 1e-250) return UNRELIABLE;
  return { exact: null, re: a, im: b, error, free };
}

/** Real part as a double-double. */
export function real(v: Value): DoubleDouble {
  if (v.exact === null) return v.re;
  const { num, den } = v.exact;
  if (typeof num === "number")
    return den === 1 ? { hi: num, lo: 0 } : ddDiv({ hi: num, lo: 0 }, { hi: den as number, lo: 0 });
  if (den === 1n) return ddFromBigInt(num);
  // Both scaled to fit a double.
  const shift = BigInt(Math.max(0, Math.max(bitLength(num), bitLength(den as bigint)) - 1000));
  return ddDiv(ddFromBigInt(num >> shift), ddFromBigInt((den as bigint) >> shift));
}

/** Error of `real(v)`; infinite for a rational whose last digits a key could not show: x(1 + 10^-40) is not x. */
export function errorOf(v: Value, re: DoubleDouble): number {
  if (v.exact === null) return v.error;
  return isDistinguishable(v.exact) ? Math.abs(re.hi) * EPSILON : Number.POSITIVE_INFINITY;
}

/** Bits of numerator and denominator together, without powers of ten, that 60 bits of a quotient can tell apart. */
const MAX_MIXED_BITS = 58;

function isDistinguishable({ num, den }: Rational): boolean {
  if (typeof num === "number") {
    if (Math.abs(num) * (den as number) < 2 ** MAX_MIXED_BITS) return true;
    return oddBits(BigInt(num)) + oddBits(BigInt(den)) <= MAX_MIXED_BITS;
  }
  if (bitLength(num) > MAX_BITS || bitLength(den as bigint) > MAX_BITS) return false;
  return oddBits(num) + oddBits(den as bigint) <= MAX_MIXED_BITS;
}

/** Bits of |n| after its factors 2 and 5 are taken out; any large number once it is clear there are too many. */
function oddBits(n: bigint): number {
  let rest = n < 0n ? -n : n;
  for (const [power, size] of TENS) while (bitLength(rest) > size && rest % power === 0n) rest /= power;
  while (rest % 2n === 0n && rest !== 0n) rest /= 2n;
  while (rest % 5n === 0n && rest !== 0n && bitLength(rest) > MAX_MIXED_BITS - 8) rest /= 5n;
  return bitLength(rest);
}

/** Powers of two and five that are divided out in one step, largest first, with their sizes. */
const TENS: readonly (readonly [bigint, number])[] = [
  [2n ** 256n, 256],
  [5n ** 64n, 149],
  [2n ** 32n, 32],
  [5n ** 8n, 19],
];

export function size(re: DoubleDouble, im: DoubleDouble): number {
  return Math.max(Math.abs(re.hi), Math.abs(im.hi));
}

/** Does adding parts a and b lose the smaller one entirely? */
function absorbs(a: number, b: number): boolean {
  if (a === 0 || b === 0) return false;
  const x = Math.abs(a);
  const y = Math.abs(b);
  return x < y ? x < y * ABSORBED : y < x * ABSORBED;
}

export function add(a: Value, b: Value): Value {
  if (a.exact !== null && b.exact !== null) {
    const sum = addRational(a.exact, b.exact);
    return sum === null ? UNRELIABLE : fromRational(sum);
  }
  if (a.exact !== null && isZero(a.exact)) return b;
  if (b.exact !== null && isZero(b.exact)) return a;
  const ar = real(a);
  const br = real(b);
  if (absorbs(ar.hi, br.hi) || absorbs(a.im.hi, b.im.hi)) return UNRELIABLE;
  const re = ddAdd(ar, br);
  const im = ddAdd(a.im, b.im);
  const error = errorOf(a, ar) + errorOf(b, br) + size(re, im) * EPSILON;
  return make(re, im, error, a.free || b.free);
}

export function neg(a: Value): Value {
  if (a.exact !== null) return fromRational(negRational(a.exact));
  return { exact: null, re: ddNeg(a.re), im: ddNeg(a.im), error: a.error, free: a.free };
}

export function sub(a: Value, b: Value): Value {
  return add(a, neg(b));
}

export function mul(a: Value, b: Value): Value {
  if (a.exact !== null && b.exact !== null) {
    const product = mulRational(a.exact, b.exact);
    return product === null ? UNRELIABLE : fromRational(product);
  }
  if ((a.exact !== null && isZero(a.exact)) || (b.exact !== null && isZero(b.exact))) {
    return Number.isFinite(a.error + b.error) ? VALUE_ZERO : UNRELIABLE;
  }
  const ar = real(a);
  const br = real(b);
  const free = a.free || b.free;
  const as = size(ar, a.im);
  const bs = size(br, b.im);
  const error = as * errorOf(b, br) + bs * errorOf(a, ar) + as * bs * EPSILON;
  if (a.im.hi === 0 && b.im.hi === 0) return make(ddMul(ar, br), DD_ZERO, error, free);
  const re = ddAdd(ddMul(ar, br), ddNeg(ddMul(a.im, b.im)));
  const im = ddAdd(ddMul(ar, b.im), ddMul(a.im, br));
  return make(re, im, error * 2, free);
}

export function inverse(a: Value): Value {
  if (a.exact !== null) return isZero(a.exact) ? UNRELIABLE : fromRational(inverseRational(a.exact));
  const relative = a.error / size(a.re, a.im) + EPSILON;
  if (!(relative < 1e-15)) return UNRELIABLE;
  if (a.im.hi === 0) {
    const re = ddDiv(DD_ONE, a.re);
    return make(re, DD_ZERO, Math.abs(re.hi) * relative * 2, a.free);
  }
  const norm = ddAdd(ddMul(a.re, a.re), ddMul(a.im, a.im));
  const re = ddDiv(a.re, norm);
  const im = ddNeg(ddDiv(a.im, norm));
  return make(re, im, (relative * 4) / Math.sqrt(norm.hi), a.free);
}

export function div(a: Value, b: Value): Value {
  return mul(a, inverse(b));
}

/**
 * The rational a numeric value plainly is, or null: denominator at most 10^6 and agreement far beyond chance.
 */
export function toRational(v: Value): Rational | null {
  if (v.exact !== null) return v.exact;
  if (v.im.hi !== 0) return null;
  const x = v.re;
  const magnitude = Math.abs(x.hi);
  if (!(magnitude < 1e9 && magnitude > 1e-7 && v.error < magnitude * 2 ** -84)) return null;
  // Continued fraction of the leading part, then one exact check.
  let rest = magnitude;
  let [p0, p1, q0, q1] = [0, 1, 1, 0];
  for (let i = 0; i < 24; i++) {
    const whole = Math.floor(rest);
    [p0, p1] = [p1, whole * p1 + p0];
    [q0, q1] = [q1, whole * q1 + q0];
    if (q1 > 1e6 || p1 > 1e12) return null;
    const fraction = rest - whole;
    if (fraction < 1e-9 || Math.abs(p1 / q1 - magnitude) <= magnitude * 2 ** -51) break;
    rest = 1 / fraction;
  }
  if (Math.abs(p1 / q1 - magnitude) > magnitude * 2 ** -50) return null;
  const near = ddDiv({ hi: p1, lo: 0 }, { hi: q1, lo: 0 });
  const distance = ddAdd(x.hi < 0 ? ddNeg(x) : x, ddNeg(near));
  if (Math.abs(distance.hi) > Math.max(v.error * 4, magnitude * 2 ** -98)) return null;
  return rational(x.hi < 0 ? -p1 : p1, q1);
}

/** The leading 60 bits of a part, rounded, as text; null when the error reaches them. */
function partText(x: DoubleDouble, error: number): string | null {
  if (x.hi === 0) return "0";
  const magnitude = Math.abs(x.hi);
  if (!(error <= magnitude * RELIABLE)) return null;
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--;
  // In two factors: 2^1000 alone would overflow for tiny values.
  const half = Math.trunc(-exponent / 2);
  const m = ddScale(ddScale(x.hi < 0 ? ddNeg(x) : x, 2 ** half), 2 ** (-exponent - half));
  const high = Math.floor(m.hi * WORD);
  let low = Math.round(ddAdd(ddScale(m, WORD), { hi: -high, lo: 0 }).hi * WORD);
  let top = high;
  if (low < 0) {
    top--;
    low += WORD;
  } else if (low >= WORD) {
    top++;
    low -= WORD;
  }
  if (top >= 2 * WORD) {
    exponent++;
    top = Math.floor(top / 2);
  }
  return `${x.hi < 0 ? "-" : ""}${exponent}.${top}.${low}`;
}

/** Canonical text of a value: equal for equal values; null when it is unreliable. */
export function valueText(v: Value): string | null {
  const exact = v.exact ?? toRational(v);
  if (exact !== null) return `Q${rationalText(exact)}`;
  const re = partText(v.re, v.error);
  if (re === null) return null;
  if (v.im.hi === 0) return `N${re}`;
  const im = partText(v.im, v.error);
  return im === null ? null : `N${re},${im}`;
}

/** Are two values equal beyond the kept digits? False when either is unreliable. */
export function sameValue(a: Value, b: Value): boolean {
  if (a.exact !== null && b.exact !== null) return rationalText(a.exact) === rationalText(b.exact);
  const ar = real(a);
  const br = real(b);
  const scale = Math.max(size(ar, a.im), size(br, b.im));
  const error = errorOf(a, ar) + errorOf(b, br);
  if (!(error < scale * 2 ** -70)) return false;
  const re = ddAdd(ar, ddNeg(br));
  const im = ddAdd(a.im, ddNeg(b.im));
  return size(re, im) <= Math.max(error * 4, scale * 2 ** -98);
}
