import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DD_E,
  DD_ONE,
  DD_PI,
  type DoubleDouble,
  ddAtan2,
  ddDiv,
  ddExp,
  ddLog,
  ddMul,
  ddSinCos,
  ddSqrt,
  ddSub,
} from "./double-double.ts";
import { exactRoot, pow, sqrt } from "./elementary.ts";
import { hash128 } from "./hash.ts";
import {
  addRational,
  compareRational,
  floorRational,
  mulRational,
  parseNumber,
  powRational,
  type Rational,
  rational,
  rationalText,
} from "./rational.ts";
import { add, fromRational, mul, neg, toRational, valueText } from "./value.ts";

const q = (num: number | bigint, den: number | bigint = 1): Rational => rational(num, den) as Rational;

test("rationals agree with BigInt arithmetic across the safe-integer border", () => {
  const integer = fc.oneof(
    fc.integer(),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((n) => n),
  );
  fc.assert(
    fc.property(integer, integer, integer, integer, (a, b, c, d) => {
      if (BigInt(b) === 0n || BigInt(d) === 0n) return;
      const [x, y] = [q(BigInt(a), BigInt(b)), q(BigInt(c), BigInt(d))];
      const [A, B, C, D] = [BigInt(a), BigInt(b), BigInt(c), BigInt(d)];
      expect(addRational(x, y)).toEqual(q(A * D + C * B, B * D));
      expect(mulRational(x, y)).toEqual(q(A * C, B * D));
      expect(Math.sign(compareRational(x, y))).toBe(
        Number(A * D * (B * D > 0n ? 1n : -1n) - C * B * (B * D > 0n ? 1n : -1n) > 0n) -
          Number((A * D - C * B) * (B * D > 0n ? 1n : -1n) < 0n),
      );
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("numbers are read exactly", () => {
  expect(rationalText(parseNumber("0.125") as Rational)).toBe("1/8");
  expect(rationalText(parseNumber("1.5e3") as Rational)).toBe("1500");
  expect(rationalText(parseNumber("0.(36") as Rational)).toBe("4/11");
  expect(rationalText(parseNumber("2.1(6") as Rational)).toBe("13/6");
  expect(parseNumber("1e99999")).toBeNull();
  expect(floorRational(q(-7, 2))).toEqual(q(-4));
  expect(powRational(q(2), 1009)).toEqual(q(2n ** 1009n));
  expect(powRational(q(2), 100_000)).toBeNull();
  expect(exactRoot(q(-27, 8), 3)).toEqual(q(-3, 2));
  expect(exactRoot(q(10n ** 40n), 2)).toEqual(q(10n ** 20n));
  expect(exactRoot(q(2), 2)).toBeNull();
});

/** |a - b| relative to b. */
const distance = (a: DoubleDouble, b: DoubleDouble): number =>
  Math.abs(ddSub(a, b).hi) / Math.max(1e-300, Math.abs(b.hi));

test("elementary functions invert each other to 28 digits", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 50, noNaN: true }),
      fc.double({ min: -1e-17, max: 1e-17, noNaN: true }),
      (hi, share) => {
        const x = { hi, lo: hi * share };
        expect(distance(ddExp(ddLog(x)), x)).toBeLessThan(1e-28);
        const root = ddSqrt(x);
        expect(distance(ddMul(root, root), x)).toBeLessThan(1e-30);
        expect(distance(ddMul(ddDiv(DD_ONE, x), x), DD_ONE)).toBeLessThan(1e-30);
        const [s, c] = ddSinCos(x);
        expect(Math.abs(ddSub(DD_ONE, { hi: ddMul(s, s).hi + ddMul(c, c).hi, lo: 0 }).hi)).toBeLessThan(
          1e-15,
        );
        const angle = { hi: hi / 20, lo: 0 };
        const [t, u] = ddSinCos(angle);
        expect(distance(ddAtan2(t, u), angle)).toBeLessThan(1e-28);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
  expect(distance(ddExp(DD_ONE), DD_E)).toBeLessThan(1e-30);
  expect(Math.abs(ddSinCos(DD_PI)[0].hi)).toBeLessThan(1e-31);
});

test("values: rational where they are, unreliable where digits are lost", () => {
  const two = fromRational(q(2));
  const root = sqrt(two);
  expect(toRational(mul(root, root))).toEqual(q(2));
  expect(valueText(add(root, neg(root)))).toBe("Q0");
  expect(valueText(pow(fromRational(q(-8)), fromRational(q(1, 3))) as never)).toBe("Q-2");
  expect(valueText(add(root, fromRational(q(1n, 10n ** 40n))))).toBeNull();
  expect(pow(fromRational(q(10)), fromRational(q(10n ** 10n)))).toBeNull();
});

test("the hash spreads: one changed character changes half of the bits", () => {
  let changed = 0;
  const trials = 400;
  for (let i = 0; i < trials; i++) {
    const [a, b] = [BigInt(`0x${hash128(`asgj=Q${i}`)}`), BigInt(`0x${hash128(`asgk=Q${i}`)}`)];
    changed += (a ^ b).toString(2).replaceAll("0", "").length;
  }
  expect(changed / trials).toBeGreaterThan(60);
  expect(changed / trials).toBeLessThan(68);
  const seen = new Set(Array.from({ length: 20_000 }, (_, i) => hash128(`N${i}`).slice(0, 16)));
  expect(seen.size).toBe(20_000);
});
