/**
 * Tokens to an expression tree by recursive descent. Never throws on any text: what it does not understand becomes
 * an opaque node. Linear time: every token is consumed once, with one bounded retry for vertical bars.
 * Precedence, loosest first: `;` list, `,` list, implication, relations, set operations, sums, products (with `/`
 * and mod), signs, powers.
 */
import { isOpaque, type Node, node } from "./ast.ts";
import { ACCENTS, FUNCTIONS, TRANSPARENT } from "./commands.ts";
import {
  COMMAND,
  END,
  type LexOptions,
  lex,
  MARK,
  NAME,
  NUMBER,
  SYMBOL,
  type Tokens,
  UNIT,
  WORD,
} from "./lexer.ts";
import { parseNumber } from "./rational.ts";

/** Longer input is opaque: no answer or intermediate result is this long. Characters. */
export const MAX_CHARS = 4000;
/** Deeper nesting is opaque; the recursion of parser and evaluator stays far from the stack's end. */
const MAX_DEPTH = 100;
/** Items of one list, entries of one matrix. */
const MAX_ITEMS = 400;

/** Letters that, before a parenthesis, name a function rather than a factor. */
const FUNCTION_LETTERS: ReadonlySet<string> = new Set([..."fghFGH", "phi", "Phi", "Gamma", "Psi", "zeta"]);
const RELATIONS: ReadonlySet<string> = new Set([..."=≠<>≤≥∈∉∋⊂⊆⊃⊇≡≈∼≅∝⊥∥∣∤→"]);
const IMPLICATIONS: ReadonlySet<string> = new Set(["⇒", "⇐", "⇔", "↔", "←"]);
const BIG: ReadonlySet<string> = new Set([
  "sum",
  "prod",
  "int",
  "iint",
  "iiint",
  "oint",
  "lim",
  "limsup",
  "liminf",
]);
const FRACTIONS: ReadonlySet<string> = new Set(["frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"]);
const BINOMIALS: ReadonlySet<string> = new Set(["binom", "dbinom", "tbinom"]);
const MATRICES: ReadonlySet<string> = new Set(
  "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array".split(" "),
);
/** Figures whose name is a set of points. */
const UNORDERED_FIGURES: ReadonlySet<string> = new Set(["triangle", "overline", "widehat", "arc"]);

/** Thrown inside this module when parsing cannot go on; one object, because a stack trace costs more than a parse. */
class Stuck extends Error {}
const STUCK = new Stuck("stuck");

class Parser {
  private at = 0;
  private depth = 0;
  /** Open absolute values; a bar then closes. */
  private bars = 0;
  private readonly kinds: number[];
  private readonly texts: string[];

  private readonly tokens: Tokens;
  /** Prefer opening a bar to closing one, for `||x||y||`. */
  private readonly openBars: boolean;

  constructor(tokens: Tokens, openBars: boolean) {
    this.tokens = tokens;
    this.openBars = openBars;
    this.kinds = tokens.kinds;
    this.texts = tokens.texts;
  }

  run(): Node {
    const result = this.statements();
    if (this.kinds[this.at] !== END) throw STUCK;
    return result;
  }

  private is(mark: string): boolean {
    return this.texts[this.at] === mark && this.kinds[this.at] === MARK;
  }

  private accept(mark: string): boolean {
    if (!this.is(mark)) return false;
    this.at++;
    return true;
  }

  private expect(mark: string): void {
    if (!this.accept(mark)) throw STUCK;
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw STUCK;
  }

  // ---- lists and statements -------------------------------------------------------------------------------------

  /** Rows or `;` items of `,` items; a single statement stays itself. */
  private statements(): Node {
    const rows: Node[] = [];
    let separated = false;
    for (;;) {
      while (this.is(";") || this.is("\\\\")) {
        this.at++;
        separated = true;
      }
      if (this.atClose()) break;
      rows.push(this.commas());
      if (rows.length > MAX_ITEMS) throw STUCK;
      if (!this.is(";") && !this.is("\\\\")) break;
    }
    if (rows.length === 0) return node("empty");
    if (rows.length === 1) return rows[0] as Node;
    if (!separated) throw STUCK;
    // `1,2;3,4` is a list of pairs.
    if (rows.every((row) => row.op === "list"))
      return node(
        "list",
        rows.map((row) => node("tuple", row.args, "()")),
      );
    return node(
      "list",
      rows.flatMap((row) => (row.op === "list" ? row.args : [row])),
    );
  }

  private commas(): Node {
    const items = this.items();
    return items.length === 1 ? (items[0] as Node) : node("list", items);
  }

  /** Comma-separated statements; doubled and trailing separators are tolerated. */
  private items(): Node[] {
    const items: Node[] = [];
    for (;;) {
      while (this.accept(",")) {}
      if (this.atClose() || this.is(";") || this.is("\\\\")) break;
      items.push(this.implication());
      if (items.length > MAX_ITEMS) throw STUCK;
      if (!this.is(",")) break;
    }
    return items.length === 0 ? [node("empty")] : items;
  }

  private atClose(): boolean {
    const kind = this.kinds[this.at];
    if (kind === END) return true;
    if (kind === COMMAND) return this.texts[this.at] === "end";
    if (kind !== MARK) return false;
    const text = this.texts[this.at];
    return text === ")" || text === "]" || text === "}" || text === "\\}" || text === "⟩" || text === "&";
  }

