/**
 * `\\begin{...}`: matrices, systems, aligned lines.
 */
import { type Node, node } from "../ast.ts";
import { COMMAND, END } from "../lexer.ts";
import { readArgument } from "./argument.ts";
import { type Cursor, MAX_ITEMS, STUCK } from "./cursor.ts";
import { parseItems } from "./statements.ts";

const MATRICES: ReadonlySet<string> = new Set(
  "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array".split(" "),
);

/** `\begin{pmatrix}` and its relatives, systems, aligned lines. */
export function parseEnvironment(p: Cursor): Node {
  const name = readArgument(p).replace("*", "");
  if (name === "array" || name === "tabular") {
    if (p.is("[")) while (p.kinds[p.at] !== END && p.texts[p.at++] !== "]") {}
    if (p.is("{")) readArgument(p);
  }
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const rows: Node[][] = [[]];
  let entries = 0;
  for (;;) {
    if (p.kinds[p.at] === END) throw STUCK;
    if (p.kinds[p.at] === COMMAND && p.texts[p.at] === "end") break;
    if (p.accept("\\\\")) {
      rows.push([]);
      continue;
    }
    if (p.accept("&")) {
      if (p.is("&") || p.is("\\\\")) (rows.at(-1) as Node[]).push(node("empty"));
      continue;
    }
    const items = parseItems(p);
    (rows.at(-1) as Node[]).push(items.length === 1 ? (items[0] as Node) : node("list", items));
    if (++entries > MAX_ITEMS) throw STUCK;
    if (!(p.is("&") || p.is("\\\\") || (p.kinds[p.at] === COMMAND && p.texts[p.at] === "end"))) throw STUCK;
  }
  p.at++;
  readArgument(p);
  p.bars = bars;
  p.depth--;
  const filled = rows.filter((row) => row.length > 0);
  if (MATRICES.has(name)) {
    const columns = Math.max(1, ...filled.map((row) => row.length));
    const flat = filled.flatMap((row) => [
      ...row,
      ...Array.from({ length: columns - row.length }, () => node("empty")),
    ]);
    const matrix = node("matrix", flat, `${filled.length},${columns}`);
    return name === "vmatrix" ? node("function", [matrix], "det") : matrix;
  }
  // Systems and aligned lines: each row is a statement; its cells are pieces of it.
  const lines: Node[] = [];
  for (const row of filled) {
    const line = row.length === 1 ? (row[0] as Node) : node("tuple", row, "row");
    const above = lines.at(-1);
    // A line that begins with a relation goes on from the line above.
    if (above !== undefined && line.op === "relation" && line.args[0]?.op === "empty") {
      const members = above.op === "relation" ? above.args : [above];
      const operators = above.op === "relation" ? above.text : "";
      lines[lines.length - 1] = node("relation", [...members, ...line.args.slice(1)], operators + line.text);
    } else lines.push(line);
  }
  if (lines.length === 1) return lines[0] as Node;
  return node("cases", lines);
}
