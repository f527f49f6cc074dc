/**
 * Finds the marked parts of a response for display: `\underline{...}` steps and the `\boxed{...}` answer, with the text
 * between them untouched. Only for the eye: what counts as a step or as the answer is decided by `math/`, before.
 */

/** A stretch of the response; joined in order, the segments' texts are the response. */
export interface Segment {
  kind: "text" | "step" | "boxed";
  text: string;
}

const COMMAND = /\\(underline|boxed|fbox)[ \t\n\r]*\{/g;

/**
 * Closing brace of every opening one, by one pass with a stack: unclosed groups of a hostile response cost nothing.
 * `\{` and `\}` do not count.
 */
function matchBraces(text: string): Map<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === "{") open.push(i);
    else if (character === "}") {
      const start = open.pop();
      if (start !== undefined) closing.set(start, i);
    }
  }
  return closing;
}

/** Splits a response into text, steps and boxed answers; nested marks belong to the outermost one. */
export function markSteps(text: string): Segment[] {
  const closing = matchBraces(text);
  const segments: Segment[] = [];
  let end = 0;
  const push = (kind: Segment["kind"], from: number, to: number): void => {
    if (to > from) segments.push({ kind, text: text.slice(from, to) });
  };
  for (const match of text.matchAll(COMMAND)) {
    const start = match.index;
    const close = closing.get(start + match[0].length - 1);
    if (start < end || close === undefined) continue;
    push("text", end, start);
    push(match[1] === "underline" ? "step" : "boxed", start, close + 1);
    end = close + 1;
  }
  push("text", end, text.length);
  return segments;
}