  private implication(): Node {
    const first = this.relation();
    if (!(this.kinds[this.at] === MARK && IMPLICATIONS.has(this.texts[this.at] as string))) return first;
    const members = [first];
    let operators = "";
    while (this.kinds[this.at] === MARK && IMPLICATIONS.has(this.texts[this.at] as string)) {
      operators += this.texts[this.at++];
      members.push(this.atClose() ? node("empty") : this.relation());
    }
    return node("relation", members, operators);
  }

  private isRelation(): boolean {
    if (this.kinds[this.at] !== MARK) return false;
    const text = this.texts[this.at] as string;
    // A bar that closes nothing says "divides".
    return RELATIONS.has(text) || (text === "|" && this.bars === 0);
  }

  private relation(): Node {
    const first = this.isRelation() && !this.is("|") ? node("empty") : this.ratio();
    if (!this.isRelation()) return this.modulus(first);
    const members = [first];
    let operators = "";
    while (this.isRelation()) {
      operators += this.texts[this.at++];
      // `= \; =` and a relation at the end have a missing side.
      const missing =
        this.atClose() ||
        (this.isRelation() && !this.is("|")) ||
        this.is(",") ||
        this.is(";") ||
        this.is("\\\\");
      members.push(missing ? node("empty") : this.ratio());
    }
    return this.modulus(node("relation", members, operators));
  }

  /** `(mod m)` after a congruence. */
  private modulus(left: Node): Node {
    let modulus: Node | null = null;
    if (this.is("pmod") || this.is("mod")) {
      this.at++;
      modulus = this.argument();
    } else if (
      this.is("(") &&
      this.kinds[this.at + 1] === MARK &&
      /^p?mod$/.test(this.texts[this.at + 1] as string)
    ) {
      this.at += 2;
      modulus = this.sum();
      this.expect(")");
    }
    return modulus === null ? left : node("function", [left, modulus], "congruent");
  }

  private ratio(): Node {
    const first = this.setOperation();
    if (!this.is(":")) return first;
    const parts = [first];
    while (this.accept(":")) parts.push(this.atClose() ? node("empty") : this.setOperation());
    return node("ratio", parts);
  }

  private setOperation(): Node {
    let left = this.sum();
    while (this.is("∪") || this.is("∩") || this.is("∖")) {
      const operator = this.texts[this.at++] as string;
      const right = this.sum();
      left =
        left.op === "setop" && left.text === operator && operator !== "∖"
          ? node("setop", [...left.args, right], operator)
          : node("setop", [left, right], operator);
    }
    return left;
  }

  // ---- arithmetic -----------------------------------------------------------------------------------------------

  private sum(): Node {
    this.enter();
    let left = this.signed();
    let terms: Node[] | null = null;
    for (;;) {
      if (this.accept("+")) {
        terms ??= [left];
        terms.push(this.signed());
      } else if (this.accept("-")) {
        terms ??= [left];
        terms.push(node("neg", [this.signed()]));
      } else if (this.is("±") || this.is("∓")) {
        const sign = this.texts[this.at++] as string;
        if (terms !== null) left = node("add", terms);
        terms = null;
        left = node("plusminus", [left, this.signed()], sign);
      } else break;
    }
    this.depth--;
    if (this.is("over") || this.is("choose")) {
      const infix = this.texts[this.at++] as string;
      const top = terms === null ? left : node("add", terms);
      const below = this.sum();
      return infix === "over" ? node("div", [top, below]) : node("function", [top, below], "binom");
    }
    return terms === null ? left : node("add", terms);
  }

  /** A term with any number of signs before it. */
  private signed(): Node {
    let negative = false;
    for (;;) {
      if (this.accept("+")) continue;
      if (this.accept("-")) negative = !negative;
      else break;
    }
    if (this.is("±") || this.is("∓")) {
      const sign = this.texts[this.at++] as string;
      this.enter();
      const term = node("plusminus", [this.signed()], sign);
      this.depth--;
      return negative ? node("neg", [term]) : term;
    }
    return this.term(negative);
  }

  /** Products and quotients, left to right; a leading minus belongs to the first factor of `mod` and `/`. */
  private term(negative: boolean): Node {
    let left = this.factor();
    if (negative) left = node("neg", [left]);
    let factors: Node[] | null = null;
    const flush = (): Node => {
      if (factors !== null) left = node("mul", factors);
      factors = null;
      return left;
    };
    for (;;) {
      if (this.accept("*")) {
        factors ??= [left];
        let flip = false;
        while (this.is("-") || this.is("+")) flip = this.texts[this.at++] === "-" ? !flip : flip;
        const next = this.factor();
        factors.push(flip ? node("neg", [next]) : next);
      } else if (this.accept("/")) {
        const top = flush();
        let flip = false;
        while (this.is("-") || this.is("+")) flip = this.texts[this.at++] === "-" ? !flip : flip;
        const below = this.factor();
        left = node("div", [top, flip ? node("neg", [below]) : below]);
      } else if (this.is("mod") && !this.isCongruence()) {
        this.at++;
        const top = flush();
        let flip = false;
        while (this.is("-") || this.is("+")) flip = this.texts[this.at++] === "-" ? !flip : flip;
        const below = this.factor();
        left = node("mod", [top, flip ? node("neg", [below]) : below]);
      } else if (this.startsFactor()) {
        factors ??= [left];
        factors.push(this.factor());
      } else break;
    }
    return flush();
  }

