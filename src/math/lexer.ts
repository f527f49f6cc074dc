/**
 * One forward pass from LaTeX or plain text to tokens. Understands numbers with every thousands separator, letter
 * runs (functions, names of points, unit words, products) and unicode; knows nothing of structure.
 * Linear in the length, never throws.
 */
import { closingBrace, skipSpaces } from "./braces.ts";
import {
  CHARACTER_COMMANDS,
  CHARACTERS,
  DROPPED,
  FUNCTIONS,
  GREEK,
  IGNORED,
  OPERATORS,
  SUBSCRIPTS,
  SUPERSCRIPTS,
  SYMBOLS,
  TEXT,
  UNITS,
  WORDS,
} from "./commands.ts";
import { isDigit, scanNumeral } from "./numeral.ts";

/** Token kinds; numbers, so that the parser's comparisons stay cheap. */
export const END = 0;
/** A number; `text` is plain digits, with a point, an exponent or `(` before a repeating part. */
export const NUMBER = 1;
/** One letter or a symbol command. */
export const SYMBOL = 2;
/** Any other command, without the backslash. */
export const COMMAND = 3;
/** Words. */
export const WORD = 4;
/** Operators, delimiters, punctuation. */
export const MARK = 5;
/** A run of capitals: the name of points, segments, figures. */
export const NAME = 6;
/** A unit after a number. */
export const UNIT = 7;

export interface Tokens {
  kinds: number[];
  texts: string[];
  /** Index in the source where the token starts; one more entry at the end. */
  starts: number[];
  /** True when white space stands before the token. */
  spaced: boolean[];
  /** A comma was read as a thousands separator although it could separate a list. */
  ambiguousComma: boolean;
}

export interface LexOptions {
  /** Read `1,234` as a list of two numbers. @default false */
  commaSeparates?: boolean;
}

/** Names of wrappers whose argument is read as mathematics when it holds no word. */
const WORDLIKE = /[A-Za-z]{2}|[A-Za-z]\.\s?[A-Za-z]\./;
const KNOWN_AFTER_ROW =
  /^(?:frac|dfrac|tfrac|sqrt|left|right|neq|in|cdot|times|pi|text|boxed|infty|cup|pm|ldots|angle|circ|binom|log|ln|sin|cos|tan)(?![A-Za-z])/;

