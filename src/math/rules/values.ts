/**
 * Equal values: confirmed at a second point, and decimals printed to many digits.
 */
import { type Node, someNode } from "../ast.ts";
import { ddSub } from "../double-double.ts";
import { isScalar } from "../form.ts";
import { real, sameValue, type Value, valueText } from "../value.ts";
import { evaluateAt } from "./memory.ts";

/** Equal digits at one point could be a coincidence of branches: roots and logarithms are confirmed at the second. */
export function confirm(a: Node, b: Node): boolean {
  const branches = (one: Node): boolean =>
    one.op === "root" || (one.op === "pow" && one.args[1]?.op !== "number") || one.op === "function";
  if (!isScalar(a) || !isScalar(b) || !(someNode(a, branches) || someNode(b, branches))) return true;
  const [x, y] = [evaluateAt(a, 1), evaluateAt(b, 1)];
  if (x === null || y === null) return true;
  const [s, t] = [valueText(x), valueText(y)];
  return s === null || t === null || s === t || sameValue(x, y);
}

/** Values that agree although their digits straddle a rounding, and decimals printed to many digits. */
export function scalarRule(a: Node, b: Node): string | null {
  if (!isScalar(a) || !isScalar(b)) return null;
  const [x, y] = [evaluateAt(a, 0), evaluateAt(b, 0)];
  if (x === null || y === null) return null;
  if (sameValue(x, y) && confirm(a, b)) return "value";
  return decimalRule(a, b, x, y) ?? decimalRule(b, a, y, x);
}

/** Significant digits from which a printed decimal is taken for the number it rounds. */
const MIN_DIGITS = 12;
/** A decimal with many printed digits equals what it is the rounding of. */
function decimalRule(decimal: Node, exact: Node, d: Value, x: Value): string | null {
  const text = decimal.op === "neg" ? (decimal.args[0] as Node).text : decimal.text;
  if ((decimal.op !== "number" && decimal.op !== "neg") || !/^\d*\.\d+$/.test(text)) return null;
  const digits = text.replace(".", "").replace(/^0+/, "").length;
  if (digits < MIN_DIGITS || x.free || x.im.hi !== 0 || isDecimal(exact)) return null;
  const places = text.length - text.indexOf(".") - 1;
  const size = Math.abs(ddSub(real(d), real(x)).hi);
  // One unit of the last place allows truncation as well as rounding.
  return size <= 10 ** -places * 1.000001 ? "decimal" : null;
}

function isDecimal(one: Node): boolean {
  return one.op === "number" && one.text.includes(".");
}