  /** Inside a congruence `a ≡ b mod m` the modulus belongs to the relation. */
  private isCongruence(): boolean {
    for (let i = this.at - 1; i >= 0; i--) {
      if (this.kinds[i] !== MARK) continue;
      const text = this.texts[i];
      if (text === "≡") return true;
      if (text === "," || text === ";" || text === "⇒" || text === "=") return false;
    }
    return false;
  }

  /** Can the next token begin a factor, so that juxtaposition means a product? */
  private startsFactor(): boolean {
    const kind = this.kinds[this.at];
    if (kind === MARK) {
      const text = this.texts[this.at] as string;
      if (text === "(") {
        const next = this.texts[this.at + 1];
        return !(this.kinds[this.at + 1] === MARK && (next === "mod" || next === "pmod"));
      }
      if (text === "|" || text === "‖")
        return this.bars === 0 || this.openBars ? this.closesLater(text) : false;
      return text === "{" || text === "[" || text === "\\{" || text === "⟨" || text === "°" || text === "%";
    }
    if (kind === COMMAND) {
      const text = this.texts[this.at];
      return text !== "end" && text !== "rfloor" && text !== "rceil";
    }
    return kind !== END;
  }

  /** Is there a second bar in this group? */
  private closesLater(bar: string): boolean {
    let nested = 0;
    for (let i = this.at + 1; i < this.kinds.length; i++) {
      if (this.kinds[i] !== MARK) continue;
      const text = this.texts[i] as string;
      if (text === "(" || text === "{" || text === "[" || text === "\\{") nested++;
      else if (text === ")" || text === "}" || text === "]" || text === "\\}") {
        if (--nested < 0) return false;
      } else if (nested === 0 && text === bar) {
        if (this.openBars && this.bars > 0) return this.closesTwice(i, bar);
        return true;
      }
    }
    return false;
  }

  private closesTwice(from: number, bar: string): boolean {
    for (let i = from + 1; i < this.kinds.length; i++)
      if (this.kinds[i] === MARK && this.texts[i] === bar) return true;
    return false;
  }

  // ---- factors --------------------------------------------------------------------------------------------------

  /** A primary with its powers, subscripts, factorials, primes, percent and degree signs. */
  private factor(): Node {
    this.enter();
    let base = this.primary();
    for (;;) {
      if (this.is("^")) base = this.power(base);
      else if (this.is("_")) base = this.subscript(base);
      else if (this.is("!")) {
        this.at++;
        const double = this.accept("!");
        base = node("function", [base], double ? "doublefactorial" : "factorial");
      } else if (this.is("'")) base = this.primes(base);
      else if (this.accept("%")) base = node("percent", [base]);
      else if (this.accept("°")) base = node("mul", [base, node("constant", [], "degree")]);
      else break;
    }
    this.depth--;
    return base;
  }

  private primes(base: Node): Node {
    let marks = "";
    while (this.accept("'")) marks += "'";
    if (base.op === "symbol") return this.maybeCall(node("symbol", [], base.text + marks));
    return node("call", [base], marks);
  }

  private power(base: Node): Node {
    this.at++;
    // Degrees and derivatives written as superscripts.
    const inBraces = this.is("{");
    const next = inBraces ? this.at + 1 : this.at;
    const text = this.texts[next];
    if (this.kinds[next] === MARK && (text === "∘" || text === "°" || text === "'")) {
      this.at = next;
      let primes = "";
      while (this.is("'")) {
        primes += "'";
        this.at++;
      }
      if (primes === "") this.at++;
      // `^{\circ} C` keeps what follows as a factor.
      if (inBraces) {
        if (!this.accept("}")) throw STUCK;
      }
      if (primes === "") return node("mul", [base, node("constant", [], "degree")]);
      if (base.op === "symbol") return this.maybeCall(node("symbol", [], base.text + primes));
      return node("call", [base], primes);
    }
    const exponent = this.argument();
    if (base.op === "symbol" && this.is("_")) {
      // `x^2_1` is `x_1^2`.
      return node("pow", [this.subscript(base), exponent]);
    }
    return node("pow", [base, exponent]);
  }

  /** `x_1`, `52_8`, `\log_2`-like names; a subscript is part of the name. */
  private subscript(base: Node): Node {
    this.at++;
    const from = this.at;
    const index = this.argumentSource();
    if (base.op === "number" && /^\d{1,2}$/.test(index) && Number(index) >= 2 && Number(index) <= 36) {
      const plain = base.text;
      if (/^\d+$/.test(plain)) return node("base", [], `${plain}_${index}`);
    }
    if (base.op === "symbol") {
      // `f'_1` is `f_1'`.
      const primes = /'+$/.exec(base.text)?.[0] ?? "";
      const name = base.text.slice(0, base.text.length - primes.length);
      return this.maybeCall(node("symbol", [], `${name}_${index}${primes}`));
    }
    if (base.op === "constant") return node("symbol", [], `${base.text}_${index}`);
    return node("call", [base, node("symbol", [], `_${index}`)], from > 0 ? "subscript" : "");
  }

