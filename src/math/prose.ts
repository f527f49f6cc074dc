/**
 * The opt-in policy for responses without a box: "the answer is ...", else the last formula, else the last number.
 * It guesses by position and is never used for rewards unless asked for.
 */

/** Only the end of a response is searched. Characters. */
const MAX_PROSE_CHARS = 4000;

const CUE =
  /(?:final\s+answer|answer|result|solution)\s*(?:is|are|equals|:|=)?\s*:?\s*(?:\*\*)?\s*([^\n]{1,400})/gi;

/** Formula spans `$..$`, `$$..$$`, `\(..\)`, `\[..\]` in order. */
function formulas(text: string): string[] {
  const found: string[] = [];
  const pattern =
    /\$\$([^$]{1,400})\$\$|\$((?:\\.|[^$\\\n]){1,400})\$|\\\(([\s\S]{1,400}?)\\\)|\\\[([\s\S]{1,400}?)\\\]/g;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const content = match[1] ?? match[2] ?? match[3] ?? match[4] ?? "";
    if (content.trim() !== "") found.push(content.trim());
  }
  return found;
}

const NUMBER = /-?\d[\d,]*(?:\.\d+)?(?:\/\d+)?/g;

/** The last formula or number of a statement, after its last verb when it has one: "the largest $n$ is 34". */
function stated(sentence: string): string | null {
  const verb = sentence.search(/\b(?:is|are|equals)\b(?!.*\b(?:is|are|equals)\b)/);
  for (const part of verb >= 0 ? [sentence.slice(verb), sentence] : [sentence]) {
    const inside = formulas(part);
    if (inside.length > 0) return inside.at(-1) as string;
    const numbers = part.match(NUMBER);
    if (numbers !== null) return numbers[0];
  }
  return null;
}

/** The answer a reader would take from prose, or null. */
export function proseAnswer(response: string): string | null {
  // Runs of white space would make the patterns below try every way to share them out.
  const text = response
    .slice(-MAX_PROSE_CHARS)
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n[ \n]*/g, " \n ");
  let cued: string | null = null;
  for (const match of text.matchAll(CUE)) cued = match[1] ?? null;
  for (const sentence of cued?.split(/\.\s+(?=[A-Z])/) ?? []) {
    const answer = stated(sentence);
    if (answer !== null) return answer;
  }
  const spans = formulas(text);
  if (spans.length > 0) return spans.at(-1) as string;
  // A formula that does not close on its line is broken: no guess.
  if (/\$[^$\n]*\n[^$]*\$/.test(text)) return null;
  return text.match(NUMBER)?.at(-1) ?? null;
}
