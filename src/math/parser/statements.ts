/**
 * Lists, implications, relations and set operations: everything looser than a sum.
 */
import { type Node, node } from "../ast.ts";
import { MARK } from "../lexer.ts";
import { parseArgument } from "./argument.ts";
import { parseSum } from "./arithmetic.ts";
import { type Cursor, MAX_ITEMS, STUCK } from "./cursor.ts";

const RELATIONS: ReadonlySet<string> = new Set([..."=≠<>≤≥∈∉∋⊂⊆⊃⊇≡≈∼≅∝⊥∥∣∤→"]);
/** Members of one chain; each is evaluated by itself. */
const MAX_MEMBERS = 100;
const IMPLICATIONS: ReadonlySet<string> = new Set(["⇒", "⇐", "⇔", "↔", "←"]);

/** Rows or `;` items of `,` items; a single statement stays itself. */
export function parseStatements(p: Cursor): Node {
  const rows: Node[] = [];
  let separated = false;
  for (;;) {
    while (p.is(";") || p.is("\\\\")) {
      p.at++;
      separated = true;
    }
    if (p.atClose()) break;
    rows.push(parseCommas(p));
    if (rows.length > MAX_ITEMS) throw STUCK;
    if (!p.is(";") && !p.is("\\\\")) break;
  }
  if (rows.length === 0) return node("empty");
  if (rows.length === 1) return rows[0] as Node;
  if (!separated) throw STUCK;
  // `1,2;3,4` is a list of pairs.
  if (rows.every((row) => row.op === "list"))
    return node(
      "list",
      rows.map((row) => node("tuple", row.args, "()")),
    );
  return node(
    "list",
    rows.flatMap((row) => (row.op === "list" ? row.args : [row])),
  );
}

function parseCommas(p: Cursor): Node {
  const items = parseItems(p);
  return items.length === 1 ? (items[0] as Node) : node("list", items);
}

/** Comma-separated statements; doubled and trailing separators are tolerated. */
export function parseItems(p: Cursor): Node[] {
  const items: Node[] = [];
  for (;;) {
    while (p.accept(",")) {}
    if (p.atClose() || p.is(";") || p.is("\\\\")) break;
    items.push(parseImplication(p));
    if (items.length > MAX_ITEMS) throw STUCK;
    if (!p.is(",")) break;
  }
  return items.length === 0 ? [node("empty")] : items;
}

function parseImplication(p: Cursor): Node {
  const first = parseRelation(p);
  if (!(p.kinds[p.at] === MARK && IMPLICATIONS.has(p.texts[p.at] as string))) return first;
  const members = [first];
  let operators = "";
  while (p.kinds[p.at] === MARK && IMPLICATIONS.has(p.texts[p.at] as string)) {
    operators += p.texts[p.at++];
    members.push(p.atClose() ? node("empty") : parseRelation(p));
    if (members.length > MAX_MEMBERS) throw STUCK;
  }
  return node("relation", members, operators);
}

function isRelation(p: Cursor): boolean {
  if (p.kinds[p.at] !== MARK) return false;
  const text = p.texts[p.at] as string;
  // A bar that closes nothing says "divides".
  return RELATIONS.has(text) || (text === "|" && p.bars === 0);
}

export function parseRelation(p: Cursor): Node {
  const first = isRelation(p) && !p.is("|") ? node("empty") : parseRatio(p);
  if (!isRelation(p)) return withModulus(p, first);
  const members = [first];
  let operators = "";
  while (isRelation(p)) {
    operators += p.texts[p.at++];
    // `= \; =` and a relation at the end have a missing side.
    const missing = p.atClose() || (isRelation(p) && !p.is("|")) || p.is(",") || p.is(";") || p.is("\\\\");
    members.push(missing ? node("empty") : parseRatio(p));
    if (members.length > MAX_MEMBERS) throw STUCK;
  }
  return withModulus(p, node("relation", members, operators));
}

/** `(mod m)` after a congruence. */
function withModulus(p: Cursor, left: Node): Node {
  let modulus: Node | null = null;
  if (p.is("pmod") || p.is("mod")) {
    p.at++;
    modulus = parseArgument(p);
  } else if (p.is("(") && p.kinds[p.at + 1] === MARK && /^p?mod$/.test(p.texts[p.at + 1] as string)) {
    p.at += 2;
    modulus = parseSum(p);
    p.expect(")");
  }
  return modulus === null ? left : node("function", [left, modulus], "congruent");
}

function parseRatio(p: Cursor): Node {
  const first = parseSetOperation(p);
  if (!p.is(":")) return first;
  const parts = [first];
  while (p.accept(":")) parts.push(p.atClose() ? node("empty") : parseSetOperation(p));
  return node("ratio", parts);
}

function parseSetOperation(p: Cursor): Node {
  let left = parseSum(p);
  while (p.is("∪") || p.is("∩") || p.is("∖")) {
    const operator = p.texts[p.at++] as string;
    const right = parseSum(p);
    if (left.args.length > MAX_MEMBERS) throw STUCK;
    left =
      left.op === "setop" && left.text === operator && operator !== "∖"
        ? node("setop", [...left.args, right], operator)
        : node("setop", [left, right], operator);
  }
  return left;
}
