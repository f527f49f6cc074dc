/**
 * Intervals and their unions, whether written with brackets, as inequalities of one variable, or as `x \in ...`.
 * One form for all, so that `(3, 4]`, `3 < x \le 4` and `x \in (3, 4]` can be compared.
 */
import { type Node, node } from "./ast.ts";
import { formOf, isFree, isName, structure } from "./form.ts";

export interface IntervalForm {
  /** `(a;b]` or a sorted union of such. */
  form: string;
  /** Name of the variable when one was written. */
  variable: string | null;
}

const KEEP = { equationMode: "keep" } as const;
const INFINITY = node("constant", [], "infinity");

function ends(open: string, low: string, high: string, close: string): string {
  return `${open}${low};${high}${close}`;
}

/** The interval an answer describes, or null. */
export function intervalOf(one: Node): IntervalForm | null {
  switch (one.op) {
    case "tuple": {
      if (one.args.length !== 2 || !/^[[(][\])]$/.test(one.text)) return null;
      const [low, high] = one.args as [Node, Node];
      return {
        form: ends(one.text.charAt(0), formOf(low, KEEP), formOf(high, KEEP), one.text.charAt(1)),
        variable: null,
      };
    }
    case "setop": {
      if (one.text !== "∪") return null;
      return union(one.args.map((arg) => (arg.op === "set" ? points(arg) : intervalOf(arg))));
    }
    case "list":
      // `x < 1, x > 3` lists the parts of a union.
      return one.args.every((arg) => arg.op === "relation") ? union(one.args.map(intervalOf)) : null;
    case "relation":
      return fromRelation(one);
    default:
      return null;
  }
}

function points(one: Node): IntervalForm {
  return {
    form: `{${one.args
      .map((arg) => formOf(arg, KEEP))
      .sort()
      .join(";")}}`,
    variable: null,
  };
}

function union(parts: readonly (IntervalForm | null)[]): IntervalForm | null {
  const forms: string[] = [];
  let variable: string | null = null;
  for (const part of parts) {
    if (part === null) return null;
    if (part.variable !== null) {
      if (variable !== null && variable !== part.variable) return null;
      variable = part.variable;
    }
    forms.push(...part.form.split("∪"));
  }
  return { form: forms.sort().join("∪"), variable };
}

function fromRelation(one: Node): IntervalForm | null {
  if (one.text === "∈" && one.args.length === 2) {
    const [name, set] = one.args as [Node, Node];
    const inner = intervalOf(set);
    return inner === null || !isName(name) ? null : { form: inner.form, variable: structure(name) };
  }
  const descending = /^[>≥]+$/.test(one.text);
  if (!descending && !/^[<≤]+$/.test(one.text)) return null;
  const members = descending ? [...one.args].reverse() : one.args;
  const strict = (descending ? [...one.text].reverse() : [...one.text]).map(
    (sign) => sign === "<" || sign === ">",
  );
  if (members.length === 2) {
    const [left, right] = members as [Node, Node];
    if (isName(left) && !isFree(right))
      return {
        form: ends("(", formOf(node("neg", [INFINITY]), KEEP), formOf(right, KEEP), strict[0] ? ")" : "]"),
        variable: structure(left),
      };
    if (isName(right) && !isFree(left))
      return {
        form: ends(strict[0] ? "(" : "[", formOf(left, KEEP), formOf(INFINITY, KEEP), ")"),
        variable: structure(right),
      };
    return null;
  }
  if (members.length !== 3) return null;
  const [low, middle, high] = members as [Node, Node, Node];
  const inside = middle.args[0];
  if (middle.op === "function" && middle.text === "abs" && inside !== undefined && isName(inside)) {
    if (isFree(low) || isFree(high)) return null;
    const mirror = (end: Node): string => formOf(node("neg", [end]), KEEP);
    const right = ends(strict[0] ? "(" : "[", formOf(low, KEEP), formOf(high, KEEP), strict[1] ? ")" : "]");
    const left = ends(strict[1] ? "(" : "[", mirror(high), mirror(low), strict[0] ? ")" : "]");
    return { form: [left, right].sort().join("∪"), variable: structure(inside) };
  }
  if (!isName(middle) || isFree(low) || isFree(high)) return null;
  return {
    form: ends(strict[0] ? "(" : "[", formOf(low, KEEP), formOf(high, KEEP), strict[1] ? ")" : "]"),
    variable: structure(middle),
  };
}
