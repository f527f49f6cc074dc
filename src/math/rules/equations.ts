/**
 * Equations and inequalities: `x =` in front, computations that state their value, common factors.
 */
import { type Node, node } from "../ast.ts";
import { equationForm, inequalityForm, isFree, isName, isScalar, structure } from "../form.ts";
import { matchNodes } from "./match.ts";

/** The last member of `name = ... = value`, or null when this is not an assignment. */
export function assignedValue(one: Node): { name: Node; value: Node } | null {
  if (one.op !== "relation" || !/^[=≈∈]+$/.test(one.text)) return null;
  const first = one.args[0] as Node;
  const second = one.args[1] as Node;
  const last = one.args.at(-1) as Node;
  // `a \approx 0.577` keeps the exact member.
  const kept = one.text.endsWith("≈") && one.args.length > 2 ? (one.args.at(-2) as Node) : last;
  if (isNaming(first)) {
    return { name: first, value: kept };
  }
  if (one.text === "=" && isName(second) && !isFree(first)) return { name: second, value: first };
  return null;
}

/** Something an answer may be introduced with: a symbol, `f(x)`, `(x, y)`, `\angle ABC`. */
function isNaming(one: Node): boolean {
  if (isName(one)) return true;
  if (one.op === "tuple" || one.op === "list" || one.op === "set")
    return one.args.length > 0 && one.args.every(isNaming);
  if (one.op === "mul") {
    const [head, argument] = one.args as [Node, Node];
    if (one.args.length === 2 && head.op === "symbol" && argument.op === "number")
      return /^[A-Z]$/.test(head.text);
    return one.args.every((factor) => factor.op === "symbol" || factor.op === "text");
  }
  if (one.op === "text" || one.op === "derivative" || one.op === "unit") return true;
  if (one.op === "ratio") return one.args.every(isNaming);
  // `m + n = 7` names what was asked for; `2x = 8` does not.
  if (one.op === "add" || one.op === "neg" || one.op === "div") return one.args.every(isNaming);
  if (one.op === "function")
    return one.text === "abs" || one.text === "det" || one.text === "max" || one.text === "min";
  // `a_{n}` and `x_1` are symbols; `f'(x)` is a call.
  return false;
}

export function equationRule(a: Node, b: Node, depth: number): string | null {
  const [left, right] = [assignedValue(a), assignedValue(b)];
  if (left !== null && right !== null) {
    // f(x) = x and f(z) = z: the bound name does not matter.
    const renamed = renameBound(left, right);
    if (renamed !== null && matchNodes(renamed[0], renamed[1], depth + 1) !== null) return "bound_name";
    if (structure(left.name) !== structure(right.name)) return null;
    return matchNodes(left.value, right.value, depth + 1) === null ? null : "assigned";
  }
  const [assigned, other] = left !== null ? [left, b] : right !== null ? [right, a] : [null, a];
  if (assigned !== null) {
    if (other.op === "relation") return null;
    const inner = matchNodes(assigned.value, other, depth + 1);
    return inner === null ? null : "prefix";
  }
  // A computation `2 + 2 = 4` or `\frac{\sqrt3}{3} \approx 0.577` states its value.
  for (const [chain, value] of [
    [a, b],
    [b, a],
  ] as const) {
    if (chain.op !== "relation" || value.op === "relation" || !/^[=≈]+$/.test(chain.text)) continue;
    const first = chain.args[0] as Node;
    if (chain.args.some(isFree)) continue;
    const last = chain.text.endsWith("≈") ? first : (chain.args.at(-1) as Node);
    if (matchNodes(last, value, depth + 1) !== null) return "computed";
  }
  return null;
}

function renameBound(
  left: { name: Node; value: Node },
  right: { name: Node; value: Node },
): [Node, Node] | null {
  const [f, g] = [left.name, right.name];
  if (f.op !== "call" && !isProductCall(f)) return null;
  if (f.op !== g.op || f.args.length !== g.args.length) return null;
  const [x, y] = [f.args.at(-1) as Node, g.args.at(-1) as Node];
  if (x.op !== "symbol" || y.op !== "symbol" || x.text === y.text) return null;
  if (f.op === "call" ? f.text !== g.text : structure(f.args[0] as Node) !== structure(g.args[0] as Node))
    return null;
  const fresh = node("symbol", [], "bound:argument");
  return [substitute(left.value, x.text, fresh), substitute(right.value, y.text, fresh)];
}

/** `W(n)` parsed as a product of two symbols. */
function isProductCall(one: Node): boolean {
  return one.op === "mul" && one.args.length === 2 && one.args.every((factor) => factor.op === "symbol");
}

function substitute(one: Node, name: string, by: Node): Node {
  if (one.op === "symbol" && one.text === name) return by;
  if (one.args.length === 0) return one;
  return node(
    one.op,
    one.args.map((arg) => substitute(arg, name, by)),
    one.text,
    one.value,
  );
}

/** Equations and inequalities up to a common factor. */
export function relationRule(a: Node, b: Node): string | null {
  if (a.op !== "relation" || b.op !== "relation" || a.args.length !== 2 || b.args.length !== 2) return null;
  const [a1, a2] = a.args as [Node, Node];
  const [b1, b2] = b.args as [Node, Node];
  if (![a1, a2, b1, b2].every(isScalar)) return null;
  if (a.text === "=" && b.text === "=") {
    const [x, y] = [equationForm(a1, a2), equationForm(b1, b2)];
    return x !== null && x === y ? "equation" : null;
  }
  const oriented = (one: Node): [string, Node, Node] | null => {
    const [left, right] = one.args as [Node, Node];
    if (one.text === "<" || one.text === "≤") return [one.text, left, right];
    if (one.text === ">" || one.text === "≥") return [one.text === ">" ? "<" : "≤", right, left];
    return null;
  };
  const [left, right] = [oriented(a), oriented(b)];
  if (left === null || right === null || left[0] !== right[0]) return null;
  const [x, y] = [inequalityForm(left[1], left[2]), inequalityForm(right[1], right[2])];
  return x !== null && x === y ? "inequality" : null;
}
