/**
 * Names of points, segments, angles and figures, and decorated names.
 */
import { type Node, node } from "../ast.ts";
import { NAME, NUMBER, SYMBOL } from "../lexer.ts";
import { parseArgument, readArgument } from "./argument.ts";
import type { Cursor } from "./cursor.ts";
import { parseGroup } from "./delimiters.ts";
import { withCall } from "./factor.ts";

/** Figures whose name is a set of points. */
const UNORDERED_FIGURES: ReadonlySet<string> = new Set(["triangle", "overline", "widehat", "arc"]);

export function parseAccent(p: Cursor, name: string): Node {
  const inner = parseArgument(p);
  const kind =
    name === "arc" || name === "overarc" || name === "overparen" || name === "wideparen" ? "widehat" : name;
  if (inner.op === "symbol") {
    const text =
      UNORDERED_FIGURES.has(kind) && /^[A-Z]{2}$/.test(inner.text) ? sortLetters(inner.text) : inner.text;
    return withCall(p, node("symbol", [], `${kind}:${text}`));
  }
  if (inner.op === "number" && kind === "overline") return node("symbol", [], `repeat:${inner.text}`);
  const letters = letterProduct(inner);
  if (letters !== null) {
    const text = UNORDERED_FIGURES.has(kind) ? sortLetters(letters) : letters;
    return node("symbol", [], `${kind}:${text}`);
  }
  return node("call", [inner], `accent:${kind}`);
}

/** The letters of a product of plain symbols, in the written order. */
function letterProduct(inner: Node): string | null {
  if (inner.op !== "mul") return null;
  let letters = "";
  for (const factor of inner.args) {
    if (factor.op !== "symbol" && factor.op !== "number" && factor.op !== "constant") return null;
    letters += factor.text;
  }
  return letters;
}

/** `\angle ABC` reads the same backwards, `\triangle ABC` in any order. */
export function parseFigure(p: Cursor, name: string): Node {
  const points: string[] = [];
  for (;;) {
    const kind = p.kinds[p.at];
    const text = p.texts[p.at] as string;
    if (kind === NAME) points.push(...text);
    else if (kind === SYMBOL && /^(?:[A-Z]|alpha|beta|gamma|theta|[a-z])$/.test(text)) points.push(text);
    else if (kind === NUMBER && points.length === 0) points.push(text);
    else break;
    p.at++;
    while (p.is("_") || p.is("'")) {
      const mark = p.texts[p.at++] as string;
      points[points.length - 1] += mark === "_" ? `_${readArgument(p)}` : "'";
    }
    if (p.is("^") && p.texts[p.at + 1] === "'") {
      p.at += 2;
      points[points.length - 1] += "'";
    }
  }
  if (points.length === 0) {
    if (p.is("{")) return node("call", [parseGroup(p)], name);
    return node("symbol", [], `figure:${name}`);
  }
  if (name === "triangle") points.sort();
  else if (points.join(" ") > [...points].reverse().join(" ")) points.reverse();
  return node("symbol", [], `${name}:${points.join(" ")}`);
}

function sortLetters(letters: string): string {
  return [...letters].sort().join("");
}
