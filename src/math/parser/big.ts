/**
 * Sums, products, integrals and limits with their bounds; derivatives.
 */
import { type Node, node } from "../ast.ts";
import { parseArgument } from "./argument.ts";
import { parseSum, parseTerm, startsFactor } from "./arithmetic.ts";
import type { Cursor } from "./cursor.ts";
import { parseGroup } from "./delimiters.ts";

/** Commands with a lower bound, an upper bound and a body. */
export const BIG: ReadonlySet<string> = new Set([
  "sum",
  "prod",
  "int",
  "iint",
  "iiint",
  "oint",
  "lim",
  "limsup",
  "liminf",
]);

/** Sums, products, integrals and limits with bounds in any order. */
export function parseBig(p: Cursor, name: string): Node {
  p.enter();
  let lower: Node = node("empty");
  let upper: Node = node("empty");
  for (let i = 0; i < 2; i++) {
    if (p.is("_")) {
      p.at++;
      lower = p.is("{") ? parseGroup(p) : parseArgument(p);
    } else if (p.is("^")) {
      p.at++;
      upper = p.is("{") ? parseGroup(p) : parseArgument(p);
    }
  }
  const integral = name.endsWith("int");
  let bound = "";
  if (lower.op === "relation" && lower.args.length === 2) {
    const [left, right] = lower.args as [Node, Node];
    if (left.op === "symbol" || left.op === "constant") {
      bound = left.text;
      if (!integral) lower = lower.text === "=" || lower.text === "→" ? right : lower;
    }
  }
  let body: Node;
  if (p.atClose()) body = node("empty");
  else if (integral) body = parseSum(p);
  else body = parseTerm(p, false);
  p.depth--;
  if (integral) {
    const split = splitDifferential(body);
    bound = split.bound;
    body = split.body;
  }
  return node("big", [lower, upper, body], `${name} ${bound}`);
}

/** `\frac{d}{dx} f`, `\frac{d f}{dx}`, `\frac{d^2 y}{dx^2}`; null for an ordinary fraction. */
export function derivativeOf(p: Cursor, top: Node, below: Node): Node | null {
  const head = differential(top);
  if (head === null || below.op !== "mul") return null;
  const letter = below.args[0];
  if (letter === undefined || letter.text !== head.letter) return null;
  const variables: string[] = [];
  for (let i = 1; i < below.args.length; i++) {
    const factor = below.args[i] as Node;
    if (factor.op === "symbol" && factor.text !== head.letter) variables.push(factor.text);
    else if (factor.op === "pow" && factor.args[0]?.op === "symbol" && factor.args[1]?.op === "number")
      variables.push(`${factor.args[0].text}^${factor.args[1].text}`);
    else if (factor.text !== head.letter) return null;
  }
  if (variables.length === 0) return null;
  let body = head.body;
  if (body === null && startsFactor(p)) body = parseTerm(p, false);
  return node("derivative", [body ?? node("empty")], variables.join(" "));
}

/** `d`, `d y`, `d^2 y`, `\partial u` as the numerator of a derivative. */
function differential(top: Node): { letter: string; body: Node | null } | null {
  const isLetter = (one: Node | undefined): boolean =>
    one?.op === "symbol" && (one.text === "d" || one.text === "partial");
  const isHead = (one: Node | undefined): boolean =>
    isLetter(one) || (one?.op === "pow" && isLetter(one.args[0]) && one.args[1]?.op === "number");
  if (isHead(top)) return { letter: top.op === "pow" ? (top.args[0] as Node).text : top.text, body: null };
  if (top.op !== "mul" || !isHead(top.args[0])) return null;
  const head = top.args[0] as Node;
  const letter = head.op === "pow" ? (head.args[0] as Node).text : head.text;
  const rest = top.args.slice(1);
  return { letter, body: rest.length === 1 ? (rest[0] as Node) : node("mul", rest) };
}

/** Takes `dx` out of an integrand, wherever the product holds it. */
function splitDifferential(body: Node): { bound: string; body: Node } {
  const one = node("number", [], "1", { num: 1, den: 1 });
  const inner = body.op === "set" || body.op === "tuple" ? (body.args[0] ?? body) : body;
  if (inner !== body && body.args.length === 1) return splitDifferential(inner);
  if (body.op === "mul") {
    for (let i = body.args.length - 2; i >= 0; i--) {
      const letter = body.args[i] as Node;
      const bound = body.args[i + 1] as Node;
      if (letter.op === "symbol" && letter.text === "d" && bound.op === "symbol") {
        const rest = [...body.args.slice(0, i), ...body.args.slice(i + 2)];
        const left = rest.length === 0 ? one : rest.length === 1 ? (rest[0] as Node) : node("mul", rest);
        return { bound: bound.text, body: left };
      }
    }
  }
  if (body.op === "div") {
    const top = splitDifferential(body.args[0] as Node);
    if (top.bound !== "") return { bound: top.bound, body: node("div", [top.body, body.args[1] as Node]) };
  }
  if (body.op === "add") {
    const last = body.args.at(-1) as Node;
    const negative = last.op === "neg";
    const split = splitDifferential(negative ? (last.args[0] as Node) : last);
    if (split.bound !== "")
      return {
        bound: split.bound,
        body: node("add", [...body.args.slice(0, -1), negative ? node("neg", [split.body]) : split.body]),
      };
  }
  return { bound: "", body };
}
