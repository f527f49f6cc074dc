/**
 * The pairwise rules of `verify`: named ways in which two answers that are written differently say the same. Each is
 * symmetric. They are tried in order after key equality; the first that applies names the verdict.
 * Source: grading.md section 5 and the conventions of its `policy` rows (units, percent and bases may be left out).
 */
import { type Node, node, someNode } from "./ast.ts";
import { ddSub } from "./double-double.ts";
import {
  equationForm,
  evaluateAt as evaluateFresh,
  formOf as formFresh,
  inequalityForm,
  isFree,
  isName,
  isScalar,
  plainText,
  structure,
} from "./form.ts";
import { intervalOf } from "./interval.ts";
import { parse } from "./parser.ts";
import { compareRational, rational } from "./rational.ts";
import { real, sameValue, toRational, type Value, valueText } from "./value.ts";

/** An answer, parsed once for all golds. */
export interface Candidate {
  /** Trimmed source without display wrappers. */
  text: string;
  root: Node;
  form: string;
  ambiguousComma: boolean;
}

/** Rules look at the same nodes many times; forms and values of a node never change, so they are kept with it. */
const knownForms = new WeakMap<Node, string>();
const knownValues: readonly [WeakMap<Node, Value | { value: null }>, WeakMap<Node, Value | { value: null }>] =
  [new WeakMap(), new WeakMap()];
const NOTHING = { value: null } as const;

function formOf(one: Node, options: typeof KEEP): string {
  let form = knownForms.get(one);
  if (form === undefined) {
    form = formFresh(one, options);
    knownForms.set(one, form);
  }
  return form;
}

function evaluateAt(one: Node, point: 0 | 1): Value | null {
  const known = knownValues[point].get(one);
  if (known !== undefined) return "value" in known ? null : known;
  const value = evaluateFresh(one, point);
  knownValues[point].set(one, value ?? NOTHING);
  return value;
}

/** Lists longer than this are compared by form only. */
const MAX_LIST = 40;
/** Nesting of lists, equations and intervals that rules look into. */
const MAX_RULE_DEPTH = 4;

/** `1,22` where the other side writes 1.22. */
const DECIMAL_COMMA = /^-?\d+,\d+$/;
const KEEP = { equationMode: "keep" } as const;

/** Is everything outside the dollar signs punctuation or a conjunction? */
function isFormulaList(text: string): boolean {
  const outside = text.split("$").filter((_, i) => i % 2 === 0);
  return outside.every((part) => /^[\s,;.]*(?:and|or)?[\s,;.]*$/.test(part));
}

/** Removes `$`, `\(`, `\[`, an enclosing box and a final full stop. */
export function unwrap(text: string): string {
  let inner = text.trim();
  // `$1$, $2$ and $3$` is one list.
  if (/\$[\s,;]*(?:and|or)?[\s,;]*\$/.test(inner) && /^(?:[^$]*\$){2,}/.test(inner) && isFormulaList(inner))
    inner = inner.replace(/\$/g, " ").trim();
  for (let i = 0; i < 4; i++) {
    const before = inner;
    inner = inner
      .replace(/^(?:\$\$?|\\\(|\\\[)\s*/, "")
      .replace(/\s*(?:\$\$?|\\\)|\\\])$/, "")
      .trim();
    if (/[^.]\.$/.test(inner)) inner = inner.slice(0, -1).trim();
    if (inner === before) break;
  }
  return inner;
}

export function candidate(source: string): Candidate {
  const text = unwrap(source);
  const { root, ambiguousComma } = parse(text);
  return { text, root, form: formOf(root, KEEP), ambiguousComma };
}

/** The rule by which the two are equal, or null. */
export function matchCandidates(a: Candidate, b: Candidate): string | null {
  if (a.text === "" || b.text === "") return null;
  if (a.text === b.text) return "identical";
  if (a.root.op === "empty" || b.root.op === "empty") return null;
  if (a.form === b.form) return confirm(a.root, b.root) ? "key" : null;
  const rule = matchNodes(a.root, b.root, 0);
  if (rule !== null) return rule;
  const words = textRule(a, b);
  if (words !== null) return words;
  if (
    DECIMAL_COMMA.test(a.text) !== DECIMAL_COMMA.test(b.text) &&
    a.text.replace(",", ".") === b.text.replace(",", ".")
  )
    return "decimal_comma";
  if (a.ambiguousComma || b.ambiguousComma) {
    // `1,234` as two numbers, when the other side is a list.
    const again = (one: Candidate): Node =>
      one.ambiguousComma ? parse(one.text, { commaSeparates: true }).root : one.root;
    const [x, y] = [again(a), again(b)];
    if (isCollection(x) && isCollection(y) && (isCollection(a.root) || isCollection(b.root)))
      return matchNodes(x, y, 0) === null ? null : "comma_list";
  }
  return null;
}

