/**
 * The pairwise rules of `verify`: named ways in which two answers that are written differently say the same. Each is
 * symmetric. They are tried in order after key equality; the first that applies names the verdict.
 * Source: grading.md section 5 and the conventions of its `policy` rows (units, percent and bases may be left out).
 */
import type { Node } from "../ast.ts";
import { intervalOf } from "../interval.ts";
import { parse } from "../parser.ts";
import type { Candidate } from "./candidate.ts";
import { collectionRule, isCollection, matrixRule, setOperationRule } from "./collections.ts";
import { equationRule, relationRule } from "./equations.ts";
import { formOf, KEEP } from "./memory.ts";
import { baseRule, unitRule } from "./units.ts";
import { confirm, scalarRule } from "./values.ts";
import { textRule } from "./words.ts";

/** Nesting of lists, equations and intervals that rules look into. */
const MAX_RULE_DEPTH = 4;
/** `1,22` where the other side writes 1.22; `1,2` is rather a list. */
const DECIMAL_COMMA = /^-?\d+,\d{2,}$/;
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
    setOperationRule(a, b, depth)
  );
}

function intervalRule(a: Node, b: Node): string | null {
  const [x, y] = [intervalOf(a), intervalOf(b)];
  if (x === null || y === null || x.form !== y.form) return null;
  if (x.variable !== null && y.variable !== null && x.variable !== y.variable) return null;
  return "interval";
}
