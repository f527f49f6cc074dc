/**
 * The expressions the V1 grader hands to its computer algebra system: `^`, implicit products, names split into
 * letters. An expression it could not parse is never equal to another one.
 * Source: recipe.md A11; names it knows as constants and functions are those of the original's parser.
 */
import { type Node, node } from "../ast.ts";
import { BudgetExceeded, Evaluation } from "../evaluate.ts";
import { structure } from "../form.ts";
import { parseNumber } from "../rational.ts";
import { add, fromReal, mul, sameValue, VALUE_I, type Value } from "../value.ts";

class Unparsable extends Error {}

const FUNCTIONS: Readonly<Record<string, string>> = {
  sin: "sin",
  cos: "cos",
  tan: "tan",
  cot: "cot",
  sec: "sec",
  csc: "csc",
  asin: "arcsin",
  acos: "arccos",
  atan: "arctan",
  sinh: "sinh",
  cosh: "cosh",
  tanh: "tanh",
  log: "ln",
  ln: "ln",
  exp: "exp",
};
const GREEK =
  /^(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|rho|sigma|tau|upsilon|phi|chi|psi|omega)$/;
const MAX_DEPTH = 60;

class Parser {
  private at = 0;
  private depth = 0;
  private readonly text: string;

  constructor(text: string) {
    // Inside parentheses a line break is nothing to the original's parser.
    this.text = text.replace(/\s+/g, "");
  }

  run(): Node {
    const result = this.sum();
    if (this.at < this.text.length) throw new Unparsable();
    return result;
  }

  private peek(): string {
    return this.text.charAt(this.at);
  }

  private sum(): Node {
    if (++this.depth > MAX_DEPTH) throw new Unparsable();
    const terms = [this.product()];
    while (this.peek() === "+" || this.peek() === "-") {
      const negative = this.text.charAt(this.at++) === "-";
      const term = this.product();
      terms.push(negative ? node("neg", [term]) : term);
    }
    this.depth--;
    return terms.length === 1 ? (terms[0] as Node) : node("add", terms);
  }

  private product(): Node {
    let left = this.unary();
    for (;;) {
      const next = this.peek();
      if (next === "*") {
        this.at++;
        left = node("mul", [left, this.unary()]);
      } else if (next === "/") {
        this.at++;
        left = node("div", [left, this.unary()]);
      } else if (/[\p{L}\d.(]/u.test(next)) left = node("mul", [left, this.power()]);
      else break;
    }
    return left;
  }

  private unary(): Node {
    if (++this.depth > MAX_DEPTH) throw new Unparsable();
    const next = this.peek();
    let result: Node;
    if (next === "-") {
      this.at++;
      result = node("neg", [this.unary()]);
    } else if (next === "+") {
      this.at++;
      result = this.unary();
    } else result = this.power();
    this.depth--;
    return result;
  }

  private power(): Node {
    let base = this.atom();
    while (this.peek() === "!") {
      this.at++;
      base = node("function", [base], "factorial");
    }
    if (this.peek() === "^" || this.text.startsWith("**", this.at)) {
      this.at += this.peek() === "^" ? 1 : 2;
      return node("pow", [base, this.unary()]);
    }
    return base;
  }

  private atom(): Node {
    const rest = this.text.slice(this.at);
    const number = /^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?/.exec(rest);
    if (number !== null) {
      this.at += number[0].length;
      // Python refuses leading zeros in integers.
      if (/^0\d/.test(number[0]) && !/[.e]/.test(number[0]) && !/^0+$/.test(number[0]))
        throw new Unparsable();
      const value = parseNumber(number[0].replace(/\.$/, "").replace(/\.e/, "e"));
      if (value === null) throw new Unparsable();
      return node("number", [], number[0], value);
    }
    if (rest.startsWith("(")) {
      this.at++;
      const inner = this.sum();
      if (this.text.charAt(this.at++) !== ")") throw new Unparsable();
      return inner;
    }
    const name = /^\p{L}[\p{L}\d_]*/u.exec(rest)?.[0];
    if (name === undefined) throw new Unparsable();
    this.at += name.length;
    return this.name(name);
  }

  private name(name: string): Node {
    if (name === "pi") return node("constant", [], "pi");
    const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (name === "sqrt" || called !== undefined) {
      const argument = this.peek() === "(" ? this.atom() : this.power();
      if (name === "sqrt") return node("root", [argument, node("number", [], "2", { num: 2, den: 1 })]);
      return node("function", [argument], called as string);
    }
    if (GREEK.test(name)) return node("symbol", [], name);
    if (name.includes("_")) return node("symbol", [], name);
    const factors: Node[] = [];
    for (const part of name.match(/\d+|\p{L}/gu) ?? [])
      factors.push(/^\d/.test(part) ? node("number", [], part, parseNumber(part)) : node("symbol", [], part));
    return factors.length === 1 ? (factors[0] as Node) : node("mul", factors);
  }
}

/** Points off the real axis, so that identities of positive numbers only do not pass. */
function bindComplex(evaluation: Evaluation, one: Node, offset: number): void {
  if (one.op === "symbol") {
    const positive = evaluation.evaluate(one);
    const direction = add(
      mul(VALUE_I, fromReal({ hi: 0.75 + offset, lo: 0 }, 0, true)),
      fromReal({ hi: -1, lo: 0 }, 0, true),
    );
    evaluation.bind(one.text, mul(positive, direction));
    return;
  }
  for (const arg of one.args) bindComplex(evaluation, arg, offset);
}

/** Do two expressions agree identically? False when either cannot be parsed. */
export function differenceVanishes(left: string, right: string): boolean {
  try {
    const [a, b] = [new Parser(left).run(), new Parser(right).run()];
    return [0, 1].every((point) => {
      const evaluation = new Evaluation(structure, point as 0 | 1);
      const names = new Map<string, Node>();
      collect(a, names);
      collect(b, names);
      [...names.values()].forEach((symbol, i) => {
        bindComplex(evaluation, symbol, 0.21 * (i + 1));
      });
      const [x, y]: [Value, Value] = [evaluation.evaluate(a), evaluation.evaluate(b)];
      return sameValue(x, y);
    });
  } catch (error) {
    if (error instanceof Unparsable || error instanceof BudgetExceeded) return false;
    throw error;
  }
}

function collect(one: Node, names: Map<string, Node>): void {
  if (one.op === "symbol") names.set(one.text, one);
  for (const arg of one.args) collect(arg, names);
}
