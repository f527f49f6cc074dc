/**
 * LaTeX commands: fractions, roots, rounding brackets, named functions with or without parentheses.
 */
import { type Node, node } from "../ast.ts";
import { ACCENTS, FUNCTIONS, TRANSPARENT } from "../commands.ts";
import { COMMAND, END, MARK, NAME, NUMBER, SYMBOL } from "../lexer.ts";
import { FRACTIONS, numberNode, parseArgument, parseCommandArgument, readArgument } from "./argument.ts";
import { parseSum } from "./arithmetic.ts";
import { BIG, derivativeOf, parseBig } from "./big.ts";
import { type Cursor, STUCK } from "./cursor.ts";
import { parseBar, parseBraces, parseGroup, parseParenthesised } from "./delimiters.ts";
import { parseEnvironment } from "./environment.ts";
import { parseFactor } from "./factor.ts";
import { parseAccent, parseFigure } from "./figures.ts";
import { parseRelation } from "./statements.ts";

const BINOMIALS: ReadonlySet<string> = new Set(["binom", "dbinom", "tbinom"]);

export function parseCommand(p: Cursor, name: string): Node {
  p.at++;
  if (FRACTIONS.has(name)) {
    const top = parseCommandArgument(p);
    const below = parseCommandArgument(p);
    return derivativeOf(p, top, below) ?? node("div", [top, below]);
  }
  if (BINOMIALS.has(name)) {
    const top = parseCommandArgument(p);
    return node("function", [top, parseCommandArgument(p)], "binom");
  }
  if (name === "sqrt" || name === "cbrt" || name === "root") return parseRoot(p, name);
  if (name === "pi") return p.is("_") ? node("symbol", [], "pi") : node("constant", [], "pi");
  if (name === "infty") return node("constant", [], "infinity");
  if (name === "lfloor" || name === "lceil") return parseRounding(p, name);
  if (name === "begin") return parseEnvironment(p);
  if (BIG.has(name)) return parseBig(p, name);
  if (name === "angle" || name === "measuredangle" || name === "triangle" || name === "odot")
    return parseFigure(p, name);
  if (ACCENTS.has(name)) return parseAccent(p, name);
  if (TRANSPARENT.has(name)) return p.kinds[p.at] === END ? node("empty") : parseArgument(p);
  if (name === "underbrace" || name === "overbrace") {
    const inner = parseArgument(p);
    if (p.is("_") || p.is("^")) {
      p.at++;
      readArgument(p);
    }
    return inner;
  }
  if (name === "stackrel" || name === "overset" || name === "underset" || name === "cancelto") {
    parseArgument(p);
    return parseArgument(p);
  }
  if (name === "not") {
    p.at++;
    return node("symbol", [], `not:${p.texts[p.at - 1]}`);
  }
  const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (called !== undefined) return parseNamed(p, called);
  // An unknown command keeps its name; its arguments follow as factors.
  return node("opaque", [], `\\${name}`);
}

function parseRoot(p: Cursor, name: string): Node {
  let index: Node = node("number", [], name === "cbrt" ? "3" : "2", {
    num: name === "cbrt" ? 3 : 2,
    den: 1,
  });
  if (p.is("[")) {
    p.at++;
    index = parseSum(p);
    p.expect("]");
  }
  if (p.is("(")) return node("root", [parseParenthesised(p, "("), index]);
  return node("root", [parseCommandArgument(p), index]);
}

function parseRounding(p: Cursor, name: string): Node {
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const inner = parseRelation(p);
  p.bars = bars;
  p.depth--;
  const close = p.texts[p.at];
  if (p.kinds[p.at] !== COMMAND || (close !== "rfloor" && close !== "rceil")) throw STUCK;
  p.at++;
  const kind = name === "lfloor" ? (close === "rfloor" ? "floor" : "round") : "ceil";
  return node("function", [inner], kind);
}

/** `\sin^2 x`, `\log_{10} 2`, `\gcd(a,b)`. */
function parseNamed(p: Cursor, name: string): Node {
  p.enter();
  let exponent: Node | null = null;
  let index: Node | null = null;
  for (;;) {
    if (p.is("^") && exponent === null) {
      if (p.texts[p.at + 1] === "∘") break;
      p.at++;
      exponent = parseArgument(p);
    } else if (p.is("_") && index === null) {
      p.at++;
      index = parseArgument(p);
    } else break;
  }
  const args = parseFunctionArguments(p);
  p.depth--;
  if (args === null) return node("symbol", [], `function:${name}`);
  const inverse = exponent?.op === "neg" && exponent.args[0]?.text === "1";
  let result: Node;
  if (inverse && /^(?:sin|cos|tan|cot|sec|csc)h?$/.test(name)) result = node("function", args, `arc${name}`);
  else {
    result = node("function", index === null ? args : [...args, index], name);
    if (exponent !== null) result = node("pow", [result, exponent]);
  }
  return result;
}

/** One delimited group, or the run of simple factors that follows. Null when nothing follows. */
function parseFunctionArguments(p: Cursor): Node[] | null {
  if (p.kinds[p.at] === MARK) {
    const text = p.texts[p.at] as string;
    if (text === "(" || text === "[") {
      const inner = parseParenthesised(p, text);
      return inner.op === "tuple" ? [...inner.args] : [inner];
    }
    if (text === "{") {
      const inner = parseGroup(p);
      if (inner.op === "set" || inner.op === "tuple") return [...inner.args];
      return [inner];
    }
    if (text === "\\{") return [parseBraces(p)];
    if (text === "|") return p.bars > 0 ? null : [parseBar(p, text)];
    if (text === "-" || text === "+") {
      const negative = p.texts[p.at++] === "-";
      const inner = parseFunctionArguments(p);
      return inner === null ? null : [negative ? node("neg", [inner[0] as Node]) : (inner[0] as Node)];
    }
  }
  const factors: Node[] = [];
  for (;;) {
    const kind = p.kinds[p.at];
    const text = p.texts[p.at] as string;
    const simple =
      kind === NUMBER ||
      kind === SYMBOL ||
      kind === NAME ||
      (kind === COMMAND && !Object.hasOwn(FUNCTIONS, text) && text !== "end" && !BIG.has(text)) ||
      (kind === COMMAND && factors.length === 0 && Object.hasOwn(FUNCTIONS, text)) ||
      (kind === MARK && text === "(" && factors.length > 0 && factors.every((one) => one.op === "number")) ||
      (kind === MARK && text === "°");
    if (!simple) break;
    const atFunction = kind === COMMAND && Object.hasOwn(FUNCTIONS, text);
    if (kind === COMMAND && (text === "rfloor" || text === "rceil")) break;
    factors.push(parseFactor(p));
    if (atFunction) break;
  }
  if (factors.length === 0) return null;
  // `\sin \pi/6`: a constant angle over a number.
  if (
    p.is("/") &&
    p.kinds[p.at + 1] === NUMBER &&
    factors.every((one) => one.op === "constant" || one.op === "number") &&
    factors.some((one) => one.op === "constant")
  ) {
    p.at++;
    const below = numberNode(p.texts[p.at++] as string);
    return [node("div", [factors.length === 1 ? (factors[0] as Node) : node("mul", factors), below])];
  }
  return factors.length === 1 ? factors : [node("mul", factors)];
}
