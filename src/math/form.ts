/**
 * The canonical form of an expression as text: a value where there is one, else a shape filled with forms. Hashed, it
 * is the canonical key. Three classes in this order: exact rational, digits at a fixed point, structure.
 * Source: grading.md section 4, whose numbered pitfalls each have a test.
 */
import { type Node, node, someNode } from "./ast.ts";
import { BudgetExceeded, Evaluation } from "./evaluate.ts";
import { matrixValues } from "./matrix.ts";
import { rationalText } from "./rational.ts";
import { div, real, sub, type Value, valueText } from "./value.ts";

export interface FormOptions {
  /** `rhs` drops the left side of an equation. */
  equationMode: "keep" | "rhs";
}

/** Ops that stand for a number. */
const SCALAR: ReadonlySet<string> = new Set([
  "number",
  "symbol",
  "constant",
  "add",
  "mul",
  "neg",
  "percent",
  "div",
  "pow",
  "mod",
  "root",
  "function",
  "call",
  "big",
  "derivative",
  "base",
  "unit",
]);

export function isScalar(one: Node): boolean {
  return SCALAR.has(one.op) && !(one.op === "function" && one.text === "congruent");
}

/** What an evaluation calls for nodes without a value. */
function innerForm(one: Node, evaluation: Evaluation): string {
  const inner = (part: Node): string =>
    isScalar(part) &&
    part.op !== "call" &&
    part.op !== "derivative" &&
    part.op !== "base" &&
    part.op !== "unit"
      ? (valueText(evaluation.evaluate(part)) ?? structure(part))
      : innerForm(part, evaluation);
  evaluation.charge(2);
  switch (one.op) {
    case "call":
      return `call:${one.text}(${one.args.map(inner).join(",")})`;
    case "derivative":
      return `d/${one.text}(${inner(one.args[0] as Node)})`;
    case "unit":
    case "base":
    case "opaque":
      return `${one.op}:${one.text}`;
    case "text":
      return `text:${plainText(one.text)}`;
    case "empty":
      return "";
    case "number":
    case "symbol":
    case "constant":
      return structure(one);
    default:
      return `${one.op}:${one.text}(${one.args.map(inner).join(",")})`;
  }
}

/** Value at a point, or null when the expression is too much work. */
export function evaluateAt(one: Node, point: 0 | 1, sign: 1 | -1 = 1): Value | null {
  try {
    return new Evaluation(innerForm, point, sign).evaluate(one);
  } catch (error) {
    if (error instanceof BudgetExceeded) return null;
    throw error;
  }
}