  /** Consumes one argument and returns its tokens as compact text. */
  private argumentSource(): string {
    if (!this.is("{")) {
      const text = this.texts[this.at] as string;
      if (this.kinds[this.at] === END) throw STUCK;
      if (this.kinds[this.at] === COMMAND && (FRACTIONS.has(text) || text === "text")) {
        const from = this.at;
        this.argument();
        return this.texts.slice(from, this.at).join("");
      }
      // TeX reads one digit: `x_12` is x_1 times 2; people mean x_{12}, and so do we.
      this.at++;
      return text;
    }
    const from = this.at + 1;
    let open = 0;
    while (this.kinds[this.at] !== END) {
      if (this.is("{")) open++;
      else if (this.is("}") && --open === 0) {
        this.at++;
        const end = this.at - 1;
        const inner = this.texts.slice(from, end).filter((text) => text !== "{" && text !== "}");
        return inner.join("");
      }
      this.at++;
    }
    throw STUCK;
  }

  /** One TeX argument: a group, or a single token. */
  private argument(): Node {
    this.enter();
    let result: Node;
    if (this.is("{")) result = this.group();
    else if (this.kinds[this.at] === NUMBER) {
      // `\frac12` and `x^10`: TeX takes one digit after a command, people mean all digits of an exponent.
      result = this.numberNode(this.texts[this.at++] as string);
    } else if (this.is("-") || this.is("+")) {
      const negative = this.texts[this.at++] === "-";
      const inner = this.argument();
      result = negative ? node("neg", [inner]) : inner;
    } else result = this.primary();
    this.depth--;
    return result;
  }

  /** The argument of a command, one digit at a time as TeX reads it. */
  private commandArgument(): Node {
    const text = this.texts[this.at] as string;
    if (this.kinds[this.at] === NUMBER && /^\d{2,}$/.test(text)) {
      this.texts[this.at] = text.slice(1);
      return this.numberNode(text.charAt(0));
    }
    return this.argument();
  }

  private numberNode(text: string): Node {
    const value = parseNumber(text);
    return value === null ? node("symbol", [], `#${text}`) : node("number", [], text, value);
  }

  private primary(): Node {
    const kind = this.kinds[this.at];
    const text = this.texts[this.at] as string;
    switch (kind) {
      case NUMBER:
        this.at++;
        return this.mixed(this.numberNode(text));
      case SYMBOL:
        this.at++;
        return this.symbol(text);
      case NAME:
        this.at++;
        return this.maybeCall(node("symbol", [], text));
      case WORD:
        this.at++;
        return node("text", [], text);
      case UNIT:
        this.at++;
        return node("unit", [], text);
      case COMMAND:
        return this.command(text);
      case MARK:
        return this.delimited(text);
      default:
        throw STUCK;
    }
  }

  /** `1\frac45` and `7 3/4` are sums. */
  private mixed(whole: Node): Node {
    if (!/^\d+$/.test(whole.text)) return whole;
    if (this.kinds[this.at] === COMMAND && FRACTIONS.has(this.texts[this.at] as string)) {
      const from = this.at;
      const fraction = this.command(this.texts[from] as string);
      const [top, below] = fraction.args;
      if (top?.op === "number" && below?.op === "number" && /^\d+$/.test(top.text + below.text))
        return node("add", [whole, fraction]);
      return node("mul", [whole, fraction]);
    }
    if (
      this.kinds[this.at] === NUMBER &&
      this.tokens.spaced[this.at] === true &&
      this.texts[this.at + 1] === "/" &&
      this.kinds[this.at + 2] === NUMBER &&
      /^\d+$/.test((this.texts[this.at] as string) + this.texts[this.at + 2])
    ) {
      const top = this.numberNode(this.texts[this.at] as string);
      const below = this.numberNode(this.texts[this.at + 2] as string);
      this.at += 3;
      return node("add", [whole, node("div", [top, below])]);
    }
    return whole;
  }

  private symbol(name: string): Node {
    if (name === "e" || name === "i") {
      if (!this.is("_") && !this.is("'")) return node("constant", [], name);
    }
    return this.maybeCall(node("symbol", [], name));
  }

