/**
 * Finds the end of a brace group in LaTeX text. One forward pass, no recursion, so that hostile nesting costs
 * nothing more than its length. Not a LaTeX reader: only braces and backslash escapes are understood.
 */

const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

/**
 * Index of the `}` that closes the `{` at `open`, or -1 when it never closes before `limit`.
 *
 * @param open index of a `{` in `text`
 * @param escapes true: `\{` and `\}` do not count (LaTeX); false: every brace counts (the V1 grader)
 */
export function closingBrace(text: string, open: number, escapes = true, limit = text.length): number {
  let depth = 0;
  for (let i = open; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH && escapes) i++;
    else if (code === OPEN) depth++;
    else if (code === CLOSE && --depth === 0) return i;
  }
  return -1;
}

/** Index of the first character at or after `from` that is not a space, tab or line break. */
export function skipSpaces(text: string, from: number): number {
  let i = from;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 9 && code !== 13) break;
    i++;
  }
  return i;
}
