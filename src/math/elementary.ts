/**
 * Elementary functions and powers of values: principal branches, real odd roots of negative numbers, and a guard where
 * a function comes so close to a special value that a key could not tell them apart.
 */
import {
  DD_PI,
  DD_ZERO,
  ddAdd,
  ddAtan2,
  ddExp,
  ddLog,
  ddMul,
  ddNeg,
  ddScale,
  ddSinCos,
  ddSqrt,
} from "./double-double.ts";
import {
  bitLength,
  isInteger,
  isZero,
  powRational,
  type Rational,
  rational,
  safeInteger,
  signRational,
} from "./rational.ts";
import {
  add,
  EPSILON,
  errorOf,
  fromRational,
  inverse,
  make,
  mul,
  neg,
  real,
  size,
  sub,
  toRational,
  UNRELIABLE,
  VALUE_I,
  VALUE_ONE,
  VALUE_ZERO,
  type Value,
} from "./value.ts";

/** Integers up to this power are multiplied out. */
const MAX_PRODUCT_POWER = 512;

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
