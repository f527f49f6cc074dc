/**
 * The V1 grader's second test: normalise to one line of text, split tuples, compare integers and fractions as text
 * and the rest as expressions. Its faults are kept on purpose: letters multiply, case is ignored, fractions lose
 * their parentheses, unreduced fractions differ.
 * Source: recipe.md A11 "sympy path".
 */
import { differenceVanishes } from "./expression.ts";
import { latexToText } from "./latex-text.ts";
import { unwrapText } from "./mathd.ts";

const UNITS =
  "degree cm centimeter meter mile second minute hour day week month year foot feet inch yard".split(" ");
const UNIT_PATTERNS = UNITS.map((unit) => new RegExp(`${unit}(?:es)?s? *(?:\\^[0-9]+)?`, "g"));
const TUPLE_BRACKETS = "()[]";
const FLOAT = /^\s*[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;
/** Longer answers only compare as text. Characters. */
const MAX_CHARS = 4000;

function asFloat(text: string): number | null {
  return FLOAT.test(text) ? Number(text) : null;
}

function isWhole(x: number): boolean {
  return Number.isFinite(x) && Math.abs(x - Math.round(x)) <= 1e-7;
}

/** A whole number in full, as Python prints it. */
function wholeText(x: number): string {
  const rounded = Math.trunc(x);
  return Object.is(rounded, -0) ? "0" : BigInt(rounded).toString();
}

function stripThousands(text: string): string {
  let result = text;
  for (let i = 0; i < text.length; i++) {
    const next = result.replace(/(\d),(\d{3})($|\D)/g, "$1$2$3");
    if (next === result) break;
    result = next;
  }
  return result;
}

function integerOf(text: string): number | null {
  const value = asFloat(stripThousands(text));
  return value !== null && isWhole(value) ? value : null;
}

/** The one-line text two answers are compared by. */
export function sympyNormalize(answer: string): string {
  let s = unwrapText(answer)
    .replaceAll("\\%", "%")
    .replaceAll("\\$", "$")
    .replaceAll("$", "")
    .replaceAll("%", "")
    .replaceAll(" or ", " , ")
    .replaceAll(" and ", " , ")
    .replaceAll("million", "*10^6")
    .replaceAll("billion", "*10^9")
    .replaceAll("trillion", "*10^12");
  for (const pattern of UNIT_PATTERNS) s = s.replace(pattern, "");
  s = s.replace(/\^ *\\circ/g, "");
  if (s.startsWith("{") && s.endsWith("}")) s = s.slice(1, -1);
  s = s.replace(/,\\! */g, "");
  const float = asFloat(s);
  if (float !== null && isWhole(float)) s = wholeText(Math.round(float));
  if (s.includes("\\")) {
    try {
      s = latexToText(s);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  s = s
    .replace(/- */g, "-")
    .replace(/([0-9]) +([0-9])/g, "$1+$2")
    .replaceAll(" ", "")
    .replaceAll("{", "")
    .replaceAll("}", "")
    .toLowerCase();
  const whole = integerOf(s);
  return whole === null ? s : wholeText(whole);
}

function splitTuple(text: string): string[] {
  const s = stripThousands(text);
  if (s === "") return [];
  const inner = s.slice(1, -1);
  const bracketed =
    s.length > 2 && TUPLE_BRACKETS.includes(s.charAt(0)) && TUPLE_BRACKETS.includes(s.charAt(s.length - 1));
  if (bracketed && ![...inner].some((character) => TUPLE_BRACKETS.includes(character)))
    return inner.split(",").map((element) => element.trim());
  return [s];
}

const FRACTION = /^-?[0-9]+.?\/0*[1-9][0-9]*.?$/;

/** Are two answers equal by the V1 grader's expression test? */
export function sympyEqual(gold: string, answer: string): boolean {
  if (gold.length > MAX_CHARS || answer.length > MAX_CHARS) return gold === answer;
  const [truth, given] = [sympyNormalize(gold), sympyNormalize(answer)];
  if (truth === given) return true;
  if (given === "") return false;
  const [truths, givens] = [splitTuple(truth), splitTuple(given)];
  if (truths.length > 1 && (truth.charAt(0) !== given.charAt(0) || truth.at(-1) !== given.at(-1)))
    return false;
  if (truths.length !== givens.length) return false;
  return truths.every((one, i) => elementsEqual(one, givens[i] as string));
}

function elementsEqual(truth: string, given: string): boolean {
  if (FRACTION.test(truth) && FRACTION.test(given)) return truth === given;
  if ((integerOf(truth) !== null) !== (integerOf(given) !== null)) return false;
  const difference = `(${truth})-(${given})`;
  return isAllowed(difference) && differenceVanishes(truth, given);
}

/** At most two distinct letters, no powers that could run away. */
function isAllowed(expression: string): boolean {
  const letters = new Set(expression.replaceAll("sqrt", "").replaceAll("frac", "").match(/\p{L}/gu) ?? []);
  if (letters.size > 2) return false;
  return (
    !expression.includes("^{") && !expression.includes("^(") && !/\^[0-9]+\^|\^[0-9][0-9]+/.test(expression)
  );
}
