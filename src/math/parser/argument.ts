/**
 * Arguments of commands, powers and subscripts: groups or single tokens, as TeX reads them.
 */
import { type Node, node } from "../ast.ts";
import { COMMAND, END, NUMBER } from "../lexer.ts";
import { parseNumber } from "../rational.ts";
import { type Cursor, STUCK } from "./cursor.ts";
import { parseGroup } from "./delimiters.ts";
import { parsePrimary } from "./factor.ts";

export const FRACTIONS: ReadonlySet<string> = new Set([
  "frac",
  "dfrac",
  "tfrac",
  "cfrac",
  "nicefrac",
  "sfrac",
]);

/** Consumes one argument and returns its tokens as compact text. */
export function readArgument(p: Cursor): string {
  if (!p.is("{")) {
    const text = p.texts[p.at] as string;
    if (p.kinds[p.at] === END) throw STUCK;
    if (p.kinds[p.at] === COMMAND && (FRACTIONS.has(text) || text === "text")) {
      const from = p.at;
      parseArgument(p);
      return p.texts.slice(from, p.at).join("");
    }
    // TeX reads one digit: `x_12` is x_1 times 2; people mean x_{12}, and so do we.
    p.at++;
    return text;
  }
  const from = p.at + 1;
  let open = 0;
  while (p.kinds[p.at] !== END) {
    if (p.is("{")) open++;
    else if (p.is("}") && --open === 0) {
      p.at++;
      const end = p.at - 1;
      const inner = p.texts.slice(from, end).filter((text) => text !== "{" && text !== "}");
      return inner.join("");
    }
    p.at++;
  }
  throw STUCK;
}

/** One TeX argument: a group, or a single token. */
export function parseArgument(p: Cursor): Node {
  p.enter();
  let result: Node;
  if (p.is("{")) result = parseGroup(p);
  else if (p.kinds[p.at] === NUMBER) {
    // `\frac12` and `x^10`: TeX takes one digit after a command, people mean all digits of an exponent.
    result = numberNode(p.texts[p.at++] as string);
  } else if (p.is("-") || p.is("+")) {
    const negative = p.texts[p.at++] === "-";
    const inner = parseArgument(p);
    result = negative ? node("neg", [inner]) : inner;
  } else result = parsePrimary(p);
  p.depth--;
  return result;
}

/** The argument of a command, one digit at a time as TeX reads it. */
export function parseCommandArgument(p: Cursor): Node {
  const text = p.texts[p.at] as string;
  if (p.kinds[p.at] === NUMBER && /^\d{2,}$/.test(text)) {
    p.texts[p.at] = text.slice(1);
    return numberNode(text.charAt(0));
  }
  return parseArgument(p);
}

export function numberNode(text: string): Node {
  const value = parseNumber(text);
  return value === null ? node("symbol", [], `#${text}`) : node("number", [], text, value);
}
