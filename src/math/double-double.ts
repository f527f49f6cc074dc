/**
 * Double-double arithmetic: a real as the unevaluated sum of two doubles, about 106 bits, and the elementary
 * functions on it. Results depend on IEEE double arithmetic only: the platform's exp, log and atan2 give starting
 * points, never digits.
 * Source: Dekker (1971) and Knuth (TAOCP 4.2.2) for the exact sum and product; Newton's method for the inverses.
 */

export interface DoubleDouble {
  readonly hi: number;
  readonly lo: number;
}

export const DD_ZERO: DoubleDouble = { hi: 0, lo: 0 };
export const DD_ONE: DoubleDouble = { hi: 1, lo: 0 };
export const DD_PI: DoubleDouble = { hi: Math.PI, lo: 1.2246467991473532e-16 };
export const DD_E: DoubleDouble = { hi: Math.E, lo: 1.4456468917292502e-16 };
const LN2: DoubleDouble = { hi: Math.LN2, lo: 2.3190468138462996e-17 };
/** pi/2 in three parts, for the reduction of larger angles. */
const HALF_PI = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33] as const;
const SPLIT = 134217729; // 2^27 + 1

/** a + b rounded once more; |a| >= |b| is required. */
function quick(a: number, b: number): DoubleDouble {
  const hi = a + b;
  return { hi, lo: b - (hi - a) };
}

export function ddAdd(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const s = a.hi + b.hi;
  const bb = s - a.hi;
  const e = a.hi - (s - bb) + (b.hi - bb);
  const t = a.lo + b.lo;
  const tb = t - a.lo;
  const f = a.lo - (t - tb) + (b.lo - tb);
  const first = e + t;
  const hi = s + first;
  const low = first - (hi - s) + f;
  const sum = hi + low;
  return { hi: sum, lo: low - (sum - hi) };
}

export function ddNeg(a: DoubleDouble): DoubleDouble {
  return { hi: -a.hi, lo: -a.lo };
}

export function ddSub(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  return ddAdd(a, { hi: -b.hi, lo: -b.lo });
}

export function ddMul(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const p = a.hi * b.hi;
  const at = SPLIT * a.hi;
  const ah = at - (at - a.hi);
  const al = a.hi - ah;
  const bt = SPLIT * b.hi;
  const bh = bt - (bt - b.hi);
  const bl = b.hi - bh;
  const e = ah * bh - p + ah * bl + al * bh + al * bl + (a.hi * b.lo + a.lo * b.hi);
  const hi = p + e;
  return { hi, lo: e - (hi - p) };
}

/** a times a double that is a power of two: exact. */
export function ddScale(a: DoubleDouble, power: number): DoubleDouble {
  return { hi: a.hi * power, lo: a.lo * power };
}

export function ddDiv(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const q1 = a.hi / b.hi;
  let r = ddSub(a, ddMul(b, { hi: q1, lo: 0 }));
  const q2 = r.hi / b.hi;
  r = ddSub(r, ddMul(b, { hi: q2, lo: 0 }));
  const q3 = r.hi / b.hi;
  return ddAdd(quick(q1, q2), { hi: q3, lo: 0 });
}

/** Square root of a >= 0 (Karp's method, with one more correction). */
export function ddSqrt(a: DoubleDouble): DoubleDouble {
  if (a.hi <= 0) return DD_ZERO;
  const root = Math.sqrt(a.hi);
  const start = { hi: root, lo: 0 };
  const first = ddAdd(start, { hi: ddSub(a, ddMul(start, start)).hi / (2 * root), lo: 0 });
  return ddAdd(first, { hi: ddSub(a, ddMul(first, first)).hi / (2 * root), lo: 0 });
}

/** A finite double as an integer times a power of two: the exact double-double of a large integer. */
export function ddFromBigInt(n: bigint): DoubleDouble {
  const hi = Number(n);
  if (!Number.isFinite(hi)) return { hi, lo: 0 };
  return quick(hi, Number(n - BigInt(hi)));
}

