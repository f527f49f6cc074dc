/**
 * A position in the tokens, with what the parsing functions need to know about where they are: depth and open bars.
 */
import { COMMAND, END, MARK, type Tokens } from "../lexer.ts";

/** Deeper nesting is opaque; the recursion of parser and evaluator stays far from the stack's end. */
const MAX_DEPTH = 100;
/** Items of one list, entries of one matrix. */
export const MAX_ITEMS = 400;

/** Thrown inside the parser when it cannot go on; one object, because a stack trace costs more than a parse. */
export class Stuck extends Error {}
export const STUCK = new Stuck("stuck");

export class Cursor {
  at = 0;
  depth = 0;
  /** Open absolute values; a bar then closes. */
  bars = 0;
  readonly kinds: number[];
  readonly texts: string[];
  readonly tokens: Tokens;
  /** The second attempt: inside one bar, another may open, for `||x||y||`. */
  readonly openBars: boolean;

  constructor(tokens: Tokens, openBars: boolean) {
    this.tokens = tokens;
    this.openBars = openBars;
    this.kinds = tokens.kinds;
    this.texts = tokens.texts;
  }

  is(mark: string): boolean {
    return this.texts[this.at] === mark && this.kinds[this.at] === MARK;
  }

  accept(mark: string): boolean {
    if (!this.is(mark)) return false;
    this.at++;
    return true;
  }

  expect(mark: string): void {
    if (!this.accept(mark)) throw STUCK;
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw STUCK;
  }

  atClose(): boolean {
    const kind = this.kinds[this.at];
    if (kind === END) return true;
    if (kind === COMMAND) return this.texts[this.at] === "end";
    if (kind !== MARK) return false;
    const text = this.texts[this.at];
    return text === ")" || text === "]" || text === "}" || text === "\\}" || text === "⟩" || text === "&";
  }
}