  /** `f(x)`, `f'(x)`, `f^{-1}(x)`: a call when the name is a function's. */
  private maybeCall(symbol: Node): Node {
    if (this.kinds[this.at] !== MARK) return symbol;
    const letter = symbol.text.replace(/[_'^].*$/, "");
    if (!FUNCTION_LETTERS.has(letter) && !this.isEvaluation(letter)) return symbol;
    let name = symbol.text;
    if (this.is("'")) return symbol;
    let at = this.at;
    if (this.is("^")) {
      // `f^{-1}(x)` and `f^{(n)}(x)`.
      const match = /^\^\{(?:-1|\((?:\w|\d+)\))\}$/.exec(this.texts.slice(at, at + 5).join(""));
      const inverse = /^\^\{-1\}/.exec(this.texts.slice(at, at + 4).join(""));
      if (match !== null) {
        name += this.texts.slice(at + 2, at + 4).join("");
        at += 5;
      } else if (inverse !== null) {
        name += "^-1";
        at += 4;
      } else return symbol;
    }
    // sympy prints `f{\left(x \right)}`.
    const braced = this.texts[at] === "{" && this.kinds[at] === MARK && this.texts[at + 1] === "(";
    if (!(this.kinds[at] === MARK && (this.texts[at] === "(" || braced))) return symbol;
    this.at = at + (braced ? 2 : 1);
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const args = this.items();
    this.expect(")");
    if (braced) this.expect("}");
    this.bars = bars;
    this.depth--;
    return node("call", args, name);
  }

  /** `I(0)`, `P(3)`: a value of a function; `a(1)^2+b(1)+c` is a polynomial with numbers put in. */
  private isEvaluation(letter: string): boolean {
    if (!this.is("(") || this.tokens.spaced[this.at] === true) return false;
    if (this.kinds[this.at + 1] !== NUMBER || this.texts[this.at + 2] !== ")") return false;
    return /^[A-Z]$/.test(letter) || (this.texts[this.at + 1] === "0" && /^[q-z]$/.test(letter));
  }

  // ---- delimiters -----------------------------------------------------------------------------------------------

  private delimited(open: string): Node {
    switch (open) {
      case "(":
      case "[":
      case "]":
      case "⟨":
        return this.parenthesised(open);
      case "{":
        return this.group();
      case "\\{":
        return this.braces();
      case "|":
      case "‖":
        return this.bar(open);
      case "°":
        this.at++;
        return node("constant", [], "degree");
      case "%":
        this.at++;
        return node("percent", [node("number", [], "1", { num: 1, den: 1 })]);
      case "*":
      case ".":
      case "∘":
      case "?":
      case "@":
      case "#":
      case "`":
      case '"':
        this.at++;
        return node("symbol", [], `mark:${open}`);
      default:
        throw STUCK;
    }
  }

  /** `(a)`, `(a,b)`, `[a,b)`; a round pair may be a tuple or an open interval, which share one form. */
  private parenthesised(open: string): Node {
    this.at++;
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const inner = this.statements();
    this.bars = bars;
    this.depth--;
    const close = this.texts[this.at] as string;
    if (
      this.kinds[this.at] !== MARK ||
      !(close === ")" || close === "]" || close === "⟩" || (close === "[" && open === "]"))
    )
      throw STUCK;
    this.at++;
    if (inner.op === "list") {
      const round = open === "(" || open === "⟨" || (open === "]" ? "(" : "") === "(";
      const shape = (round ? "(" : "[") + (close === "]" && open !== "]" ? "]" : close === "]" ? "]" : ")");
      return node("tuple", inner.args, inner.args.length === 2 ? shape : "()");
    }
    return inner;
  }

  /** `{...}`: grouping; with a comma inside it is a set, as people write `{1,2,3}`. */
  private group(): Node {
    this.expect("{");
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const inner = this.statements();
    this.expect("}");
    this.bars = bars;
    this.depth--;
    return inner.op === "list" ? node("set", inner.args) : inner;
  }

  private braces(): Node {
    this.at++;
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const inner = this.statements();
    let condition: Node | null = null;
    if (this.is("|") || this.is(":")) {
      this.at++;
      condition = this.statements();
    }
    this.bars = bars;
    this.depth--;
    // `\left\{ ... \right.` opens a system.
    if (this.kinds[this.at] === END) return inner.op === "list" ? node("cases", inner.args) : inner;
    this.expect("\\}");
    if (condition !== null) return node("call", [inner, condition], "setbuilder");
    if (inner.op === "empty") return node("set", []);
    return node("set", inner.op === "list" ? inner.args : [inner]);
  }

  private bar(mark: string): Node {
    this.at++;
    this.enter();
    this.bars++;
    const inner = this.relation();
    this.bars--;
    this.depth--;
    this.expect(mark);
    return node("function", [inner], mark === "|" ? "abs" : "norm");
  }

  // ---- commands -------------------------------------------------------------------------------------------------

  private command(name: string): Node {
    this.at++;
    if (FRACTIONS.has(name)) {
      const top = this.commandArgument();
      const below = this.commandArgument();
      return this.derivative(top, below) ?? node("div", [top, below]);
    }
    if (BINOMIALS.has(name)) {
      const top = this.commandArgument();
      return node("function", [top, this.commandArgument()], "binom");
    }
    if (name === "sqrt" || name === "cbrt" || name === "root") return this.root(name);
    if (name === "pi") return this.is("_") ? node("symbol", [], "pi") : node("constant", [], "pi");
    if (name === "infty") return node("constant", [], "infinity");
    if (name === "lfloor" || name === "lceil") return this.rounding(name);
    if (name === "begin") return this.environment();
    if (BIG.has(name)) return this.big(name);
    if (name === "angle" || name === "measuredangle" || name === "triangle" || name === "odot")
      return this.figure(name);
    if (ACCENTS.has(name)) return this.accent(name);
    if (TRANSPARENT.has(name)) return this.kinds[this.at] === END ? node("empty") : this.argument();
    if (name === "underbrace" || name === "overbrace") {
      const inner = this.argument();
      if (this.is("_") || this.is("^")) {
        this.at++;
        this.argumentSource();
      }
      return inner;
    }
    if (name === "stackrel" || name === "overset" || name === "underset" || name === "cancelto") {
      this.argument();
      return this.argument();
    }
    if (name === "not") {
      this.at++;
      return node("symbol", [], `not:${this.texts[this.at - 1]}`);
    }
    const called = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (called !== undefined) return this.named(called);
    // An unknown command keeps its name; its arguments follow as factors.
    return node("opaque", [], `\\${name}`);
  }

  private root(name: string): Node {
    let index: Node = node("number", [], name === "cbrt" ? "3" : "2", {
      num: name === "cbrt" ? 3 : 2,
      den: 1,
    });
    if (this.is("[")) {
      this.at++;
      index = this.sum();
      this.expect("]");
    }
    if (this.is("(")) return node("root", [this.parenthesised("("), index]);
    return node("root", [this.commandArgument(), index]);
  }

  private rounding(name: string): Node {
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const inner = this.relation();
    this.bars = bars;
    this.depth--;
    const close = this.texts[this.at];
    if (this.kinds[this.at] !== COMMAND || (close !== "rfloor" && close !== "rceil")) throw STUCK;
    this.at++;
    const kind = name === "lfloor" ? (close === "rfloor" ? "floor" : "round") : "ceil";
    return node("function", [inner], kind);
  }

  /** `\sin^2 x`, `\log_{10} 2`, `\gcd(a,b)`. */
  private named(name: string): Node {
    this.enter();
    let exponent: Node | null = null;
    let index: Node | null = null;
    for (;;) {
      if (this.is("^") && exponent === null) {
        if (this.texts[this.at + 1] === "∘") break;
        this.at++;
        exponent = this.argument();
      } else if (this.is("_") && index === null) {
        this.at++;
        index = this.argument();
      } else break;
    }
    const args = this.functionArguments();
    this.depth--;
    if (args === null) return node("symbol", [], `function:${name}`);
    const inverse = exponent?.op === "neg" && exponent.args[0]?.text === "1";
    let result: Node;
    if (inverse && /^(?:sin|cos|tan|cot|sec|csc)h?$/.test(name))
      result = node("function", args, `arc${name}`);
    else {
      result = node("function", index === null ? args : [...args, index], name);
      if (exponent !== null) result = node("pow", [result, exponent]);
    }
    return result;
  }

  /** One delimited group, or the run of simple factors that follows. Null when nothing follows. */
  private functionArguments(): Node[] | null {
    if (this.kinds[this.at] === MARK) {
      const text = this.texts[this.at] as string;
      if (text === "(" || text === "[") {
        const inner = this.parenthesised(text);
        return inner.op === "tuple" ? [...inner.args] : [inner];
      }
      if (text === "{") {
        const inner = this.group();
        if (inner.op === "set" || inner.op === "tuple") return [...inner.args];
        return [inner];
      }
      if (text === "\\{") return [this.braces()];
      if (text === "|") return this.bars > 0 ? null : [this.bar(text)];
      if (text === "-" || text === "+") {
        const negative = this.texts[this.at++] === "-";
        const inner = this.functionArguments();
        return inner === null ? null : [negative ? node("neg", [inner[0] as Node]) : (inner[0] as Node)];
      }
    }
    const factors: Node[] = [];
    for (;;) {
      const kind = this.kinds[this.at];
      const text = this.texts[this.at] as string;
      const simple =
        kind === NUMBER ||
        kind === SYMBOL ||
        kind === NAME ||
        (kind === COMMAND && !Object.hasOwn(FUNCTIONS, text) && text !== "end" && !BIG.has(text)) ||
        (kind === COMMAND && factors.length === 0 && Object.hasOwn(FUNCTIONS, text)) ||
        (kind === MARK &&
          text === "(" &&
          factors.length > 0 &&
          factors.every((one) => one.op === "number")) ||
        (kind === MARK && text === "°");
      if (!simple) break;
      const atFunction = kind === COMMAND && Object.hasOwn(FUNCTIONS, text);
      if (kind === COMMAND && (text === "rfloor" || text === "rceil")) break;
      factors.push(this.factor());
      if (atFunction) break;
    }
    if (factors.length === 0) return null;
    // `\sin \pi/6`: a constant angle over a number.
    if (
      this.is("/") &&
      this.kinds[this.at + 1] === NUMBER &&
      factors.every((one) => one.op === "constant" || one.op === "number") &&
      factors.some((one) => one.op === "constant")
    ) {
      this.at++;
      const below = this.numberNode(this.texts[this.at++] as string);
      return [node("div", [factors.length === 1 ? (factors[0] as Node) : node("mul", factors), below])];
    }
    return factors.length === 1 ? factors : [node("mul", factors)];
  }

  /** `\frac{d}{dx} f`, `\frac{d f}{dx}`, `\frac{d^2 y}{dx^2}`; null for an ordinary fraction. */
  private derivative(top: Node, below: Node): Node | null {
    const head = differential(top);
    if (head === null || below.op !== "mul") return null;
    const letter = below.args[0];
    if (letter === undefined || letter.text !== head.letter) return null;
    const variables: string[] = [];
    for (let i = 1; i < below.args.length; i++) {
      const factor = below.args[i] as Node;
      if (factor.op === "symbol" && factor.text !== head.letter) variables.push(factor.text);
      else if (factor.op === "pow" && factor.args[0]?.op === "symbol" && factor.args[1]?.op === "number")
        variables.push(`${factor.args[0].text}^${factor.args[1].text}`);
      else if (factor.text !== head.letter) return null;
    }
    if (variables.length === 0) return null;
    let body = head.body;
    if (body === null && this.startsFactor()) body = this.term(false);
    return node("derivative", [body ?? node("empty")], variables.join(" "));
  }

  /** Sums, products, integrals and limits with bounds in any order. */
  private big(name: string): Node {
    this.enter();
    let lower: Node = node("empty");
    let upper: Node = node("empty");
    for (let i = 0; i < 2; i++) {
      if (this.is("_")) {
        this.at++;
        lower = this.is("{") ? this.group() : this.argument();
      } else if (this.is("^")) {
        this.at++;
        upper = this.is("{") ? this.group() : this.argument();
      }
    }
    const integral = name.endsWith("int");
    let bound = "";
    if (lower.op === "relation" && lower.args.length === 2) {
      const [left, right] = lower.args as [Node, Node];
      if (left.op === "symbol" || left.op === "constant") {
        bound = left.text;
        if (!integral) lower = lower.text === "=" || lower.text === "→" ? right : lower;
      }
    }
    let body: Node;
    if (this.atClose()) body = node("empty");
    else if (integral) body = this.sum();
    else body = this.term(false);
    this.depth--;
    if (integral) {
      const split = splitDifferential(body);
      bound = split.bound;
      body = split.body;
    }
    return node("big", [lower, upper, body], `${name} ${bound}`);
  }

  private accent(name: string): Node {
    const inner = this.argument();
    const kind =
      name === "arc" || name === "overarc" || name === "overparen" || name === "wideparen" ? "widehat" : name;
    if (inner.op === "symbol") {
      const text =
        UNORDERED_FIGURES.has(kind) && /^[A-Z]{2}$/.test(inner.text) ? sortLetters(inner.text) : inner.text;
      return this.maybeCall(node("symbol", [], `${kind}:${text}`));
    }
    if (inner.op === "number" && kind === "overline") return node("symbol", [], `repeat:${inner.text}`);
    const letters = this.letterProduct(inner);
    if (letters !== null) {
      const text = UNORDERED_FIGURES.has(kind) ? sortLetters(letters) : letters;
      return node("symbol", [], `${kind}:${text}`);
    }
    return node("call", [inner], `accent:${kind}`);
  }

  /** The letters of a product of plain symbols, in the written order. */
  private letterProduct(inner: Node): string | null {
    if (inner.op !== "mul") return null;
    let letters = "";
    for (const factor of inner.args) {
      if (factor.op !== "symbol" && factor.op !== "number" && factor.op !== "constant") return null;
      letters += factor.text;
    }
    return letters;
  }

  /** `\angle ABC` reads the same backwards, `\triangle ABC` in any order. */
  private figure(name: string): Node {
    let points: string[] = [];
    for (;;) {
      const kind = this.kinds[this.at];
      const text = this.texts[this.at] as string;
      if (kind === NAME) points.push(...text);
      else if (kind === SYMBOL && /^(?:[A-Z]|alpha|beta|gamma|theta|[a-z])$/.test(text)) points.push(text);
      else if (kind === NUMBER && points.length === 0) points.push(text);
      else break;
      this.at++;
      while (this.is("_") || this.is("'")) {
        const mark = this.texts[this.at++] as string;
        points[points.length - 1] += mark === "_" ? `_${this.argumentSource()}` : "'";
      }
      if (this.is("^") && this.texts[this.at + 1] === "'") {
        this.at += 2;
        points[points.length - 1] += "'";
      }
    }
    if (name === "measuredangle") points = [...points];
    if (points.length === 0) {
      if (this.is("{")) return node("call", [this.group()], name);
      return node("symbol", [], `figure:${name}`);
    }
    if (name === "triangle") points.sort();
    else if (points.join(" ") > [...points].reverse().join(" ")) points.reverse();
    return node("symbol", [], `${name}:${points.join(" ")}`);
  }

  /** `\begin{pmatrix}` and its relatives, systems, aligned lines. */
  private environment(): Node {
    const name = this.argumentSource().replace("*", "");
    if (name === "array" || name === "tabular") {
      if (this.is("[")) while (this.kinds[this.at] !== END && this.texts[this.at++] !== "]") {}
      if (this.is("{")) this.argumentSource();
    }
    this.enter();
    const bars = this.bars;
    this.bars = 0;
    const rows: Node[][] = [[]];
    let entries = 0;
    for (;;) {
      if (this.kinds[this.at] === END) throw STUCK;
      if (this.kinds[this.at] === COMMAND && this.texts[this.at] === "end") break;
      if (this.accept("\\\\")) {
        rows.push([]);
        continue;
      }
      if (this.accept("&")) {
        if (this.is("&") || this.is("\\\\")) (rows.at(-1) as Node[]).push(node("empty"));
        continue;
      }
      const items = this.items();
      (rows.at(-1) as Node[]).push(items.length === 1 ? (items[0] as Node) : node("list", items));
      if (++entries > MAX_ITEMS) throw STUCK;
      if (
        !(
          this.is("&") ||
          this.is("\\\\") ||
          (this.kinds[this.at] === COMMAND && this.texts[this.at] === "end")
        )
      )
        throw STUCK;
    }
    this.at++;
    this.argumentSource();
    this.bars = bars;
    this.depth--;
    const filled = rows.filter((row) => row.length > 0);
    if (MATRICES.has(name)) {
      const columns = Math.max(1, ...filled.map((row) => row.length));
      const flat = filled.flatMap((row) => [
        ...row,
        ...Array.from({ length: columns - row.length }, () => node("empty")),
      ]);
      const matrix = node("matrix", flat, `${filled.length},${columns}`);
      return name === "vmatrix" ? node("function", [matrix], "det") : matrix;
    }
    // Systems and aligned lines: each row is a statement; its cells are pieces of it.
    const lines: Node[] = [];
    for (const row of filled) {
      const line = row.length === 1 ? (row[0] as Node) : node("tuple", row, "row");
      const above = lines.at(-1);
      // A line that begins with a relation goes on from the line above.
      if (above !== undefined && line.op === "relation" && line.args[0]?.op === "empty") {
        const members = above.op === "relation" ? above.args : [above];
        const operators = above.op === "relation" ? above.text : "";
        lines[lines.length - 1] = node(
          "relation",
          [...members, ...line.args.slice(1)],
          operators + line.text,
        );
      } else lines.push(line);
    }
    if (lines.length === 1) return lines[0] as Node;
    return node("cases", lines);
  }
}

/** `d`, `d y`, `d^2 y`, `\partial u` as the numerator of a derivative. */
function differential(top: Node): { letter: string; body: Node | null } | null {
  const isLetter = (one: Node | undefined): boolean =>
    one?.op === "symbol" && (one.text === "d" || one.text === "partial");
  const isHead = (one: Node | undefined): boolean =>
    isLetter(one) || (one?.op === "pow" && isLetter(one.args[0]) && one.args[1]?.op === "number");
  if (isHead(top)) return { letter: top.op === "pow" ? (top.args[0] as Node).text : top.text, body: null };
  if (top.op !== "mul" || !isHead(top.args[0])) return null;
  const head = top.args[0] as Node;
  const letter = head.op === "pow" ? (head.args[0] as Node).text : head.text;
  const rest = top.args.slice(1);
  return { letter, body: rest.length === 1 ? (rest[0] as Node) : node("mul", rest) };
}

/** Takes `dx` out of an integrand, wherever the product holds it. */
function splitDifferential(body: Node): { bound: string; body: Node } {
  const one = node("number", [], "1", { num: 1, den: 1 });
  const inner = body.op === "set" || body.op === "tuple" ? (body.args[0] ?? body) : body;
  if (inner !== body && body.args.length === 1) return splitDifferential(inner);
  if (body.op === "mul") {
    for (let i = body.args.length - 2; i >= 0; i--) {
      const letter = body.args[i] as Node;
      const bound = body.args[i + 1] as Node;
      if (letter.op === "symbol" && letter.text === "d" && bound.op === "symbol") {
        const rest = [...body.args.slice(0, i), ...body.args.slice(i + 2)];
        const left = rest.length === 0 ? one : rest.length === 1 ? (rest[0] as Node) : node("mul", rest);
        return { bound: bound.text, body: left };
      }
    }
  }
  if (body.op === "div") {
    const top = splitDifferential(body.args[0] as Node);
    if (top.bound !== "") return { bound: top.bound, body: node("div", [top.body, body.args[1] as Node]) };
  }
  if (body.op === "add") {
    const last = body.args.at(-1) as Node;
    const negative = last.op === "neg";
    const split = splitDifferential(negative ? (last.args[0] as Node) : last);
    if (split.bound !== "")
      return {
        bound: split.bound,
        body: node("add", [...body.args.slice(0, -1), negative ? node("neg", [split.body]) : split.body]),
      };
  }
  return { bound: "", body };
}

function sortLetters(letters: string): string {
  return [...letters].sort().join("");
}

export interface Parsed {
  root: Node;
  /** A plain comma between groups of three digits was read as a thousands separator. */
  ambiguousComma: boolean;
}

/** Text of tokens, for opaque nodes: spacing does not matter, everything else does. */
function compactText(tokens: Tokens): string {
  return tokens.texts.join("\u0001");
}

/** End of the useful part: trailing punctuation, spacing and line ends dropped. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0) {
    const last = text.charCodeAt(end - 1);
    // . , ; : ~ $ and white space
    if (
      last <= 32 ||
      last === 46 ||
      last === 44 ||
      last === 59 ||
      last === 58 ||
      last === 126 ||
      last === 36
    ) {
      if (last === 46 && text.charCodeAt(end - 2) === 46) {
        // An ellipsis is dropped whole.
      }
      end--;
    } else if (last === 92) end--;
    else if (end > 1 && text.charCodeAt(end - 2) === 92 && (last === 33 || last === 93 || last === 41))
      end -= 2;
    else break;
  }
  return end === text.length ? text : text.slice(0, end);
}

/** Parses a span or an answer. Never throws; see `Op` for the shapes. */
export function parse(source: string, options: LexOptions = {}): Parsed {
  if (source.length > MAX_CHARS) return { root: node("opaque", [], source), ambiguousComma: false };
  const text = trimEnd(source);
  const tokens = lex(text, options);
  for (const openBars of [false, true]) {
    const copy = openBars ? lex(text, options) : tokens;
    try {
      const root = new Parser(copy, openBars).run();
      return { root, ambiguousComma: tokens.ambiguousComma };
    } catch (error) {
      if (!(error instanceof Stuck)) throw error;
      if (openBars || !text.includes("|")) break;
    }
  }
  return { root: node("opaque", [], compactText(lex(text, options))), ambiguousComma: tokens.ambiguousComma };
}

export { isOpaque };
