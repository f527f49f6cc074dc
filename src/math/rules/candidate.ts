/**
 * An answer made ready for comparison: wrappers off, parsed once.
 */
import type { Node } from "../ast.ts";
import { parse } from "../parser.ts";
import { formOf, KEEP } from "./memory.ts";

/** Longer text is no answer and stays as it is. Characters. */
const MAX_WRAPPED_CHARS = 20_000;
const CONJUNCTION = /^[\s,;.]*(?:(?:and|or)[\s,;.]*)?$/;
const OPENINGS = ["$$", "$", "\\(", "\\["] as const;
const CLOSINGS = ["$$", "$", "\\)", "\\]"] as const;

/** `$1$, $2$ and $3$`: several formulas and nothing else outside the dollar signs. */
function isFormulaList(text: string): boolean {
  const parts = text.split("$");
  return parts.length > 4 && parts.every((part, i) => i % 2 === 1 || CONJUNCTION.test(part));
}

/** Removes `$`, `\(`, `\[` around the whole, dollar signs between the parts of a list, and a final full stop. */
export function unwrap(text: string): string {
  let inner = text.trim();
  if (inner.length > MAX_WRAPPED_CHARS) return inner;
  if (inner.includes("$") && isFormulaList(inner)) inner = inner.replaceAll("$", " ").trim();
  for (let i = 0; i < 4; i++) {
    const before = inner;
    const opening = OPENINGS.find((mark) => inner.startsWith(mark));
    if (opening !== undefined) inner = inner.slice(opening.length).trim();
    const closing = CLOSINGS.find((mark) => inner.endsWith(mark) && !inner.endsWith(`\\${mark}`));
    if (closing !== undefined) inner = inner.slice(0, inner.length - closing.length).trim();
    if (inner.length > 1 && inner.endsWith(".") && !inner.endsWith("..")) inner = inner.slice(0, -1).trim();
    if (inner === before) break;
  }
  return inner;
}

/** An answer, parsed once for all golds. */
export interface Candidate {
  /** Trimmed source without display wrappers. */
  text: string;
  root: Node;
  form: string;
  ambiguousComma: boolean;
}

export function candidate(source: string): Candidate {
  const text = unwrap(source);
  const { root, ambiguousComma } = parse(text);
  return { text, root, form: formOf(root, KEEP), ambiguousComma };
}
