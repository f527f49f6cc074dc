/**
 * Parentheses, brackets, braces and bars: groups, tuples, intervals, sets, absolute values.
 */
import { type Node, node } from "../ast.ts";
import { END, MARK } from "../lexer.ts";
import { type Cursor, STUCK } from "./cursor.ts";
import { parseRelation, parseStatements } from "./statements.ts";

export function parseDelimited(p: Cursor, open: string): Node {
  switch (open) {
    case "(":
    case "[":
    case "]":
    case "⟨":
      return parseParenthesised(p, open);
    case "{":
      return parseGroup(p);
    case "\\{":
      return parseBraces(p);
    case "|":
    case "‖":
      return parseBar(p, open);
    case "°":
      p.at++;
      return node("constant", [], "degree");
    case "%":
      p.at++;
      return node("percent", [node("number", [], "1", { num: 1, den: 1 })]);
    case "*":
    case ".":
    case "∘":
    case "?":
    case "@":
    case "#":
    case "`":
    case '"':
      p.at++;
      return node("symbol", [], `mark:${open}`);
    default:
      throw STUCK;
  }
}

/** `(a)`, `(a,b)`, `[a,b)`; a round pair may be a tuple or an open interval, which share one form. */
export function parseParenthesised(p: Cursor, open: string): Node {
  p.at++;
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const inner = parseStatements(p);
  p.bars = bars;
  p.depth--;
  const close = p.texts[p.at] as string;
  if (
    p.kinds[p.at] !== MARK ||
    !(close === ")" || close === "]" || close === "⟩" || (close === "[" && open === "]"))
  )
    throw STUCK;
  p.at++;
  if (inner.op === "list") {
    const round = open === "(" || open === "⟨" || (open === "]" ? "(" : "") === "(";
    const shape = (round ? "(" : "[") + (close === "]" && open !== "]" ? "]" : close === "]" ? "]" : ")");
    return node("tuple", inner.args, inner.args.length === 2 ? shape : "()");
  }
  return inner;
}

/** `{...}`: grouping; with a comma inside it is a set, as people write `{1,2,3}`. */
export function parseGroup(p: Cursor): Node {
  p.expect("{");
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const inner = parseStatements(p);
  p.expect("}");
  p.bars = bars;
  p.depth--;
  return inner.op === "list" ? node("set", inner.args) : inner;
}

export function parseBraces(p: Cursor): Node {
  p.at++;
  p.enter();
  const bars = p.bars;
  p.bars = 0;
  const inner = parseStatements(p);
  let condition: Node | null = null;
  if (p.is("|") || p.is(":")) {
    p.at++;
    condition = parseStatements(p);
  }
  p.bars = bars;
  p.depth--;
  // `\left\{ ... \right.` opens a system.
  if (p.kinds[p.at] === END) return inner.op === "list" ? node("cases", inner.args) : inner;
  p.expect("\\}");
  if (condition !== null) return node("call", [inner, condition], "setbuilder");
  if (inner.op === "empty") return node("set", []);
  return node("set", inner.op === "list" ? inner.args : [inner]);
}

export function parseBar(p: Cursor, mark: string): Node {
  p.at++;
  p.enter();
  p.bars++;
  const inner = parseRelation(p);
  p.bars--;
  p.depth--;
  p.expect(mark);
  return node("function", [inner], mark === "|" ? "abs" : "norm");
}
