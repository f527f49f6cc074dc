/**
 * Lists, sets, tuples, matrices and set operations, item by item.
 */
import { type Node, node, someNode } from "../ast.ts";
import { structure } from "../form.ts";
import { assignedValue } from "./equations.ts";
import { matchNodes } from "./match.ts";
import { formOf, KEEP } from "./memory.ts";

/** Lists longer than this are compared by form only. */
const MAX_LIST = 40;
export function isCollection(one: Node): boolean {
  return one.op === "list" || one.op === "set" || one.op === "tuple" || one.op === "cases";
}

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

export function collectionRule(a: Node, b: Node, depth: number): string | null {
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

export function matrixRule(a: Node, b: Node, depth: number): string | null {
  if (a.op !== "matrix" || b.op !== "matrix" || a.text !== b.text) return null;
  return matchOrdered(a.args, b.args, depth) ? "matrix" : null;
}

/** Set operations operand by operand. */
export function setOperationRule(a: Node, b: Node, depth: number): string | null {
  if (a.op !== "setop" || b.op !== "setop" || a.text !== b.text) return null;
  if (a.text === "∖") return matchOrdered(a.args, b.args, depth) ? "set_operation" : null;
  return matchUnordered(a.args, b.args, depth) ? "set_operation" : null;
}
