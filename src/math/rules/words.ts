/**
 * Answers that are words.
 */
import { plainText } from "../form.ts";
import type { Candidate } from "./candidate.ts";

/** Letters of an answer that is a word, or null. */
function wordOf(one: Candidate): string | null {
  const bare = one.text
    .replace(/\\(?:text|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|textrm)\s*/g, "")
    .replace(/[{}$]/g, "")
    .replace(/\\[ ,;:!]/g, " ")
    .trim();
  if (!/^\(?[A-Za-z][A-Za-z\s.,'()-]*$/.test(bare)) return null;
  return plainText(bare);
}

export function textRule(a: Candidate, b: Candidate): string | null {
  const isText = (one: Candidate): boolean => one.root.op === "text";
  if (!isText(a) && !isText(b)) return null;
  const [x, y] = [wordOf(a), wordOf(b)];
  if (x === null || y === null || x === "") return null;
  return x === y || x.replace(/ /g, "") === y.replace(/ /g, "") ? "text" : null;
}
