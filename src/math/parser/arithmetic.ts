/**
 * Sums, signs, products and quotients, and when juxtaposition means a product.
 */
import { type Node, node } from "../ast.ts";
import { COMMAND, END, MARK } from "../lexer.ts";
import type { Cursor } from "./cursor.ts";
import { parseFactor } from "./factor.ts";

export function parseSum(p: Cursor): Node {
  p.enter();
  let left = parseSigned(p);
  let terms: Node[] | null = null;
  for (;;) {
    if (p.accept("+")) {
      terms ??= [left];
      terms.push(parseSigned(p));
    } else if (p.accept("-")) {
      terms ??= [left];
      terms.push(node("neg", [parseSigned(p)]));
    } else if (p.is("±") || p.is("∓")) {
      const sign = p.texts[p.at++] as string;
      if (terms !== null) left = node("add", terms);
      terms = null;
      left = node("plusminus", [left, parseSigned(p)], sign);
    } else break;
  }
  p.depth--;
  if (p.is("over") || p.is("choose")) {
    const infix = p.texts[p.at++] as string;
    const top = terms === null ? left : node("add", terms);
    const below = parseSum(p);
    return infix === "over" ? node("div", [top, below]) : node("function", [top, below], "binom");
  }
  return terms === null ? left : node("add", terms);
}

/** A term with any number of signs before it. */
function parseSigned(p: Cursor): Node {
  let negative = false;
  for (;;) {
    if (p.accept("+")) continue;
    if (p.accept("-")) negative = !negative;
    else break;
  }
  if (p.is("±") || p.is("∓")) {
    const sign = p.texts[p.at++] as string;
    p.enter();
    const term = node("plusminus", [parseSigned(p)], sign);
    p.depth--;
    return negative ? node("neg", [term]) : term;
  }
  return parseTerm(p, negative);
}

/** Products and quotients, left to right; a leading minus belongs to the first factor of `mod` and `/`. */
export function parseTerm(p: Cursor, negative: boolean): Node {
  let left = parseFactor(p);
  if (negative) left = node("neg", [left]);
  let factors: Node[] | null = null;
  const flush = (): Node => {
    if (factors !== null) left = node("mul", factors);
    factors = null;
    return left;
  };
  for (;;) {
    if (p.accept("*")) {
      factors ??= [left];
      let flip = false;
      while (p.is("-") || p.is("+")) flip = p.texts[p.at++] === "-" ? !flip : flip;
      const next = parseFactor(p);
      factors.push(flip ? node("neg", [next]) : next);
    } else if (p.accept("/")) {
      const top = flush();
      let flip = false;
      while (p.is("-") || p.is("+")) flip = p.texts[p.at++] === "-" ? !flip : flip;
      const below = parseFactor(p);
      left = node("div", [top, flip ? node("neg", [below]) : below]);
    } else if (p.is("mod") && !isCongruence(p)) {
      p.at++;
      const top = flush();
      let flip = false;
      while (p.is("-") || p.is("+")) flip = p.texts[p.at++] === "-" ? !flip : flip;
      const below = parseFactor(p);
      left = node("mod", [top, flip ? node("neg", [below]) : below]);
    } else if (startsFactor(p)) {
      factors ??= [left];
      factors.push(parseFactor(p));
    } else break;
  }
  return flush();
}

/** Inside a congruence `a ≡ b mod m` the modulus belongs to the relation. */
function isCongruence(p: Cursor): boolean {
  for (let i = p.at - 1; i >= 0; i--) {
    if (p.kinds[i] !== MARK) continue;
    const text = p.texts[i];
    if (text === "≡") return true;
    if (text === "," || text === ";" || text === "⇒" || text === "=") return false;
  }
  return false;
}

/** Can the next token begin a factor, so that juxtaposition means a product? */
export function startsFactor(p: Cursor): boolean {
  const kind = p.kinds[p.at];
  if (kind === MARK) {
    const text = p.texts[p.at] as string;
    if (text === "(") {
      const next = p.texts[p.at + 1];
      return !(p.kinds[p.at + 1] === MARK && (next === "mod" || next === "pmod"));
    }
    if (text === "|" || text === "‖") {
      // Inside a bar the next one closes it; the second attempt at `||x||y||` lets the outer bar stay open.
      const needed = p.bars === 0 ? 1 : p.openBars && p.bars === 1 ? 2 : null;
      return needed !== null && barsAhead(p, text, needed);
    }
    return text === "{" || text === "[" || text === "\\{" || text === "⟨" || text === "°" || text === "%";
  }
  if (kind === COMMAND) {
    const text = p.texts[p.at];
    return text !== "end" && text !== "rfloor" && text !== "rceil";
  }
  return kind !== END;
}

/** Tokens between two bars; looking further for each of many bars would take quadratic time. */
const MAX_BAR_TOKENS = 200;

/** Are there as many bars later in this group? */
function barsAhead(p: Cursor, bar: string, needed: number): boolean {
  let nested = 0;
  let found = 0;
  const end = Math.min(p.kinds.length, p.at + MAX_BAR_TOKENS);
  for (let i = p.at + 1; i < end; i++) {
    if (p.kinds[i] !== MARK) continue;
    const text = p.texts[i] as string;
    if (text === "(" || text === "{" || text === "[" || text === "\\{") nested++;
    else if (text === ")" || text === "}" || text === "]" || text === "\\}") {
      if (--nested < 0) return false;
    } else if (nested === 0 && text === bar && ++found >= needed) return true;
  }
  return false;
}
