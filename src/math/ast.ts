/**
 * The expression tree. One node shape for everything keeps the evaluator's property reads monomorphic; `op` says
 * what the fields mean. Trees are never changed after parsing.
 */
import type { Rational } from "./rational.ts";

/**
 * | op | args | text |
 * |---|---|---|
 * | number | | source digits; `value` is exact |
 * | symbol | | name with subscript and accents |
 * | constant | | pi, e, i, infinity, degree |
 * | add, mul | two or more | |
 * | neg, percent | one | |
 * | div, pow, mod | two | |
 * | root | radicand, index | |
 * | function | arguments (base of log first) | canonical name |
 * | call | arguments | name of an unknown function |
 * | plusminus | one, or left and right | `±` or `∓` |
 * | relation | members | operators, one character each |
 * | list, set, tuple, cases | items | tuple: `()`, `[]`, `(]`, `[)` |
 * | matrix | entries, row by row | "rows,columns" |
 * | setop | operands | `∪`, `∩`, `∖` |
 * | big | lower, upper, body | sum, prod, int, lim and the bound name, space-separated |
 * | derivative | body | variables |
 * | base | | digits_base |
 * | text, unit | | words |
 * | ratio | parts | |
 * | empty | | a missing side |
 * | opaque | | source text the parser does not understand |
 */
export type Op =
  | "number"
  | "symbol"
  | "constant"
  | "add"
  | "mul"
  | "neg"
  | "percent"
  | "div"
  | "pow"
  | "mod"
  | "root"
  | "function"
  | "call"
  | "plusminus"
  | "relation"
  | "list"
  | "set"
  | "tuple"
  | "cases"
  | "matrix"
  | "setop"
  | "big"
  | "derivative"
  | "base"
  | "text"
  | "unit"
  | "ratio"
  | "empty"
  | "opaque";

export interface Node {
  readonly op: Op;
  readonly args: readonly Node[];
  readonly text: string;
  /** Exact value of a number. */
  readonly value: Rational | null;
}

const NO_ARGS: readonly Node[] = [];

export function node(
  op: Op,
  args: readonly Node[] = NO_ARGS,
  text = "",
  value: Rational | null = null,
): Node {
  return { op, args, text, value };
}

/** Calls `visit` on the node and all below it, parents first, until `visit` returns true; says whether it did. */
export function someNode(root: Node, visit: (one: Node) => boolean): boolean {
  if (visit(root)) return true;
  for (const child of root.args) if (someNode(child, visit)) return true;
  return false;
}

/** Does the tree hold a part the parser did not understand? */
export function isOpaque(root: Node): boolean {
  return someNode(root, (one) => one.op === "opaque");
}
