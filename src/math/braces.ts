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

/**
 * The closing brace of each of many opening ones, in one pass over `[from, to)`; those that never close are absent.
 *
 * @param opens indices of `{` in `text`, ascending
 */
export function closingBraces(
  text: string,
  opens: readonly number[],
  from = 0,
  to = text.length,
): Map<number, number> {
  const closes = new Map<number, number>();
  if (opens.length === 0) return closes;
  const wanted = new Set(opens);
  const stack: number[] = [];
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === OPEN) stack.push(i);
    else if (code === CLOSE) {
      const open = stack.pop();
      if (open !== undefined && wanted.has(open)) closes.set(open, i);
    }
  }
  return closes;
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