const ALIGNED = /^\{(?:align|gather|split|eqn|multline|equation)/;

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

class Lexer {
  readonly tokens: Tokens = { kinds: [], texts: [], starts: [], spaced: [], ambiguousComma: false };
  private position = 0;
  private space = false;
  /** Open round, square and set delimiters: commas inside them separate. */
  private delimiters = 0;
  private readonly rows: boolean;
  private readonly text: string;
  private readonly commaSeparates: boolean;
  /** Inside aligned lines, where `&` only marks a column. */
  private aligned = false;

  constructor(text: string, commaSeparates: boolean) {
    this.text = text;
    this.commaSeparates = commaSeparates;
    this.rows = text.includes("\\begin") || text.includes("\\cr");
  }

  private push(kind: number, text: string, start: number): void {
    this.tokens.kinds.push(kind);
    this.tokens.texts.push(text);
    this.tokens.starts.push(start);
    this.tokens.spaced.push(this.space);
    this.space = false;
  }

  private mark(text: string, start: number): void {
    if (text === "(" || text === "[" || text === "\\{") this.delimiters++;
    else if (text === ")" || text === "]" || text === "\\}") this.delimiters--;
    this.push(MARK, text, start);
  }

  run(): Tokens {
    const { text } = this;
    while (this.position < text.length) {
      const start = this.position;
      const code = text.charCodeAt(start);
      if (code === 32 || (code >= 9 && code <= 13) || code === 126 || code === 0xa0) {
        this.position++;
        this.space = true;
      } else if (isDigit(code) || (code === 46 && isDigit(text.charCodeAt(start + 1)))) this.number(start);
      else if (isLetter(code)) this.letters(start);
      else if (code === 92) this.command(start);
      else if (code === 36) this.position++;
      else if (code < 128) this.ascii(start, code);
      else this.unicode(start);
    }
    this.push(END, "", text.length);
    return this.tokens;
  }

  private number(start: number): void {
    const { text, tokens } = this;
    // Straight after a separating comma another comma separates too.
    const inList = tokens.texts.at(-1) === "," && tokens.kinds.at(-1) === MARK && !this.space;
    const separates = this.commaSeparates || this.delimiters > 0 || inList;
    const { digits, end, comma } = scanNumeral(text, start, separates);
    if (comma) tokens.ambiguousComma = true;
    this.position = end;
    this.push(NUMBER, digits, start);
  }

  private letters(start: number): void {
    const { text } = this;
    let end = start + 1;
    while (isLetter(text.charCodeAt(end))) end++;
    const run = text.slice(start, end);
    this.position = end;
    if (run.length === 1) {
      this.push(SYMBOL, run, start);
      return;
    }
    this.word(run, start);
  }

  /** A run of two or more letters. */
  private word(run: string, start: number): void {
    const { kinds } = this.tokens;
    const before = kinds.length === 0 ? END : (kinds[kinds.length - 1] as number);
    const word = WORDS[run];
    if (word !== undefined) {
      if (OPERATORS[word] !== undefined) this.mark(OPERATORS[word] as string, start);
      else if (word.length === 1) this.mark(word, start);
      else this.push(COMMAND, word, start);
      return;
    }
    if (FUNCTIONS[run] !== undefined && run.length > 2) {
      this.push(COMMAND, run, start);
      return;
    }
    const unit = UNITS[run];
    if (
      unit !== undefined &&
      (before === NUMBER || before === UNIT || (run.length > 3 && this.afterValue()))
    ) {
      this.unit(unit, start);
      return;
    }
    if (run === "ln" || run === "lg" || run === "tg") {
      this.push(COMMAND, run, start);
      return;
    }
    if (SYMBOLS[run] !== undefined && run.length > 2) {
      this.push(SYMBOL, SYMBOLS[run] as string, start);
      return;
    }
    if (run.toUpperCase() === run) {
      this.push(NAME, run, start);
      return;
    }
    const first = run.charCodeAt(0);
    const joined = first === 97 || first === 111 ? /^(and|or)([A-Z][a-z]?)$/.exec(run) : null;
    if (joined !== null) {
      this.mark(",", start);
      this.factors(joined[2] as string, start);
      return;
    }
    const alone = kinds.length === 0 && skipSpaces(this.text, this.position) >= this.text.length;
    if ((run.length >= 5 && /^[A-Z]?[a-z]+$/.test(run)) || (alone && isWord(run))) {
      this.push(WORD, run, start);
      return;
    }
    this.factors(run, start);
  }

  private factors(run: string, start: number): void {
    for (let i = 0; i < run.length; i++) this.push(SYMBOL, run.charAt(i), start + i);
  }

  private unit(unit: string, start: number): void {
    if (unit === "deg") this.mark("°", start);
    else this.push(UNIT, unit, start);
  }

  private afterValue(): boolean {
    const last = this.tokens.texts.at(-1);
    return (
      last === "}" || last === ")" || last === "°" || last === "%" || this.tokens.kinds.at(-1) === SYMBOL
    );
  }

  private command(start: number): void {
    const { text } = this;
    const code = text.charCodeAt(start + 1);
    if (!isLetter(code)) {
      this.position = start + 2;
      this.escape(start, code);
      return;
    }
    let end = start + 1;
    while (isLetter(text.charCodeAt(end))) end++;
    const name = text.slice(start + 1, end);
    this.position = end;
    if (IGNORED.has(name)) {
      // `f\left(x\right)` is as close as `f(x)`.
      if (name !== "left" && name !== "right") this.space = true;
      if ((name === "left" || name === "right") && text.charCodeAt(skipSpaces(text, end)) === 46) {
        const dot = skipSpaces(text, end);
        if (!isDigit(text.charCodeAt(dot + 1))) this.position = dot + 1;
      }
      // Broken but common: `\left{`, where `\left\{` is meant.
      else if (name === "left" && text.charCodeAt(end) === 123) {
        this.position = end + 1;
        this.mark("\\{", start);
      } else if (name === "right" && text.charCodeAt(end) === 125) {
        this.position = end + 1;
        this.mark("\\}", start);
      }
      return;
    }
    if (TEXT.has(name)) {
      this.textual(name, start, end);
      return;
    }
    if (DROPPED.has(name)) {
      const open = skipSpaces(text, end);
      if (text.charCodeAt(open) === 123) {
        const close = closingBrace(text, open);
        if (close > 0) this.position = close + 1;
      }
      return;
    }
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (operator !== undefined) {
      this.mark(operator, start);
      return;
    }
    const symbol = Object.hasOwn(SYMBOLS, name) ? SYMBOLS[name] : undefined;
    if (symbol !== undefined) {
      this.push(SYMBOL, symbol, start);
      return;
    }
    if (name === "begin") {
      const open = skipSpaces(text, end);
      this.aligned = ALIGNED.test(text.slice(open, open + 12));
    } else if (name === "end") this.aligned = false;
    this.push(COMMAND, name, start);
  }

  /** `\text{...}` and its relatives: words, units, or mathematics in upright letters. */
  private textual(name: string, start: number, end: number): void {
    const { text } = this;
    const open = skipSpaces(text, end);
    if (text.charCodeAt(open) !== 123) return;
    const close = closingBrace(text, open);
    if (close < 0) return;
    const content = text.slice(open + 1, close).trim();
    if (!WORDLIKE.test(content) || content.includes("\\") || content.includes("$")) {
      // Mathematics in upright or bold letters: the braces stay and group it.
      this.position = open;
      return;
    }
    this.position = close + 1;
    if (content.length > 2000) {
      this.push(WORD, content.slice(0, 2000), start);
      return;
    }
    const bare = content.replace(/[.,;:]+$/, "").trim();
    if (/^(?:,?\s*)(?:and|or)$/i.test(bare)) {
      this.mark(",", start);
      return;
    }
    const called = name !== "text" || text.charCodeAt(this.position) === 40;
    if (Object.hasOwn(WORDS, bare) || (called && Object.hasOwn(FUNCTIONS, bare))) {
      this.word(bare, start);
      return;
    }
    const squared = /^(square|sq\.?|cubic) ([A-Za-z]+)$/.exec(bare);
    const area = squared === null ? undefined : UNITS[squared[2] as string];
    if (squared !== null && area !== undefined) {
      this.push(UNIT, area, start);
      this.mark("^", start);
      this.push(NUMBER, squared[1] === "cubic" ? "3" : "2", start);
      return;
    }
    const unit = Object.hasOwn(UNITS, bare) ? UNITS[bare] : undefined;
    if (unit !== undefined && this.tokens.kinds.length > 0) {
      this.unit(unit, start);
      return;
    }
    if (/^[A-Z]{2,}$/.test(bare)) {
      this.push(NAME, bare, start);
      return;
    }
    this.push(WORD, bare, start);
  }

  private escape(start: number, code: number): void {
    switch (code) {
      case 123:
        this.mark("\\{", start);
        break;
      case 125:
        this.mark("\\}", start);
        break;
      case 37:
        this.mark("%", start);
        break;
      case 124:
        this.mark("‖", start);
        break;
      case 36:
        // A currency sign carries no information beside a number.
        break;
      case 92:
        // Doubly escaped text (`\\frac`) where no rows can be meant.
        if (!this.rows && KNOWN_AFTER_ROW.test(this.text.slice(this.position, this.position + 12)))
          this.position--;
        else this.mark("\\\\", start);
        break;
      case 40:
      case 41:
      case 91:
      case 93:
        break;
      case 38:
      case 35:
      case 95:
        this.push(SYMBOL, `\\${String.fromCharCode(code)}`, start);
        break;
      default:
        // Spacing: `\,` `\;` `\:` `\!` `\ ` and a lone backslash.
        this.space = true;
    }
  }

  private ascii(start: number, code: number): void {
    const { text } = this;
    const next = text.charCodeAt(start + 1);
    this.position = start + 1;
    if (code === 38 && this.aligned) {
      this.space = true;
      return;
    }
    if (next === 61 && (code === 60 || code === 62 || code === 33)) {
      this.position++;
      this.mark(code === 60 ? "≤" : code === 62 ? "≥" : "≠", start);
      return;
    }
    if (next === 61 && code === 61) {
      this.position++;
      this.mark("=", start);
      return;
    }
    if (code === 61 && next === 62) {
      this.position++;
      this.mark("⇒", start);
      return;
    }
    if (code === 45 && next === 62) {
      this.position++;
      this.mark("→", start);
      return;
    }
    if (code === 42 && next === 42) {
      this.position++;
      this.mark("^", start);
      return;
    }
    if (code === 58 && next === 61) {
      this.position++;
      this.mark("=", start);
      return;
    }
    this.mark(text.charAt(start), start);
  }

  private unicode(start: number): void {
    const character = String.fromCodePoint(this.text.codePointAt(start) as number);
    this.position = start + character.length;
    const mark = CHARACTERS[character];
    if (mark !== undefined) {
      this.mark(mark, start);
      return;
    }
    const command = CHARACTER_COMMANDS[character];
    if (command !== undefined) {
      const symbol = SYMBOLS[command];
      if (symbol !== undefined) this.push(SYMBOL, symbol, start);
      else this.push(COMMAND, command, start);
      return;
    }
    if (this.script(start, character, SUPERSCRIPTS, "^") || this.script(start, character, SUBSCRIPTS, "_"))
      return;
    const greek = GREEK[character];
    if (greek !== undefined) {
      this.push(SYMBOL, greek, start);
      return;
    }
    if (/\s|\p{Cf}/u.test(character)) {
      this.space = true;
      return;
    }
    this.push(SYMBOL, character, start);
  }

  private script(
    start: number,
    first: string,
    table: Readonly<Record<string, string>>,
    operator: string,
  ): boolean {
    if (table[first] === undefined) return false;
    let plain = "";
    let at = start;
    while (at < this.text.length && table[this.text.charAt(at)] !== undefined)
      plain += table[this.text.charAt(at++)];
    this.position = at;
    this.mark(operator, start);
    this.mark("{", start);
    for (const part of plain.match(/\d+|./g) ?? []) {
      if (isDigit(part.charCodeAt(0))) this.push(NUMBER, part, start);
      else if (isLetter(part.charCodeAt(0))) this.push(SYMBOL, part, start);
      else this.mark(part, start);
    }
    this.mark("}", start);
    return true;
  }
}

/** Is a run of letters that stands alone a word rather than a product of variables? */
function isWord(run: string): boolean {
  if (/[eiou]/.test(run) || run.length > 4) return true;
  return !/[xyzkmnpqrstuvw]/.test(run);
}

/** Tokens of `text`, END last. */
export function lex(text: string, options: LexOptions = {}): Tokens {
  return new Lexer(text, options.commaSeparates ?? false).run();
}
