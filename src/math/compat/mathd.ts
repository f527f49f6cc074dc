/**
 * The V1 grader's first test: string equality after normalisation. Its faults are kept on purpose.
 * Source: recipe.md A11 "mathd normalise".
 */

/** Marks the paths on which the original raises and its caller returns the input unnormalised. */
class Refused extends Error {}

/** `\text{X}` as the whole string is X. */
export function unwrapText(text: string): string {
  const match = /^\\text\{(.+?)\}$/.exec(text);
  return match === null ? text : (match[1] as string);
}

/** `\frac12` and `\frac1{72}` with braces. */
function braceFractions(text: string): string {
  const [head, ...parts] = text.split("\\frac") as [string, ...string[]];
  let result = head;
  for (const part of parts) {
    result += "\\frac";
    if (part === "") throw new Refused();
    if (part.startsWith("{")) {
      result += part;
      continue;
    }
    if (part.length < 2) return text;
    const [top, below] = [part.charAt(0), part.charAt(1)];
    result += below === "{" ? `{${top}}{${part.slice(2)}` : `{${top}}{${below}}${part.slice(2)}`;
  }
  return result;
}

/** `\sqrt3` with braces. */
function braceRoots(text: string): string {
  const [head, ...parts] = text.split("\\sqrt") as [string, ...string[]];
  let result = head;
  for (const part of parts) {
    if (part === "") throw new Refused();
    result += part.startsWith("{") ? `\\sqrt${part}` : `\\sqrt{${part.charAt(0)}}${part.slice(1)}`;
  }
  return result;
}

/** `a/b` with integer literals as `\frac{a}{b}`. */
function slashToFraction(text: string): string {
  const match = /^(-?(?:0|[1-9]\d*))\/(-?(?:0|[1-9]\d*))$/.exec(text);
  if (match === null || match[1] === "-0" || match[2] === "-0") return text;
  return `\\frac{${match[1]}}{${match[2]}}`;
}

function strip(text: string): string {
  let s = text
    .replaceAll("\n", "")
    .replaceAll("\\!", "")
    .replaceAll("\\\\", "\\")
    .replaceAll("tfrac", "frac")
    .replaceAll("dfrac", "frac")
    .replaceAll("\\left", "")
    .replaceAll("\\right", "")
    .replaceAll("^{\\circ}", "")
    .replaceAll("^\\circ", "")
    .replaceAll("\\$", "");
  if (s.includes("\\text{ ")) {
    const parts = s.split("\\text{ ");
    if (parts.length !== 2) throw new Refused();
    s = parts[0] as string;
  }
  s = s.replaceAll("\\%", "").replaceAll(" .", " 0.").replaceAll("{.", "{0.");
  if (s === "") return s;
  if (s.startsWith(".")) s = `0${s}`;
  const sides = s.split("=");
  if (sides.length === 2 && (sides[0] as string).length <= 2) s = sides[1] as string;
  s = braceFractions(braceRoots(s).replaceAll(" ", ""));
  if (s === "0.5") s = "\\frac{1}{2}";
  return slashToFraction(s);
}

/** The normalised text two answers are compared by. */
export function mathdNormalize(answer: string): string {
  const trimmed = answer.trim();
  const match = /^\\text\{(.+?)\}$/.exec(trimmed);
  const inner = match === null ? trimmed : (match[1] as string).trim();
  try {
    return strip(inner);
  } catch (error) {
    if (error instanceof Refused) return inner;
    throw error;
  }
}