/** Case, spacing and punctuation do not distinguish words. */
export function plainText(text: string): string {
  return text
    .toLowerCase()
    .replace(/\./g, "")
    .replace(/[\s.,;:'"`$\\{}()-]+/g, " ")
    .trim();
}

/** The written structure: operands of sums and products sorted, nothing computed. Linear in the tree. */
export function structure(one: Node): string {
  switch (one.op) {
    case "number":
      return one.value === null ? one.text : rationalText(one.value);
    case "symbol":
    case "constant":
      return one.text;
    case "add":
    case "mul":
      return `${one.op}(${one.args.map(structure).sort().join(",")})`;
    case "text":
      return `text:${plainText(one.text)}`;
    case "tuple":
      if (one.args.length === 1) return structure(one.args[0] as Node);
      break;
  }
  return `${one.op}:${one.text}(${one.args.map(structure).join(",")})`;
}

const HAS_SIGN = (one: Node): boolean => one.op === "plusminus";

/** Form of something with a value. */
function scalarForm(one: Node): string {
  if (someNode(one, HAS_SIGN)) {
    const both = [1, -1].map((sign) => {
      const value = evaluateAt(one, 0, sign as 1 | -1);
      return (value === null ? null : valueText(value)) ?? `S${sign}${structure(one)}`;
    });
    return listForm(both);
  }
  const value = evaluateAt(one, 0);
  return (value === null ? null : valueText(value)) ?? `S${structure(one)}`;
}

function listForm(forms: readonly string[]): string {
  return `L[${[...forms].sort().join(";")}]`;
}

/** Is this the name of something, so that `name = value` assigns? */
export function isName(one: Node): boolean {
  if (one.op === "symbol") return true;
  if (one.op === "constant") return one.text === "e" || one.text === "i";
  return (
    one.op === "call" && one.args.length > 0 && one.text !== "setbuilder" && !one.text.startsWith("accent:")
  );
}

/** Does the expression depend on a symbol? */
export function isFree(one: Node): boolean {
  return someNode(one, (part) => part.op === "symbol" || part.op === "call" || part.op === "derivative");
}

/** Members of a chain without those an equals sign makes redundant: first and last of each equality run. */
function chainEnds(one: Node): { members: Node[]; operators: string } {
  const operators = [...one.text];
  if (operators.every((operator) => operator === "="))
    return { members: [one.args[0] as Node, one.args.at(-1) as Node], operators: "=" };
  const members = [one.args[0] as Node];
  let kept = "";
  operators.forEach((operator, i) => {
    const next = one.args[i + 1] as Node;
    if (operator === "=" && i > 0) {
      // `a ≤ b = c` says a ≤ c.
      members[members.length - 1] = next;
    } else if (operator === "=" && i === 0 && operators.length > 1) {
      // `a = b ≤ c` says a ≤ c.
    } else {
      members.push(next);
      kept += operator;
    }
  });
  return { members, operators: kept };
}

/** The difference of two sides at both points, or null when it has no reliable value. */
function differences(left: Node, right: Node): [Value, Value] | null {
  const values: Value[] = [];
  for (const point of [0, 1] as const) {
    const a = evaluateAt(left, point);
    const b = evaluateAt(right, point);
    if (a === null || b === null) return null;
    const difference = sub(a, b);
    if (valueText(difference) === null) return null;
    values.push(difference);
  }
  return values as [Value, Value];
}

function isVanishing(value: Value): boolean {
  return value.exact !== null && value.exact.num === 0;
}

/** Scale-free form of `left = right`: 3b = 21 and b = 7 share it. Null for identities and unreliable values. */
export function equationForm(left: Node, right: Node): string | null {
  const both = differences(left, right);
  if (both === null || isVanishing(both[1])) return null;
  const text = valueText(div(both[0], both[1]));
  return text === null || (!both[0].free && !both[1].free) ? null : text;
}

/** Form of `small < large`, the same for any positive multiple. Null when the sides have no reliable real values. */
export function inequalityForm(small: Node, large: Node): string | null {
  const both = differences(large, small);
  if (both === null || isVanishing(both[1]) || both[0].im.hi !== 0) return null;
  const text = valueText(div(both[0], both[1]));
  return text === null ? null : `${real(both[0]).hi < 0 ? "-" : "+"}${text}`;
}

const pair = (a: string, b: string): string => (a < b ? `${a}|${b}` : `${b}|${a}`);

function relationForm(one: Node, options: FormOptions): string {
  const { members, operators } = chainEnds(one);
  const first = members[0] as Node;
  const last = members.at(-1) as Node;
  if (operators === "=") return equalityForm(first, last, options);
  if (/^[<≤]+$/.test(operators) || /^[>≥]+$/.test(operators)) {
    const descending = /[>≥]/.test(operators);
    const ordered = descending ? [...members].reverse() : members;
    const signs = (descending ? [...operators].reverse() : [...operators])
      .map((sign) => (sign === "<" || sign === ">" ? "<" : "≤"))
      .join("");
    if (ordered.length === 2) {
      const [small, large] = ordered as [Node, Node];
      if (isScalar(small) && isScalar(large)) {
        const bare = (isName(small) && !isFree(large)) || (isName(large) && !isFree(small));
        const ratio = isFree(small) || isFree(large) ? inequalityForm(small, large) : null;
        if (ratio !== null) return `ineq${signs}${bare ? "b" : ""}${ratio}`;
      }
      return `ineq${signs}${formOf(small, options)}|${formOf(large, options)}`;
    }
    return `chain${signs}${ordered.map((member) => formOf(member, options)).join("|")}`;
  }
  const forms = members.map((member) => formOf(member, options));
  if (operators === "≠" && members.length === 2) {
    const bare = isName(first) || isName(last);
    const ratio = !bare && isScalar(first) && isScalar(last) ? equationForm(first, last) : null;
    return ratio === null ? `≠${pair(forms[0] as string, forms[1] as string)}` : `≠${ratio}`;
  }
  if (members.length === 2 && "≈∼≅⊥∥".includes(operators))
    return `${operators}${pair(forms[0] as string, forms[1] as string)}`;
  if (operators === "∋") return `∈${forms[1]}|${forms[0]}`;
  return `rel${operators}${forms.join("|")}`;
}

function equalityForm(first: Node, last: Node, options: FormOptions): string {
  if (options.equationMode === "rhs") return formOf(last, options);
  const assigned = isName(first) ? first : isName(last) ? last : null;
  if (assigned !== null) {
    const other = assigned === first ? last : first;
    if (isName(other)) return `asg${pair(structure(first), structure(last))}`;
    const name = structure(assigned);
    // `y = 2 - x` and `x + y = 2` are one equation; `f(x) = 2x` and `b = 7` say what something is.
    if (assigned.op === "symbol" && isScalar(other) && isFree(other)) {
      const ratio = equationForm(first, last);
      if (ratio !== null) return `eq${ratio}`;
    }
    const repeats =
      isFree(other) && someNode(other, (part) => part.op === assigned.op && structure(part) === name);
    if (!repeats) return `asg${name}=${formOf(other, options)}`;
  }
  if (!isScalar(first) || !isScalar(last)) return `eqs${pair(formOf(first, options), formOf(last, options))}`;
  if (isFree(first) || isFree(last)) {
    const ratio = equationForm(first, last);
    if (ratio !== null) return `eq${ratio}`;
  }
  // An identity, or a statement about constants: its content is how it is written.
  return `id${pair(structure(first), structure(last))}`;
}

/** The canonical form of a parsed span. */
export function formOf(one: Node, options: FormOptions): string {
  const inner = (part: Node): string => formOf(part, options);
  switch (one.op) {
    case "relation":
      return relationForm(one, options);
    case "plusminus":
      return scalarForm(one);
    case "list": {
      // A plus-minus item stands for two.
      const forms = one.args
        .map(inner)
        .flatMap((form) => (form.startsWith("L[") ? form.slice(2, -1).split(";") : [form]));
      return listForm(forms);
    }
    case "set": {
      const forms = one.args
        .map(inner)
        .flatMap((form) => (form.startsWith("L[") ? form.slice(2, -1).split(";") : [form]));
      return `{${[...new Set(forms)].sort().join(";")}}`;
    }
    case "cases":
      return `C[${one.args.map(inner).sort().join(";")}]`;
    case "tuple":
      if (one.args.length === 1) return inner(one.args[0] as Node);
      return `T${one.text}${one.args.map(inner).join(";")}`;
    case "matrix":
      return `M${one.text}[${one.args.map(inner).join(";")}]`;
    case "setop":
      return one.text === "∖"
        ? `∖(${one.args.map(inner).join(";")})`
        : `${one.text}(${[...new Set(one.args.map(inner))].sort().join(";")})`;
    case "ratio":
      return ratioForm(one, options);
    case "text":
      return `text:${plainText(one.text)}`;
    case "empty":
      return "∅";
    case "opaque":
      return `opaque:${one.text}`;
    case "function":
      if (one.text === "congruent") {
        const [relation, modulus] = one.args as [Node, Node];
        const sides = relation.op === "relation" ? relation.args : [relation];
        const ends = sides.length === 1 ? sides : [sides[0] as Node, sides.at(-1) as Node];
        return `mod${inner(modulus)}:${ends.map(inner).sort().join("|")}`;
      }
      break;
  }
  if (someNode(one, (part) => part.op === "matrix")) {
    const product = matrixValues(one, (part) => evaluateAt(part, 0));
    if (product !== null) {
      const forms = product.entries.map((entry) => valueText(entry));
      if (forms.every((form) => form !== null))
        return `M${product.rows},${product.columns}[${forms.join(";")}]`;
    }
  }
  return scalarForm(one);
}

/** `2:4` and `1:2` are one ratio. */
function ratioForm(one: Node, options: FormOptions): string {
  const [first, ...rest] = one.args as [Node, ...Node[]];
  if (one.args.every(isScalar)) {
    const forms = rest.map((part) => {
      const value = evaluateAt(node("div", [part, first]), 0);
      return value === null ? null : valueText(value);
    });
    if (forms.every((form) => form !== null)) return `ratio:${forms.join(":")}`;
  }
  return `ratio(${one.args.map((part) => formOf(part, options)).join(":")})`;
}
