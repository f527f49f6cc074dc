/**
 * Values of named functions: elementary functions by double-double, integer functions exactly, the rest (and
 * rounding functions of a symbol) by name. Source for conventions: log without a base is the common logarithm,
 * inverse functions take principal values, a mod b has the sign of b.
 */
import type { Node } from "./ast.ts";
import { angle, exp, log, sinCos, sqrt } from "./elementary.ts";
import { type Evaluation, LN10 } from "./evaluate.ts";
import {
  addRational,
  bitLength,
  compareRational,
  floorRational,
  isInteger,
  negRational,
  type Rational,
  rational,
  safeInteger,
  signRational,
} from "./rational.ts";
import {
  add,
  div,
  fromRational,
  inverse,
  mul,
  neg,
  real,
  sub,
  toRational,
  UNRELIABLE,
  VALUE_I,
  VALUE_ONE,
  type Value,
  valueText,
} from "./value.ts";

const HALF = fromRational({ num: 1, den: 2 });
/** Lower arguments of a binomial coefficient that are multiplied out. */
const MAX_CHOOSE = 400;
/** Size of a determinant that is expanded. */
const MAX_DETERMINANT = 5;

type Elementary = (x: Value) => Value;

const ELEMENTARY: Readonly<Record<string, Elementary>> = {
  sin: (x) => sinCos(x)[0],
  cos: (x) => sinCos(x)[1],
  tan: (x) => quotient(sinCos(x)),
  cot: (x) => inverse(quotient(sinCos(x))),
  sec: (x) => inverse(sinCos(x)[1]),
  csc: (x) => inverse(sinCos(x)[0]),
  cis: (x) => {
    const [s, c] = sinCos(x);
    return add(c, mul(VALUE_I, s));
  },
  sinh: (x) => mul(sub(exp(x), exp(neg(x))), HALF),
  cosh: (x) => mul(add(exp(x), exp(neg(x))), HALF),
  tanh: (x) => hyperbolicTangent(x),
  coth: (x) => inverse(hyperbolicTangent(x)),
  arcsin: (x) => withinOne(x, (y) => angle(y, sqrt(sub(VALUE_ONE, mul(y, y))))),
  arccos: (x) => withinOne(x, (y) => angle(sqrt(sub(VALUE_ONE, mul(y, y))), y)),
  arctan: (x) => angle(x, VALUE_ONE),
  arccot: (x) => angle(VALUE_ONE, x),
  arcsec: (x) => withinOne(inverse(x), (y) => angle(sqrt(sub(VALUE_ONE, mul(y, y))), y)),
  arccsc: (x) => withinOne(inverse(x), (y) => angle(y, sqrt(sub(VALUE_ONE, mul(y, y))))),
  arcsinh: (x) => log(add(x, sqrt(add(mul(x, x), VALUE_ONE)))),
  exp,
  ln: log,
};

function quotient([s, c]: [Value, Value]): Value {
  return div(s, c);
}

function hyperbolicTangent(x: Value): Value {
  const up = exp(x);
  const down = exp(neg(x));
  return div(sub(up, down), add(up, down));
}

/** The inverse functions are evaluated on [-1, 1] only. */
function withinOne(x: Value, f: Elementary): Value {
  return x.im.hi === 0 && Math.abs(real(x).hi) <= 1 ? f(x) : UNRELIABLE;
}

/** Value of a `function` node. */
export function call(evaluation: Evaluation, one: Node): Value {
  const name = one.text;
  const elementary = Object.hasOwn(ELEMENTARY, name) ? ELEMENTARY[name] : undefined;
  const first = one.args[0] as Node;
  if (elementary !== undefined && one.args.length === 1) {
    const x = evaluation.evaluate(first);
    const value = elementary(x);
    return valueText(value) === null ? evaluation.generator(name, evaluation.textOf(x, first)) : value;
  }
  switch (name) {
    case "log":
      return logarithm(evaluation, one);
    case "factorial":
      return evaluation.factorial(evaluation.evaluate(first), first);
    case "binom":
      return binomial(evaluation, one);
    case "floor":
    case "ceil":
    case "round":
      return rounded(evaluation, name, first);
    case "abs":
    case "norm":
      return absolute(evaluation, name, first);
    case "gcd":
    case "lcm":
    case "max":
    case "min":
      return symmetric(evaluation, name, one.args);
    case "sgn": {
      const x = evaluation.evaluate(first);
      const exact = x.free ? null : toRational(x);
      if (exact !== null) return fromRational({ num: signRational(exact), den: 1 });
      break;
    }
    case "det":
      if (first.op === "matrix") return determinant(evaluation, first);
      break;
  }
  const parts = one.args.map((arg) => evaluation.textOf(evaluation.evaluate(arg), arg));
  return evaluation.generator(name, ...parts);
}

function logarithm(evaluation: Evaluation, one: Node): Value {
  const [argument, base] = one.args as [Node, Node | undefined];
  const top = log(evaluation.evaluate(argument));
  const below = base === undefined ? LN10 : log(evaluation.evaluate(base));
  const value = div(top, below);
  if (valueText(value) !== null) return value;
  return evaluation.generator(
    "log",
    ...one.args.map((arg) => evaluation.textOf(evaluation.evaluate(arg), arg)),
  );
}

