/**
 * LaTeX or plain text to an expression tree by recursive descent. Never throws on any text: what it does not understand
 * becomes an opaque node. Linear time: every token is consumed once, with one bounded retry for vertical bars.
 * Precedence, loosest first: `;` list, `,` list, implication, relations, set operations, sums, products (with `/`
 * and mod), signs, powers. The functions of each level are in `parser/`.
 */
import { type Node, node } from "./ast.ts";
import { END, type LexOptions, lex, type Tokens } from "./lexer.ts";
import { Cursor, STUCK, Stuck } from "./parser/cursor.ts";
import { parseStatements } from "./parser/statements.ts";

/** Longer input is opaque: no answer or intermediate result is this long. Characters. */
export const MAX_CHARS = 2000;

function parseAll(p: Cursor): Node {
  const result = parseStatements(p);
  if (p.kinds[p.at] !== END) throw STUCK;
  return result;
}

export interface Parsed {
  root: Node;
  /** A plain comma between groups of three digits was read as a thousands separator. */
  ambiguousComma: boolean;
}

/** Text of tokens, for opaque nodes: spacing does not matter, everything else does. */
function compactText(tokens: Tokens): string {
  return tokens.texts.join("\u0001");
}

/** End of the useful part: trailing punctuation, spacing and line ends dropped. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0) {
    const last = text.charCodeAt(end - 1);
    // . , ; : ~ $ and white space
    if (
      last <= 32 ||
      last === 46 ||
      last === 44 ||
      last === 59 ||
      last === 58 ||
      last === 126 ||
      last === 36
    ) {
      end--;
    } else if (last === 92) end--;
    else if (end > 1 && text.charCodeAt(end - 2) === 92 && (last === 33 || last === 93 || last === 41))
      end -= 2;
    else break;
  }
  return end === text.length ? text : text.slice(0, end);
}

/** Parses a span or an answer. Never throws; see `Op` for the shapes. */
export function parse(source: string, options: LexOptions = {}): Parsed {
  if (source.length > MAX_CHARS) return { root: node("opaque", [], source), ambiguousComma: false };
  const text = trimEnd(source);
  const tokens = lex(text, options);
  for (const openBars of [false, true]) {
    const copy = openBars ? lex(text, options) : tokens;
    try {
      const root = parseAll(new Cursor(copy, openBars));
      return { root, ambiguousComma: tokens.ambiguousComma };
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      if (openBars || !text.includes("|")) break;
    }
  }
  return { root: node("opaque", [], compactText(lex(text, options))), ambiguousComma: tokens.ambiguousComma };
}
