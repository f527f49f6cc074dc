/**
 * A primary with its powers, subscripts, primes and signs; symbols and calls of unknown functions.
 */
import { type Node, node } from "../ast.ts";
import { COMMAND, MARK, NAME, NUMBER, SYMBOL, UNIT, WORD } from "../lexer.ts";
import { FRACTIONS, numberNode, parseArgument, readArgument } from "./argument.ts";
import { parseCommand } from "./command.ts";
import { type Cursor, STUCK } from "./cursor.ts";
import { parseDelimited } from "./delimiters.ts";
import { parseItems } from "./statements.ts";

/** Letters that, before a parenthesis, name a function rather than a factor. */
const FUNCTION_LETTERS: ReadonlySet<string> = new Set([..."fghFGH", "phi", "Phi", "Gamma", "Psi", "zeta"]);

/** A primary with its powers, subscripts, factorials, primes, percent and degree signs. */
export function parseFactor(p: Cursor): Node {
  p.enter();
  let base = parsePrimary(p);
  for (;;) {
    if (p.is("^")) base = withPower(p, base);
    else if (p.is("_")) base = withSubscript(p, base);
    else if (p.is("!")) {
      p.at++;
      const double = p.accept("!");
      base = node("function", [base], double ? "doublefactorial" : "factorial");
    } else if (p.is("'")) base = withPrimes(p, base);
    else if (p.accept("%")) base = node("percent", [base]);
    else if (p.accept("°")) base = node("mul", [base, node("constant", [], "degree")]);
    else break;
  }
  p.depth--;
  return base;
}

function withPrimes(p: Cursor, base: Node): Node {
  let marks = "";
  while (p.accept("'")) marks += "'";
  if (base.op === "symbol") return withCall(p, node("symbol", [], base.text + marks));
  return node("call", [base], marks);
}

function withPower(p: Cursor, base: Node): Node {
  p.at++;
  // Degrees and derivatives written as superscripts.
  const inBraces = p.is("{");
  const next = inBraces ? p.at + 1 : p.at;
  const text = p.texts[next];
  if (p.kinds[next] === MARK && (text === "∘" || text === "°" || text === "'")) {
    p.at = next;
    let primes = "";
    while (p.is("'")) {
      primes += "'";
      p.at++;
    }
    if (primes === "") p.at++;
    // `^{\circ} C` keeps what follows as a factor.
    if (inBraces) {
      if (!p.accept("}")) throw STUCK;
    }
    if (primes === "") return node("mul", [base, node("constant", [], "degree")]);
    if (base.op === "symbol") return withCall(p, node("symbol", [], base.text + primes));
    return node("call", [base], primes);
  }
  const exponent = parseArgument(p);
  if (base.op === "symbol" && p.is("_")) {
    // `x^2_1` is `x_1^2`.
    return node("pow", [withSubscript(p, base), exponent]);
  }
  return node("pow", [base, exponent]);
}

/** `x_1`, `52_8`, `\log_2`-like names; a subscript is part of the name. */
function withSubscript(p: Cursor, base: Node): Node {
  p.at++;
  const index = readArgument(p);
  if (base.op === "number" && /^\d{1,2}$/.test(index) && Number(index) >= 2 && Number(index) <= 36) {
    const plain = base.text;
    if (/^\d+$/.test(plain)) return node("base", [], `${plain}_${index}`);
  }
  if (base.op === "symbol") {
    // `f'_1` is `f_1'`.
    const primes = /'+$/.exec(base.text)?.[0] ?? "";
    const name = base.text.slice(0, base.text.length - primes.length);
    return withCall(p, node("symbol", [], `${name}_${index}${primes}`));
  }
  if (base.op === "constant") return node("symbol", [], `${base.text}_${index}`);
  return node("call", [base, node("symbol", [], `_${index}`)], "subscript");
}