/** Equal digits at one point could be a coincidence of branches: roots and logarithms are confirmed at the second. */
function confirm(a: Node, b: Node): boolean {
  const branches = (one: Node): boolean =>
    one.op === "root" || (one.op === "pow" && one.args[1]?.op !== "number") || one.op === "function";
  if (!isScalar(a) || !isScalar(b) || !(someNode(a, branches) || someNode(b, branches))) return true;
  const [x, y] = [evaluateAt(a, 1), evaluateAt(b, 1)];
  if (x === null || y === null) return true;
  const [s, t] = [valueText(x), valueText(y)];
  return s === null || t === null || s === t || sameValue(x, y);
}

function isCollection(one: Node): boolean {
  return one.op === "list" || one.op === "set" || one.op === "tuple" || one.op === "cases";
}

/** Rules on trees; `depth` counts the lists and equations already opened. */
export function matchNodes(a: Node, b: Node, depth: number): string | null {
  if (depth > MAX_RULE_DEPTH) return null;
  if (formOf(a, KEEP) === formOf(b, KEEP)) return confirm(a, b) ? "key" : null;
  return (
    scalarRule(a, b) ??
    equationRule(a, b, depth) ??
    relationRule(a, b) ??
    collectionRule(a, b, depth) ??
    intervalRule(a, b) ??
    unitRule(a, b, depth) ??
    baseRule(a, b) ??
    matrixRule(a, b, depth) ??
    signRule(a, b, depth)
  );
}

// ---- values --------------------------------------------------------------------------------------------------------