function binomial(evaluation: Evaluation, one: Node): Value {
  const [top, below] = one.args as [Node, Node];
  const n = evaluation.evaluate(top);
  const k = evaluation.evaluate(below);
  const [exactN, exactK] = [n.free ? null : toRational(n), k.free ? null : toRational(k)];
  if (exactN !== null && exactK !== null) {
    const [nn, kk] = [safeInteger(exactN), safeInteger(exactK)];
    if (nn !== null && kk !== null && nn >= 0 && kk >= 0) {
      if (kk > nn) return fromRational({ num: 0, den: 1 });
      const steps = Math.min(kk, nn - kk);
      if (steps <= MAX_CHOOSE) {
        evaluation.charge(steps * 4);
        let value = 1n;
        for (let i = 1; i <= steps; i++) value = (value * BigInt(nn - steps + i)) / BigInt(i);
        const exact = rational(value);
        if (exact !== null) return fromRational(exact);
      }
    }
    return evaluation.generator("binom", evaluation.textOf(n, top), evaluation.textOf(k, below));
  }
  const difference = sub(n, k);
  return div(
    evaluation.factorial(n, top),
    mul(evaluation.factorial(k, below), evaluation.factorial(difference, one)),
  );
}

function rounded(evaluation: Evaluation, name: string, argument: Node): Value {
  const x = evaluation.evaluate(argument);
  let exact = x.free || x.im.hi !== 0 ? null : toRational(x);
  if (exact === null && !x.free && x.im.hi === 0 && Math.abs(x.re.hi) < 1e15 && Number.isFinite(x.error)) {
    // An irrational far enough from an integer rounds like its leading part.
    const near = Math.abs(x.re.hi - Math.round(x.re.hi));
    if (near > 1e-9) exact = rational(Math.floor(x.re.hi * 2) * 2 + 1, 4);
  }
  if (exact === null) return evaluation.generator(name, evaluation.textOf(x, argument));
  if (name === "floor") return fromRational(floorRational(exact));
  if (name === "ceil") return fromRational(negRational(floorRational(negRational(exact))));
  const shifted = addRational(exact, { num: 1, den: 2 });
  return shifted === null ? UNRELIABLE : fromRational(floorRational(shifted));
}

function absolute(evaluation: Evaluation, name: string, argument: Node): Value {
  const x = evaluation.evaluate(argument);
  if (x.exact !== null) return signRational(x.exact) < 0 ? neg(x) : x;
  if (!x.free) {
    if (x.im.hi === 0) return x.re.hi < 0 ? neg(x) : x;
    const conjugate: Value = { ...x, im: { hi: -x.im.hi, lo: -x.im.lo } };
    return sqrt(mul(x, conjugate));
  }
  // |x| and |-x| share a name; x itself does not.
  const positive = x.re.hi < 0 ? neg(x) : x;
  return evaluation.generator(name, evaluation.textOf(positive, argument));
}

function gcdOf(a: bigint, b: bigint, evaluation: Evaluation): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) {
    evaluation.charge(2 + (bitLength(y) >> 6));
    [x, y] = [y, x % y];
  }
  return x;
}

/** gcd, lcm, max, min: exact on numbers, order-free by name otherwise. */
function symmetric(evaluation: Evaluation, name: string, args: readonly Node[]): Value {
  const values = args.map((arg) => evaluation.evaluate(arg));
  const exact = values.map((value) => (value.free ? null : toRational(value)));
  if (exact.every((one) => one !== null)) {
    const numbers = exact as Rational[];
    if (name === "max" || name === "min") {
      let best = numbers[0] as Rational;
      for (const one of numbers) {
        const order = compareRational(one, best);
        if (name === "max" ? order > 0 : order < 0) best = one;
      }
      return fromRational(best);
    }
    if (numbers.every(isInteger)) {
      let total = BigInt((numbers[0] as Rational).num);
      for (const one of numbers.slice(1)) {
        const next = BigInt(one.num);
        const common = gcdOf(total, next, evaluation);
        total = name === "gcd" ? common : common === 0n ? 0n : (total * next) / common;
        if (bitLength(total) > 4096) return UNRELIABLE;
      }
      return fromRational(rational(total < 0n ? -total : total) as Rational);
    }
  }
  if ((name === "max" || name === "min") && values.every((value) => !value.free && value.im.hi === 0)) {
    let best = values[0] as Value;
    for (const one of values) {
      const order = real(one).hi - real(best).hi;
      if (name === "max" ? order > 0 : order < 0) best = one;
    }
    return best;
  }
  const texts = [...new Set(values.map((value, i) => evaluation.textOf(value, args[i] as Node)))].sort();
  if (texts.length === 1) return values[0] as Value;
  return evaluation.generator(name, ...texts);
}

/** Laplace expansion of a small square matrix. */
function determinant(evaluation: Evaluation, matrix: Node): Value {
  const [rows, columns] = matrix.text.split(",").map(Number) as [number, number];
  const by = (): Value => evaluation.generator("det", evaluation.form(matrix, evaluation));
  if (rows !== columns || rows > MAX_DETERMINANT) return by();
  const entries = matrix.args.map((entry) => evaluation.evaluate(entry));
  const expand = (row: number, free: readonly number[]): Value => {
    if (row === rows) return VALUE_ONE;
    let total = fromRational({ num: 0, den: 1 });
    free.forEach((column, position) => {
      evaluation.charge(3);
      const minor = expand(
        row + 1,
        free.filter((one) => one !== column),
      );
      const term = mul(entries[row * columns + column] as Value, minor);
      total = position % 2 === 0 ? add(total, term) : sub(total, term);
    });
    return total;
  };
  return expand(
    0,
    Array.from({ length: columns }, (_, i) => i),
  );
}
