/**
 * An answer made ready for comparison: wrappers off, parsed once.
 */
import type { Node } from "../ast.ts";
import { parse } from "../parser.ts";
import { formOf, KEEP } from "./memory.ts";

/** Is everything outside the dollar signs punctuation or a conjunction? */
function isFormulaList(text: string): boolean {
  const outside = text.split("$").filter((_, i) => i % 2 === 0);
  return outside.every((part) => /^[\s,;.]*(?:and|or)?[\s,;.]*$/.test(part));
}

/** Removes `$`, `\(`, `\[`, an enclosing box and a final full stop. */
export function unwrap(text: string): string {
  let inner = text.trim();
  // `$1$, $2$ and $3$` is one list.
  if (/\$[\s,;]*(?:and|or)?[\s,;]*\$/.test(inner) && /^(?:[^$]*\$){2,}/.test(inner) && isFormulaList(inner))
    inner = inner.replace(/\$/g, " ").trim();
  for (let i = 0; i < 4; i++) {
    const before = inner;
    inner = inner
      .replace(/^(?:\$\$?|\\\(|\\\[)\s*/, "")
      .replace(/\s*(?:\$\$?|\\\)|\\\])$/, "")
      .trim();
    if (/[^.]\.$/.test(inner)) inner = inner.slice(0, -1).trim();
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
