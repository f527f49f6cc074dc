/**
 * LaTeX flattened to text as the V1 grader sees it: fractions lose their parentheses, roots keep theirs, indices of
 * roots vanish. Only what reaches the grader's decisions is reproduced; unknown macros vanish and keep their groups.
 * Source: recipe.md A11 "sympy path", checked against golden_grading.json.
 */
import { SYMBOLS } from "../commands.ts";

const MACROS: Readonly<Record<string, string>> = {
  cdot: "·",
  times: "×",
  div: "÷",
  pm: "±",
  mp: "∓",
  le: "≤",
  leq: "≤",
  ge: "≥",
  geq: "≥",
  ne: "≠",
  neq: "≠",
  lt: "<",
  gt: ">",
  infty: "∞",
  pi: "π",
  cup: "∪",
  cap: "∩",
  in: "∈",
  notin: "∉",
  circ: "∘",
  emptyset: "∅",
  varnothing: "∅",
  to: "→",
  rightarrow: "→",
  ldots: "…",
  dots: "…",
  cdots: "⋯",
  lfloor: "⌊",
  rfloor: "⌋",
  lceil: "⌈",
  rceil: "⌉",
  angle: "∠",
  quad: "  ",
  qquad: "    ",
  left: "",
  right: "",
  approx: "≈",
  equiv: "≡",
  mid: "∣",
  setminus: "∖",
  prime: "′",
};
const WORDS: ReadonlySet<string> = new Set(
  "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp det dim gcd max min inf sup lim deg arg ker hom Pr".split(
    " ",
  ),
);
/** Longer answers are left unflattened. Characters. */
const MAX_CHARS = 4000;
const MAX_DEPTH = 60;

class Flattener {
  private at = 0;
  private depth = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Everything up to an unmatched `}` or the end. */
  group(): string {
    let result = "";
    while (this.at < this.text.length) {
      const character = this.text.charAt(this.at);
      if (character === "}") break;
      result += this.one();
    }
    return result;
  }

  private one(): string {
    const character = this.text.charAt(this.at++);
    if (character === "{") {
      if (++this.depth > MAX_DEPTH) throw new RangeError("nesting");
      const inner = this.group();
      this.depth--;
      this.at++;
      return inner;
    }
    if (character === "~") return " ";
    if (character !== "\\") return character;
    return this.macro();
  }

  private macro(): string {
    const match = /^[A-Za-z]+/.exec(this.text.slice(this.at, this.at + 40));
    if (match === null) {
      const escaped = this.text.charAt(this.at++);
      if (escaped === "," || escaped === ";" || escaped === ":" || escaped === " ") return " ";
      if (escaped === "!") return "";
      if (escaped === "\\") return "\n";
      return escaped;
    }
    const name = match[0];
    this.at += name.length;
    while (this.text.charAt(this.at) === " ") this.at++;
    if (name === "frac") {
      const top = this.argument();
      return `${top}/${this.argument()}`;
    }
    if (name === "sqrt") {
      if (this.text.charAt(this.at) === "[") {
        const close = this.text.indexOf("]", this.at);
        if (close > 0) this.at = close + 1;
      }
      return `√(${this.argument()})`;
    }
    const known = Object.hasOwn(MACROS, name) ? MACROS[name] : undefined;
    if (known !== undefined) return known;
    if (WORDS.has(name)) return name;
    const symbol = Object.hasOwn(SYMBOLS, name) ? SYMBOLS[name] : undefined;
    return symbol === undefined ? "" : greek(symbol);
  }

  private argument(): string {
    while (this.text.charAt(this.at) === " ") this.at++;
    if (this.at >= this.text.length) throw new RangeError("argument");
    return this.one();
  }
}

const LETTERS =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega".split(
    " ",
  );

/** One letter for a Greek name; other symbols keep a letter of their own that no user writes. */
function greek(name: string): string {
  const lower = LETTERS.indexOf(name.toLowerCase());
  if (lower < 0) return `⟨${name}⟩`;
  return String.fromCharCode((/^[A-Z]/.test(name) ? 0x391 : 0x3b1) + lower);
}

/** The flattened text. @throws {RangeError} where the original raises: a missing argument, runaway nesting */
export function latexToText(latex: string): string {
  if (latex.length > MAX_CHARS) throw new RangeError("length");
  const prepared = latex
    .replaceAll("\\tfrac", "\\frac")
    .replaceAll("\\dfrac", "\\frac")
    .replaceAll("\\frac", " \\frac");
  return new Flattener(prepared)
    .group()
    .replaceAll("√", "sqrt")
    .replaceAll("π", "pi")
    .replaceAll("∞", "inf")
    .replaceAll("∪", "U")
    .replaceAll("·", "*")
    .replaceAll("×", "*")
    .trim();
}
