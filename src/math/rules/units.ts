/**
 * What an answer may leave out: units, percent signs, bases.
 */
import { type Node, node } from "../ast.ts";
import { isScalar, structure } from "../form.ts";
import { isCollection } from "./collections.ts";
import { matchNodes } from "./match.ts";

function isUnit(one: Node): boolean {
  if (one.op === "unit" || one.op === "text" || (one.op === "constant" && one.text === "degree")) return true;
  if (one.op === "pow") return isUnit(one.args[0] as Node);
  return false;
}

/** The quantity without its unit factors, or null when it has none. */
function withoutUnit(one: Node): { value: Node; unit: string } | null {
  if (one.op === "percent") return { value: one.args[0] as Node, unit: "%" };
  if (one.op === "neg") {
    const inner = withoutUnit(one.args[0] as Node);
    return inner === null ? null : { value: node("neg", [inner.value]), unit: inner.unit };
  }
  if (one.op === "div") {
    const [top, below] = one.args as [Node, Node];
    const inner = withoutUnit(top);
    if (inner !== null && (isUnit(below) || below.op === "symbol"))
      return { value: inner.value, unit: `${inner.unit}/${structure(below)}` };
    return null;
  }
  if (one.op === "pow" && isUnit(one)) return null;
  if (one.op !== "mul") return null;
  const kept: Node[] = [];
  let unit = "";
  for (const factor of one.args) {
    // `5 hours 30 minutes` is no product.
    if (unit !== "" && factor.op === "number") return null;
    if (isUnit(factor)) unit += `${structure(factor)} `;
    else {
      const inner = withoutUnit(factor);
      if (inner === null) kept.push(factor);
      else {
        kept.push(inner.value);
        unit += `${inner.unit} `;
      }
    }
  }
  if (unit === "" || kept.length === 0) return null;
  return { value: kept.length === 1 ? (kept[0] as Node) : node("mul", kept), unit };
}

export function unitRule(a: Node, b: Node, depth: number): string | null {
  const [x, y] = [withoutUnit(a), withoutUnit(b)];
  if (x === null && y === null) return null;
  // Two different units are two different quantities.
  if (x !== null && y !== null) {
    if (x.unit.trim() !== y.unit.trim()) return null;
    return matchNodes(x.value, y.value, depth + 1) === null ? null : "same_unit";
  }
  const bare = x === null ? a : b;
  if (!isScalar(bare) && !isCollection(bare)) return null;
  const value = (x ?? y)?.value as Node;
  return matchNodes(value, bare, depth + 1) === null ? null : "unit_dropped";
}

/** `204_5` and 204: the base may be left out, two bases must agree. */
export function baseRule(a: Node, b: Node): string | null {
  const [base, plain] = a.op === "base" ? [a, b] : [b, a];
  if (base.op !== "base" || plain.op !== "number") return null;
  return base.text.split("_")[0] === plain.text ? "base_dropped" : null;
}
