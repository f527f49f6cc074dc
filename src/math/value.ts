/**
 * Values an expression takes at one point: an exact rational, or a complex double-double with a bound on its error.
 * The bound is what makes keys safe: a term that vanishes below the kept digits, a cancellation, an overflow make
 * the value `unreliable`, and the caller falls back to structure instead of comparing digits.
 */
import {
  DD_ONE,
  DD_PI,
  DD_ZERO,
  type DoubleDouble,
  ddAdd,
  ddAtan2,
  ddDiv,
  ddExp,
  ddFromBigInt,
  ddLog,
  ddMul,
  ddNeg,
  ddScale,
  ddSinCos,
  ddSqrt,
} from "./double-double.ts";
import {
  addRational,
  bitLength,
  inverseRational,
  isInteger,
  isZero,
  MAX_BITS,
  mulRational,
  negRational,
  ONE,
  powRational,
  type Rational,
  rational,
  rationalText,
  safeInteger,
  signRational,
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
const EPSILON = 2 ** -101;
/** A term smaller than this share of the sum would leave no trace in the kept digits. */
const ABSORBED = 2 ** -57;
/** Digits that enter a key: two words of this many bits. */
const WORD = 2 ** 30;
/** A key's 60 bits are trusted when the error stays this far below the value. */
const RELIABLE = 2 ** -76;
/** Integers up to this power are multiplied out. */
const MAX_PRODUCT_POWER = 512;

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

function make(re: DoubleDouble, im: DoubleDouble, error: number, free: boolean): Value {
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
function errorOf(v: Value, re: DoubleDouble): number {
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

function size(re: DoubleDouble, im: DoubleDouble): number {
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

/** e^a. */
export function exp(a: Value): Value {
  const re = real(a);
  const scale = ddExp(re);
  if (!Number.isFinite(scale.hi) || scale.hi === 0) return UNRELIABLE;
  const relative = errorOf(a, re) + EPSILON * (8 + Math.abs(re.hi));
  if (a.im.hi === 0) return guard(make(scale, DD_ZERO, scale.hi * relative, a.free), 1, a);
  if (Math.abs(a.im.hi) > 1e5) return UNRELIABLE;
  const [s, c] = ddSinCos(a.im);
  const more = relative + EPSILON * Math.abs(a.im.hi);
  return make(ddMul(scale, c), ddMul(scale, s), scale.hi * more * 2, a.free);
}

/** A function that comes this close to a special value for an argument that is not special cannot be told from it. */
function guard(result: Value, special: number, argument: Value): Value {
  if (result.exact !== null || (argument.exact !== null && isZero(argument.exact))) return result;
  const distance = Math.abs(Math.abs(result.re.hi) - special);
  if (distance < 1e-14 && result.re.hi !== 0) {
    const rest = ddAdd(result.re, { hi: result.re.hi > 0 ? -special : special, lo: 0 });
    if (Math.abs(rest.hi) > result.error * 4) return UNRELIABLE;
  }
  return result;
}

/** Principal natural logarithm. */
export function log(a: Value): Value {
  const re = real(a);
  const error = errorOf(a, re);
  const length = size(re, a.im);
  if (length === 0 || !Number.isFinite(error)) return UNRELIABLE;
  const relative = (error / length) * 2 + EPSILON * 8;
  if (a.im.hi === 0) {
    const absolute = re.hi < 0 ? ddNeg(re) : re;
    const value = ddLog(absolute);
    return make(value, re.hi < 0 ? DD_PI : DD_ZERO, relative + Math.abs(value.hi) * EPSILON, a.free);
  }
  const norm = ddAdd(ddMul(re, re), ddMul(a.im, a.im));
  if (!(norm.hi > 0 && Number.isFinite(norm.hi))) return UNRELIABLE;
  const value = ddScale(ddLog(norm), 0.5);
  return make(value, ddAtan2(a.im, re), relative * 2 + Math.abs(value.hi) * EPSILON, a.free);
}

/** [sin a, cos a]. */
export function sinCos(a: Value): [Value, Value] {
  const re = real(a);
  if (a.im.hi !== 0) {
    // By e^(ia) and e^(-ia).
    const up = exp(mul(VALUE_I, a));
    const down = inverse(up);
    const half = fromRational({ num: 1, den: 2 });
    return [mul(mul(sub(up, down), half), neg(VALUE_I)), mul(add(up, down), half)];
  }
  if (!(Math.abs(re.hi) < 1e5)) return [UNRELIABLE, UNRELIABLE];
  const [s, c] = ddSinCos(re);
  const error = errorOf(a, re) + EPSILON * (4 + Math.abs(re.hi));
  return [guard(make(s, DD_ZERO, error, a.free), 1, a), guard(make(c, DD_ZERO, error, a.free), 1, a)];
}

/** The angle whose tangent is y/x, real arguments only. */
export function angle(y: Value, x: Value): Value {
  if (y.im.hi !== 0 || x.im.hi !== 0) return UNRELIABLE;
  const yr = real(y);
  const xr = real(x);
  const radius = Math.hypot(yr.hi, xr.hi);
  if (!(radius > 0)) return UNRELIABLE;
  const error = (errorOf(y, yr) + errorOf(x, xr)) / radius + EPSILON * 8;
  return guard(make(ddAtan2(yr, xr), DD_ZERO, error, y.free || x.free), Math.PI / 2, y);
}

/** Square root, principal branch. */
export function sqrt(a: Value): Value {
  if (a.exact !== null) {
    const root = exactRoot(a.exact, 2);
    if (root !== null) return fromRational(root);
  }
  const re = real(a);
  const error = errorOf(a, re);
  if (a.im.hi === 0) {
    const negative = re.hi < 0;
    const root = ddSqrt(negative ? ddNeg(re) : re);
    const bound = error / root.hi + root.hi * EPSILON * 2;
    return negative ? make(DD_ZERO, root, bound, a.free) : make(root, DD_ZERO, bound, a.free);
  }
  return exp(mul(log(a), fromRational({ num: 1, den: 2 })));
}

/** Exact k-th root of a rational, or null. Odd roots of negative numbers are real. */
export function exactRoot(a: Rational, k: number): Rational | null {
  if (k < 1 || k > 64) return null;
  const negative = signRational(a) < 0;
  if (negative && k % 2 === 0) return null;
  if (typeof a.num === "number") {
    const top = numberRoot(Math.abs(a.num), k);
    const below = numberRoot(a.den as number, k);
    return top === null || below === null ? null : rational(negative ? -top : top, below);
  }
  if (bitLength(a.num) > 1024 || bitLength(a.den as bigint) > 1024) return null;
  const top = bigRoot(a.num < 0n ? -a.num : a.num, k);
  const below = bigRoot(a.den as bigint, k);
  return top === null || below === null ? null : rational(negative ? -top : top, below);
}

function numberRoot(n: number, k: number): number | null {
  if (n < 2) return n;
  const root = Math.round(n ** (1 / k));
  return root ** k === n ? root : null;
}

function bigRoot(n: bigint, k: number): bigint | null {
  if (n < 2n) return n;
  const power = BigInt(k);
  let x = 1n << BigInt(Math.ceil(bitLength(n) / k) + 1);
  for (let i = 0; i < 200; i++) {
    const next = ((power - 1n) * x + n / x ** (power - 1n)) / power;
    if (next >= x) break;
    x = next;
  }
  return x ** power === n ? x : null;
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

/** a^b. Null when it is too large to hold; a real odd root of a negative base is real. */
export function pow(a: Value, b: Value): Value | null {
  const exponent = b.free ? null : toRational(b);
  if (exponent !== null) {
    if (isZero(exponent)) return VALUE_ONE;
    if (isInteger(exponent)) return integerPower(a, exponent);
    const k = typeof exponent.den === "number" ? exponent.den : 0;
    const top = typeof exponent.num === "number" ? exponent.num : 0;
    if (k === 0 || top === 0) return null;
    if (a.exact !== null) {
      if (isZero(a.exact)) return top > 0 ? VALUE_ZERO : UNRELIABLE;
      const root = exactRoot(a.exact, k);
      if (root !== null) return integerPower(fromRational(root), { num: top, den: 1 });
    }
    if (k === 2) return integerPower(sqrt(a), { num: top, den: 1 });
    if (k % 2 === 1 && a.im.hi === 0 && real(a).hi < 0) {
      const positive = pow(neg(a), b);
      if (positive === null) return null;
      return top % 2 === 0 ? positive : neg(positive);
    }
  }
  if (a.exact !== null && isZero(a.exact)) return UNRELIABLE;
  const product = mul(b, log(a));
  if (Math.abs(real(product).hi) > 500) return null;
  return exp(product);
}

function integerPower(a: Value, exponent: Rational): Value | null {
  const n = safeInteger(exponent);
  if (a.exact !== null) {
    if (isZero(a.exact)) return signRational(exponent) > 0 ? VALUE_ZERO : UNRELIABLE;
    if (n !== null) {
      const power = powRational(a.exact, n);
      if (power !== null) return fromRational(power);
    } else if (Math.abs(Number(a.exact.num)) === 1 && isInteger(a.exact)) {
      const odd = BigInt(exponent.num) % 2n !== 0n;
      return signRational(a.exact) < 0 && odd ? neg(VALUE_ONE) : VALUE_ONE;
    }
    return null;
  }
  if (n === null) return null;
  if (Math.abs(n) > MAX_PRODUCT_POWER) {
    const product = mul(fromRational(exponent), log(a));
    return Math.abs(real(product).hi) > 500 ? null : exp(product);
  }
  let result = VALUE_ONE;
  let square = a;
  for (let left = Math.abs(n); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = mul(result, square);
    if (left > 1) square = mul(square, square);
  }
  return n < 0 ? inverse(result) : result;
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
