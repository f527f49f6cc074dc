/**
 * The value of an expression at a fixed pseudo-random point. Equal mathematics has equal values whatever the way it
 * is written; what has no value (unknown functions, units, relations inside a product) takes a pseudo-random value
 * named by its own canonical form, so that products with it still commute.
 * No state survives a call except pure caches. All work is charged to a budget.
 */
import type { Node } from "./ast.ts";
import { DD_E, DD_PI, type DoubleDouble, ddDiv, ddLog } from "./double-double.ts";
import { exp, pow, sqrt } from "./elementary.ts";
import { call as callFunction } from "./functions.ts";
import { hash32 } from "./hash.ts";
import {
  addRational,
  floorRational,
  inverseRational,
  mulRational,
  negRational,
  safeInteger,
} from "./rational.ts";
import {
  add,
  div,
  fromRational,
  fromReal,
  mul,
  neg,
  toRational,
  UNRELIABLE,
  VALUE_I,
  VALUE_ONE,
  VALUE_ZERO,
  type Value,
  valueText,
} from "./value.ts";

/** Thrown inside this module when an expression is too much work; the caller turns it into a structural form. */
export class BudgetExceeded extends Error {}

/** Work units of one evaluation, about 50 nanoseconds each: well under a millisecond. */
const BUDGET = 8_000;
/** Terms of a sum or product that is added up. */
const MAX_TERMS = 1000;
/** Shifts by integers a factorial of a symbol is reduced by. */
const MAX_SHIFT = 64;
/** Names with a cached value. */
const CACHE_SIZE = 4096;

const symbolCache: [Map<string, Value>, Map<string, Value>] = [new Map(), new Map()];

/** A pseudo-random number in (1.1, 1.9) with about 100 random bits, named by `name`; exact by definition. */
function randomReal(name: string, point: number): DoubleDouble {
  const hi =
    1.1 + (0.8 * (hash32(name, 0x51ed270b + point) + hash32(name, 0x7f4a7c15 + point) / 2 ** 32)) / 2 ** 32;
  const lo = (hash32(name, 0x2545f491 + point) / 2 ** 32 - 0.5) * 2 ** -54;
  return { hi, lo };
}

/** The fixed value of a symbol or of anything with a name. */
export function namedValue(name: string, point: 0 | 1): Value {
  const cache = symbolCache[point];
  let value = cache.get(name);
  if (value === undefined) {
    value = fromReal(randomReal(name, point), 0, true);
    if (cache.size >= CACHE_SIZE) cache.clear();
    cache.set(name, value);
  }
  return value;
}

const PI = fromReal(DD_PI, 2 ** -106, false);
const E = fromReal(DD_E, 2 ** -106, false);
const DEGREE = fromReal(ddDiv(DD_PI, { hi: 180, lo: 0 }), 2 ** -110, false);
const HUNDREDTH = fromRational({ num: 1, den: 100 });
/** ln 10, for the common logarithm. */
export const LN10 = fromReal(ddLog({ hi: 10, lo: 0 }), 2 ** -102, false);

export class Evaluation {
  /** Which of the two fixed points. */
  readonly point: 0 | 1;
  /** Canonical form of a node that has no value. */
  readonly form: (one: Node, evaluation: Evaluation) => string;
  /** +1 or -1: the branch taken at every plus-minus sign. */
  readonly sign: 1 | -1;
  private readonly bound = new Map<string, Value>();
  private left = BUDGET;

  constructor(form: (one: Node, evaluation: Evaluation) => string, point: 0 | 1 = 0, sign: 1 | -1 = 1) {
    this.form = form;
    this.point = point;
    this.sign = sign;
  }

  /** Gives a symbol another value for this evaluation. */
  bind(name: string, value: Value): void {
    this.bound.set(name, value);
  }

  /** @throws {BudgetExceeded} */
  charge(units: number): void {
    this.left -= units;
    if (this.left < 0) throw new BudgetExceeded();
  }

  /** A value named by the canonical forms of what it depends on. */
  generator(kind: string, ...parts: string[]): Value {
    return namedValue(`${kind}\u0002${parts.join("\u0003")}`, this.point);
  }