export function parsePrimary(p: Cursor): Node {
  const kind = p.kinds[p.at];
  const text = p.texts[p.at] as string;
  switch (kind) {
    case NUMBER:
      p.at++;
      return withFraction(p, numberNode(text));
    case SYMBOL:
      p.at++;
      return parseSymbol(p, text);
    case NAME:
      p.at++;
      return withCall(p, node("symbol", [], text));
    case WORD:
      p.at++;
      return node("text", [], text);
    case UNIT:
      p.at++;
      return node("unit", [], text);
    case COMMAND:
      return parseCommand(p, text);
    case MARK:
      return parseDelimited(p, text);
    default:
      throw STUCK;
  }
}

/** `1\frac45` and `7 3/4` are sums. */
function withFraction(p: Cursor, whole: Node): Node {
  if (!/^\d+$/.test(whole.text)) return whole;
  if (p.kinds[p.at] === COMMAND && FRACTIONS.has(p.texts[p.at] as string)) {
    const from = p.at;
    const fraction = parseCommand(p, p.texts[from] as string);
    const [top, below] = fraction.args;
    if (top?.op === "number" && below?.op === "number" && /^\d+$/.test(top.text + below.text))
      return node("add", [whole, fraction]);
    return node("mul", [whole, fraction]);
  }
  if (
    p.kinds[p.at] === NUMBER &&
    p.tokens.spaced[p.at] === true &&
    p.texts[p.at + 1] === "/" &&
    p.kinds[p.at + 2] === NUMBER &&
    /^\d+$/.test((p.texts[p.at] as string) + p.texts[p.at + 2])
  ) {
    const top = numberNode(p.texts[p.at] as string);
    const below = numberNode(p.texts[p.at + 2] as string);
    p.at += 3;
    return node("add", [whole, node("div", [top, below])]);
  }
  return whole;
}

function parseSymbol(p: Cursor, name: string): Node {
  if (name === "e" || name === "i") {
    if (!p.is("_") && !p.is("'")) return node("constant", [], name);
  }
  return withCall(p, node("symbol", [], name));
}

/** `f(x)`, `f'(x)`, `f^{-1}(x)`: a call when the name is a function's. */
export function withCall(p: Cursor, symbol: Node): Node {
  if (p.kinds[p.at] !== MARK) return symbol;
  const letter = symbol.text.replace(/[_'^].*$/, "");
  if (!FUNCTION_LETTERS.has(letter) && !isEvaluation(p, letter)) return symbol;
  let name = symbol.text;
  if (p.is("'")) return symbol;
  let at = p.at;
  if (p.is("^")) {
    // `f^{-1}(x)` and `f^{(n)}(x)`.
    const match = /^\^\{(?:-1|\((?:\w|\d+)\))\}$/.exec(p.texts.slice(at, at + 5).join(""));
    const inverse = /^\^\{-1\}/.exec(p.texts.slice(at, at + 4).join(""));
    if (match !== null) {
      name += p.texts.slice(at + 2, at + 4).join("");
      at += 5;
    } else if (inverse !== null) {
      name += "^-1";
      at += 4;
    } else return symbol;
  }
  // sympy prints `f{\left(x \right)}`.
  const braced = p.texts[at] === "{" && p.kinds[at] === MARK && p.texts[at + 1] === "(";
  if (!(p.kinds[at] === MARK && (p.texts[at] === "(" || braced))) return symbol;
  p.at = at + (braced ? 2 : 1);
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const args = parseItems(p);
  p.expect(")");
  if (braced) p.expect("}");
  p.bars = bars;
  p.depth--;
  return node("call", args, name);
}

/** `I(0)`, `P(3)`: a value of a function; `a(1)^2+b(1)+c` is a polynomial with numbers put in. */
function isEvaluation(p: Cursor, letter: string): boolean {
  if (!p.is("(") || p.tokens.spaced[p.at] === true) return false;
  if (p.kinds[p.at + 1] !== NUMBER || p.texts[p.at + 2] !== ")") return false;
  return /^[A-Z]$/.test(letter) || (p.texts[p.at + 1] === "0" && /^[q-z]$/.test(letter));
}