/** Values that agree although their digits straddle a rounding, and decimals printed to many digits. */
function scalarRule(a: Node, b: Node): string | null {
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

// ---- equations -----------------------------------------------------------------------------------------------------

/** The last member of `name = ... = value`, or null when this is not an assignment. */
function assignedValue(one: Node): { name: Node; value: Node } | null {
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

function equationRule(a: Node, b: Node, depth: number): string | null {
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
function relationRule(a: Node, b: Node): string | null {
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

// ---- collections ---------------------------------------------------------------------------------------------------

/** Items of a list or set; null for anything else. A plus-minus expression is a list of two. */
function items(one: Node): { items: readonly Node[]; ordered: boolean } | null {
  switch (one.op) {
    case "list":
    case "set":
    case "cases":
      return { items: one.args.flatMap(expandSign), ordered: false };
    case "tuple":
      return one.args.length === 1 ? null : { items: one.args, ordered: true };
    default: {
      const both = expandSign(one);
      return both.length === 2 ? { items: both, ordered: false } : null;
    }
  }
}

function expandSign(one: Node): Node[] {
  if (!someNode(one, (part) => part.op === "plusminus")) return [one];
  if (one.op === "relation" && one.text === "=" && one.args[0]?.op !== "plusminus") {
    const [left, right] = one.args as [Node, Node];
    return expandSign(right).map((value) => node("relation", [left, value], "="));
  }
  const replace = (part: Node, sign: 1 | -1): Node => {
    const args = part.args.map((arg) => replace(arg, sign));
    if (part.op !== "plusminus") return node(part.op, args, part.text, part.value);
    const last = args.at(-1) as Node;
    const signed = (part.text === "±" ? 1 : -1) * sign === 1 ? last : node("neg", [last]);
    return args.length === 1 ? signed : node("add", [args[0] as Node, signed]);
  };
  return [replace(one, 1), replace(one, -1)];
}

/** Drops `x =` in front of the items; `n = 2, 3, 4` names only the first. */
function unnamed(list: readonly Node[]): { values: readonly Node[]; named: number } {
  let named = 0;
  const values = list.map((item) => {
    const assigned = assignedValue(item);
    if (assigned === null) return item;
    named++;
    return assigned.value;
  });
  return { values, named };
}

function collectionRule(a: Node, b: Node, depth: number): string | null {
  const [x, y] = [items(a), items(b)];
  if (x === null || y === null) {
    // {5} is 5 where only one side has braces.
    const single =
      x !== null && x.items.length === 1
        ? x.items[0]
        : y !== null && y.items.length === 1
          ? y.items[0]
          : null;
    if (single === null || single === undefined) return null;
    const other = x !== null ? b : a;
    return matchNodes(single, other, depth + 1) === null ? null : "single_item";
  }
  if (x.ordered && y.ordered) {
    if (a.op === "tuple" && b.op === "tuple" && a.text !== b.text) return null;
    return matchOrdered(x.items, y.items, depth) ? "tuple" : null;
  }
  if (x.items.length !== y.items.length || x.items.length > MAX_LIST) return null;
  const named = namedItems(x, y, depth);
  if (named !== undefined) return named ? "named_items" : null;
  if (!matchUnordered(x.items, y.items, depth)) return null;
  if (x.ordered === y.ordered) return "list";
  // A tuple is a list only where the other side lost its parentheses, in the same order.
  const [brackets, other] = x.ordered ? [a, b] : [b, a];
  if (other.op === "set" || brackets.text !== "()") return null;
  return matchOrdered(x.items, y.items, depth) ? "tuple_list" : null;
}

interface Items {
  items: readonly Node[];
  ordered: boolean;
}

/**
 * Where one side names its items and the other does not: names of several things fix the order, one name (`x = 1 or
 * x = 2`, `n = 2, 3, 4`) does not. Undefined where this rule has nothing to say.
 */
function namedItems(x: Items, y: Items, depth: number): boolean | undefined {
  const [u, v] = [unnamed(x.items), unnamed(y.items)];
  if (u.named === v.named) return undefined;
  const more = u.named > v.named ? x : y;
  const names = new Set(
    more.items.flatMap((item) => (item.op === "relation" ? [structure(item.args[0] as Node)] : [])),
  );
  if (Math.min(u.named, v.named) > 0 && names.size > 1) return undefined;
  return names.size > 1 || x.ordered || y.ordered
    ? matchOrdered(u.values, v.values, depth)
    : matchUnordered(u.values, v.values, depth);
}

function matchOrdered(x: readonly Node[], y: readonly Node[], depth: number): boolean {
  return x.length === y.length && x.every((item, i) => matchNodes(item, y[i] as Node, depth + 1) !== null);
}

/** Multiset equality: equal forms first, then pairwise rules on what is left. */
function matchUnordered(x: readonly Node[], y: readonly Node[], depth: number): boolean {
  if (x.length !== y.length) return false;
  const left = new Map<string, number>();
  const forms = y.map((item) => formOf(item, KEEP));
  forms.forEach((form) => {
    left.set(form, (left.get(form) ?? 0) + 1);
  });
  const unmatched: Node[] = [];
  for (const item of x) {
    const form = formOf(item, KEEP);
    const count = left.get(form) ?? 0;
    if (count > 0) left.set(form, count - 1);
    else unmatched.push(item);
  }
  if (unmatched.length === 0) return true;
  if (unmatched.length > 12) return false;
  const rest: Node[] = [];
  forms.forEach((form, i) => {
    const count = left.get(form) ?? 0;
    if (count > 0) {
      rest.push(y[i] as Node);
      left.set(form, count - 1);
    }
  });
  for (const item of unmatched) {
    const found = rest.findIndex((other) => matchNodes(item, other, depth + 1) !== null);
    if (found < 0) return false;
    rest.splice(found, 1);
  }
  return true;
}

// ---- intervals -----------------------------------------------------------------------------------------------------

function intervalRule(a: Node, b: Node): string | null {
  const [x, y] = [intervalOf(a), intervalOf(b)];
  if (x === null || y === null || x.form !== y.form) return null;
  if (x.variable !== null && y.variable !== null && x.variable !== y.variable) return null;
  return "interval";
}

// ---- units, percent, bases -----------------------------------------------------------------------------------------

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

function unitRule(a: Node, b: Node, depth: number): string | null {
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
function baseRule(a: Node, b: Node): string | null {
  const [base, plain] = a.op === "base" ? [a, b] : [b, a];
  if (base.op !== "base" || plain.op !== "number") return null;
  return base.text.split("_")[0] === plain.text ? "base_dropped" : null;
}

// ---- matrices, signs, words ----------------------------------------------------------------------------------------

function matrixRule(a: Node, b: Node, depth: number): string | null {
  if (a.op !== "matrix" || b.op !== "matrix" || a.text !== b.text) return null;
  return matchOrdered(a.args, b.args, depth) ? "matrix" : null;
}

/** Set operations operand by operand. */
function signRule(a: Node, b: Node, depth: number): string | null {
  if (a.op !== "setop" || b.op !== "setop" || a.text !== b.text) return null;
  if (a.text === "∖") return matchOrdered(a.args, b.args, depth) ? "set_operation" : null;
  return matchUnordered(a.args, b.args, depth) ? "set_operation" : null;
}

/** Letters of an answer that is a word, or null. */
function wordOf(one: Candidate): string | null {
  const bare = one.text
    .replace(/\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|textrm)\s*/g, "")
    .replace(/[{}$]/g, "")
    .replace(/\\[ ,;:!]/g, " ")
    .trim();
  if (!/^\(?[A-Za-z][A-Za-z\s.,'()-]*$/.test(bare)) return null;
  return plainText(bare);
}

function textRule(a: Candidate, b: Candidate): string | null {
  const isText = (one: Candidate): boolean => one.root.op === "text";
  if (!isText(a) && !isText(b)) return null;
  const [x, y] = [wordOf(a), wordOf(b)];
  if (x === null || y === null || x === "") return null;
  return x === y || x.replace(/ /g, "") === y.replace(/ /g, "") ? "text" : null;
}

/** Are both plain rationals, and which is larger? For callers that sort. */
export function compareNodes(a: Node, b: Node): number | null {
  const [x, y] = [evaluateAt(a, 0), evaluateAt(b, 0)];
  if (x === null || y === null || x.free || y.free) return null;
  const [p, q] = [toRational(x), toRational(y)];
  if (p !== null && q !== null) return compareRational(p, q);
  return real(x).hi - real(y).hi || (rational(0)?.num as number);
}