  /** Canonical text of a value; falls back to the structure of the node it came from. */
  textOf(value: Value, one: Node): string {
    return valueText(value) ?? `S${this.form(one, this)}`;
  }

  evaluate(one: Node): Value {
    this.charge(1);
    switch (one.op) {
      case "number":
        return one.value === null ? UNRELIABLE : fromRational(one.value);
      case "symbol":
        return this.bound.get(one.text) ?? namedValue(one.text, this.point);
      case "constant":
        return this.constant(one.text);
      case "add":
        return this.sum(one);
      case "mul":
        return this.product(one);
      case "neg":
        return neg(this.evaluate(one.args[0] as Node));
      case "div": {
        this.charge(4);
        return div(this.evaluate(one.args[0] as Node), this.evaluate(one.args[1] as Node));
      }
      case "pow":
        return this.power(one, one.args[0] as Node, this.evaluate(one.args[1] as Node));
      case "root":
        return this.root(one);
      case "percent":
        return mul(this.evaluate(one.args[0] as Node), HUNDREDTH);
      case "plusminus": {
        const right = this.evaluate(one.args.at(-1) as Node);
        const plus = (one.text === "±" ? 1 : -1) * this.sign === 1;
        const signed = plus ? right : neg(right);
        return one.args.length === 1 ? signed : add(this.evaluate(one.args[0] as Node), signed);
      }
      case "mod":
        return this.modulo(one);
      case "function":
        this.charge(60);
        return callFunction(this, one);
      case "big":
        return this.big(one);
      case "set":
      case "tuple":
        // Redundant grouping: `\left\{x + y\right\} z`.
        if (one.args.length === 1) return this.evaluate(one.args[0] as Node);
        return this.generator("form", this.form(one, this));
      default:
        return this.generator("form", this.form(one, this));
    }
  }

  private constant(name: string): Value {
    const bound = this.bound.get(name);
    if (bound !== undefined) return bound;
    switch (name) {
      case "pi":
        return PI;
      case "e":
        return E;
      case "i":
        return VALUE_I;
      case "degree":
        return DEGREE;
      default:
        return namedValue(`constant:${name}`, this.point);
    }
  }

  private sum(one: Node): Value {
    let total = VALUE_ZERO;
    for (const term of one.args) {
      this.charge(3);
      total = add(total, this.evaluate(term));
      this.chargeSize(total);
    }
    return total;
  }

  private product(one: Node): Value {
    let total = VALUE_ONE;
    for (const factor of one.args) {
      this.charge(3);
      total = mul(total, this.evaluate(factor));
      this.chargeSize(total);
    }
    return total;
  }

  /** Large integers cost by the square of their size. */
  private chargeSize(value: Value): void {
    if (value.exact !== null && typeof value.exact.num === "bigint") {
      const { num, den } = value.exact as { num: bigint; den: bigint };
      const digits = num.toString(16).length + den.toString(16).length;
      // A fraction was reduced: Euclid's algorithm takes about two steps per hexadecimal digit.
      this.charge(((digits * digits) >> 11) + (den === 1n ? digits >> 3 : 2 * digits));
    }
  }

  private power(one: Node, base: Node, exponent: Value): Value {
    this.charge(exponent.exact !== null ? 12 : 200);
    if (base.op === "constant" && base.text === "e" && !this.bound.has("e")) {
      const value = exp(exponent);
      if (valueText(value) !== null) return value;
      return this.generator("pow", "e", this.textOf(exponent, one));
    }
    // `\sin^{2} x` and `f'^2` evaluate their base like any other.
    const below = this.evaluate(base);
    const value = pow(below, exponent);
    if (value !== null) {
      this.chargeSize(value);
      return value;
    }
    return this.generator("pow", this.textOf(below, base), this.textOf(exponent, one.args[1] as Node));
  }

  private root(one: Node): Value {
    this.charge(30);
    const [radicand, index] = one.args as [Node, Node];
    const k = index.value === null ? null : safeInteger(index.value);
    const inner = this.evaluate(radicand);
    if (k === 2) return sqrt(inner);
    const degree = this.evaluate(index);
    const exact = toRational(degree);
    if (exact !== null && exact.num === 0) return UNRELIABLE;
    const exponent = exact === null ? div(VALUE_ONE, degree) : fromRational(inverseRational(exact));
    this.charge(60);
    return (
      pow(inner, exponent) ?? this.generator("root", this.textOf(inner, radicand), this.textOf(degree, index))
    );
  }