const INVERSE_FACTORIALS: readonly DoubleDouble[] = (() => {
  const table: DoubleDouble[] = [DD_ONE];
  for (let i = 1; i <= 30; i++) table.push(ddDiv(table[i - 1] as DoubleDouble, { hi: i, lo: 0 }));
  return table;
})();

/** e^a; infinite above 709, 0 below -745. */
export function ddExp(a: DoubleDouble): DoubleDouble {
  if (a.hi > 709) return { hi: Number.POSITIVE_INFINITY, lo: 0 };
  if (a.hi < -745) return DD_ZERO;
  if (a.hi === 0) return DD_ONE;
  const k = Math.round(a.hi / LN2.hi);
  const r = ddScale(ddSub(a, ddMul(LN2, { hi: k, lo: 0 })), 1 / 256);
  // e^r - 1 by Taylor, then eight doublings of (1 + s)^2 - 1 = 2s + s^2, which lose no digits.
  let s = DD_ZERO;
  for (let i = 9; i >= 1; i--) s = ddMul(ddAdd(s, INVERSE_FACTORIALS[i] as DoubleDouble), r);
  for (let i = 0; i < 8; i++) s = ddAdd(ddScale(s, 2), ddMul(s, s));
  const result = ddAdd(s, DD_ONE);
  // Two factors, so that the power itself never overflows.
  const half = Math.trunc(k / 2);
  return ddScale(ddScale(result, 2 ** half), 2 ** (k - half));
}

/** ln a for a > 0. */
export function ddLog(a: DoubleDouble): DoubleDouble {
  const start = { hi: Math.log(a.hi), lo: 0 };
  const correct = (x: DoubleDouble): DoubleDouble => ddAdd(x, ddSub(ddMul(a, ddExp(ddNeg(x))), DD_ONE));
  const once = correct(start);
  // Near 1 the logarithm is small and one Newton step leaves fewer correct digits.
  return Math.abs(a.hi - 1) < 0.1 ? correct(once) : once;
}

/** [sin a, cos a] for |a| <= 1e6; beyond, digits are lost. */
export function ddSinCos(a: DoubleDouble): [DoubleDouble, DoubleDouble] {
  const k = Math.round(a.hi / HALF_PI[0]);
  let r = a;
  if (k !== 0) for (const part of HALF_PI) r = ddSub(r, ddMul({ hi: part, lo: 0 }, { hi: k, lo: 0 }));
  const square = ddMul(r, r);
  let s = DD_ZERO;
  let c = DD_ZERO;
  for (let i = 13; i >= 0; i--) {
    const sign = i % 2 === 0 ? 1 : -1;
    const fs = INVERSE_FACTORIALS[2 * i + 1] as DoubleDouble;
    const fc = INVERSE_FACTORIALS[2 * i] as DoubleDouble;
    s = ddAdd(ddMul(s, square), sign === 1 ? fs : ddNeg(fs));
    c = ddAdd(ddMul(c, square), sign === 1 ? fc : ddNeg(fc));
  }
  s = ddMul(s, r);
  switch (((k % 4) + 4) % 4) {
    case 0:
      return [s, c];
    case 1:
      return [c, ddNeg(s)];
    case 2:
      return [ddNeg(s), ddNeg(c)];
    default:
      return [ddNeg(c), s];
  }
}

/** The angle of the point (x, y), in (-pi, pi]. */
export function ddAtan2(y: DoubleDouble, x: DoubleDouble): DoubleDouble {
  if (y.hi === 0) return x.hi >= 0 ? DD_ZERO : DD_PI;
  const start = { hi: Math.atan2(y.hi, x.hi), lo: 0 };
  const radius = ddSqrt(ddAdd(ddMul(x, x), ddMul(y, y)));
  const [s, c] = ddSinCos(start);
  // sin(angle - start); the difference is about 1e-16, where sine and identity agree to 1e-48.
  return ddAdd(start, ddDiv(ddSub(ddMul(y, c), ddMul(x, s)), radius));
}
