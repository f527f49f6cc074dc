/**
 * Numerals as people write them: thousands separated by commas, braces, thin spaces or spaces; decimals; repeating
 * decimals; e-notation. Finds where one ends and returns its plain digits; `parseNumber` gives them a value.
 */

/** Every separator between groups of three digits. More groups than 12 are a list. */
const GROUPED = /\d{1,3}(?:(?:,|\{,\}|,\\!\s{0,2}|\\[,!;: ]|,\\ ?|[ \u00a0\u202f\u2009])\d{3}){1,12}(?!\d)/y;
const SCIENTIFIC = /[eE][+-]?\d{1,6}(?![\d.])/y;
const REPEATING = /\\(?:overline|bar|dot)\s*\{(\d{1,50})\}/y;
const COMMA = 44;
const POINT = 46;

export interface Numeral {
  /** Digits, a point, `(` before a repeating part, an exponent: what `parseNumber` reads. */
  digits: string;
  /** Index after the numeral. */
  end: number;
  /** A plain comma was read as a thousands separator although it could separate a list. */
  comma: boolean;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Do these groups form one number? */
function isGrouped(text: string, run: string, end: number, commaSeparates: boolean): boolean {
  const spaced = /\d[ \u00a0\u202f\u2009]\d/.test(run);
  if (spaced && (run.startsWith("0") || isDigit(text.charCodeAt(end + 1)))) return false;
  if (!/\d,\d/.test(run)) return true;
  if (commaSeparates || run.startsWith("0")) return false;
  return !(text.charCodeAt(end) === COMMA && isDigit(text.charCodeAt(end + 1)));
}

/**
 * The numeral that starts at `start`.
 *
 * @param start index of a digit, or of a point before a digit
 * @param commaSeparates a plain comma between digits separates a list here
 */
export function scanNumeral(text: string, start: number, commaSeparates: boolean): Numeral {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  let digits = text.slice(start, end);
  let comma = false;
  const next = text.charCodeAt(end);
  // A comma, a brace, a backslash, a space or a typographic space may separate groups.
  const mayGroup = next === COMMA || next === 123 || next === 92 || next === 32 || next > 127;
  if (mayGroup && end > start && end - start <= 3) {
    const run = matchAt(GROUPED, text, start)?.[0];
    if (run !== undefined && isGrouped(text, run, start + run.length, commaSeparates)) {
      digits = run.replace(/\D/g, "");
      end = start + run.length;
      comma = /\d,\d/.test(run);
    }
  }
  if (text.charCodeAt(end) === POINT && isDigit(text.charCodeAt(end + 1))) {
    const point = end++;
    while (isDigit(text.charCodeAt(end))) end++;
    digits += text.slice(point, end);
  }
  const pointed = text.charCodeAt(end) === POINT;
  if (pointed || (digits.includes(".") && text.charCodeAt(end) === 92)) {
    const repeating = matchAt(REPEATING, text, pointed ? end + 1 : end);
    if (repeating !== null) {
      digits += `${pointed ? "." : ""}(${repeating[1]}`;
      end = REPEATING.lastIndex;
    }
  }
  const code = text.charCodeAt(end);
  const exponent = code === 101 || code === 69 ? matchAt(SCIENTIFIC, text, end)?.[0] : undefined;
  if (exponent !== undefined) {
    digits += exponent.toLowerCase();
    end += exponent.length;
  }
  return { digits, end, comma };
}