  private modulo(one: Node): Value {
    const [left, right] = one.args as [Node, Node];
    const a = this.evaluate(left);
    const b = this.evaluate(right);
    const [x, m] = [a.free ? null : toRational(a), b.free ? null : toRational(b)];
    if (x !== null && m !== null && m.num !== 0) {
      this.charge(20);
      const quotient = mulRational(x, inverseRational(m));
      const whole = quotient === null ? null : mulRational(floorRational(quotient), m);
      const rest = whole === null ? null : addRational(x, negRational(whole));
      if (rest !== null) return fromRational(rest);
    }
    return this.generator("mod", this.textOf(a, left), this.textOf(b, right));
  }

  /** n! for an integer; for a symbol, a function with (x+1)! = (x+1) x!. */
  factorial(value: Value, source: Node): Value {
    const exact = value.free ? null : toRational(value);
    const n = exact === null ? null : safeInteger(exact);
    if (n !== null && n >= 0 && n <= 900) {
      this.charge(n);
      let product = 1n;
      for (let i = 2; i <= n; i++) product *= BigInt(i);
      return fromRational(
        product <= 9007199254740991n ? { num: Number(product), den: 1 } : { num: product, den: 1n },
      );
    }
    if (exact !== null || value.im.hi !== 0) return this.generator("factorial", this.textOf(value, source));
    // Reduce the argument to (1, 2] and multiply by the factors in between.
    const shift = Math.ceil(value.re.hi) - 2;
    if (Math.abs(shift) > MAX_SHIFT) return this.generator("factorial", this.textOf(value, source));
    this.charge(5 * Math.abs(shift));
    const start = add(value, fromRational({ num: -shift, den: 1 }));
    let result = this.generator("factorial", this.textOf(start, source));
    for (let i = 1; i <= shift; i++) result = mul(result, add(start, fromRational({ num: i, den: 1 })));
    for (let i = 0; i > shift; i--) result = div(result, add(start, fromRational({ num: i, den: 1 })));
    return result;
  }

  /** Sums and products over integers are added up; everything else is named by its parts. */
  private big(one: Node): Value {
    const [lower, upper, body] = one.args as [Node, Node, Node];
    const [kind, name] = one.text.split(" ") as [string, string];
    if ((kind === "sum" || kind === "prod") && name !== "") {
      const from = this.integer(lower);
      const to = this.integer(upper);
      if (from !== null && to !== null && to - from < MAX_TERMS && to >= from) {
        let total = kind === "sum" ? VALUE_ZERO : VALUE_ONE;
        const shadowed = this.bound.get(name);
        for (let k = from; k <= to; k++) {
          this.charge(10);
          this.bound.set(name, fromRational({ num: k, den: 1 }));
          const term = this.evaluate(body);
          total = kind === "sum" ? add(total, term) : mul(total, term);
          this.chargeSize(total);
        }
        this.restore(name, shadowed);
        return total;
      }
    }
    // The bound name does not matter: it is renamed by nesting depth.
    const parts = [this.boundForm(lower), this.boundForm(upper)];
    if (name === "") return this.generator(kind, ...parts, this.boundForm(body));
    const shadowed = this.bound.get(name);
    this.bound.set(name, namedValue(`bound:${this.bound.size}`, this.point));
    const inner = this.boundForm(body);
    this.restore(name, shadowed);
    return this.generator(kind, ...parts, inner);
  }

  /** Form of a part under the current bindings. */
  private boundForm(one: Node): string {
    if (one.op === "empty") return "";
    if (one.op === "relation" || one.op === "list") return this.form(one, this);
    return this.textOf(this.evaluate(one), one);
  }

  private restore(name: string, value: Value | undefined): void {
    if (value === undefined) this.bound.delete(name);
    else this.bound.set(name, value);
  }

  private integer(one: Node): number | null {
    if (one.op === "empty" || one.op === "relation") return null;
    const value = this.evaluate(one);
    const exact = value.free ? null : toRational(value);
    return exact === null ? null : safeInteger(exact);
  }
}
