/**
 * Random expressions, rewritten into equal ones and changed into unequal ones, printed as LaTeX in random spelling.
 * Independent of the parser and evaluator they test: it prints and computes with plain doubles only.
 */
import type { RandomStream } from "../../random.ts";

export type Term =
  | { kind: "number"; value: number }
  | { kind: "symbol"; name: string }
  | { kind: "sum" | "product"; terms: Term[] }
  | { kind: "quotient"; top: Term; below: Term }
  | { kind: "power"; base: Term; exponent: number }
  | { kind: "root"; inner: Term }
  | { kind: "function"; name: "sin" | "cos" | "ln" | "exp"; inner: Term };

const NAMES = ["x", "y", "a", "b", "n", "t", "\\theta", "x_1", "\\alpha"] as const;

/** A random expression of at most `depth` levels. */
export function randomTerm(stream: RandomStream, depth: number): Term {
  const leaf = depth === 0 || stream.uniform() < 0.2;
  if (leaf)
    return stream.integer(2) === 0
      ? { kind: "number", value: 1 + stream.integer(12) }
      : { kind: "symbol", name: stream.pick(NAMES) };
  const inner = (): Term => randomTerm(stream, depth - 1);
  switch (stream.integer(9)) {
    case 0:
    case 1:
    case 2:
      return { kind: "sum", terms: Array.from({ length: 2 + stream.integer(2) }, inner) };
    case 3:
    case 4:
      return { kind: "product", terms: Array.from({ length: 2 + stream.integer(2) }, inner) };
    case 5:
      return { kind: "quotient", top: inner(), below: inner() };
    case 6:
      return { kind: "power", base: inner(), exponent: 2 + stream.integer(3) };
    case 7:
      return { kind: "root", inner: inner() };
    default:
      return { kind: "function", name: stream.pick(["sin", "cos", "ln", "exp"] as const), inner: inner() };
  }
}

/** Plain double value where every symbol has the value `of(name)`. */
export function evaluateTerm(term: Term, of: (name: string) => number): number {
  switch (term.kind) {
    case "number":
      return term.value;
    case "symbol":
      return of(term.name);
    case "sum":
      return term.terms.reduce((total, one) => total + evaluateTerm(one, of), 0);
    case "product":
      return term.terms.reduce((total, one) => total * evaluateTerm(one, of), 1);
    case "quotient":
      return evaluateTerm(term.top, of) / evaluateTerm(term.below, of);
    case "power":
      return evaluateTerm(term.base, of) ** term.exponent;
    case "root":
      return Math.sqrt(evaluateTerm(term.inner, of));
    case "function": {
      const x = evaluateTerm(term.inner, of);
      return term.name === "sin"
        ? Math.sin(x)
        : term.name === "cos"
          ? Math.cos(x)
          : term.name === "ln"
            ? Math.log(x)
            : Math.exp(x);
    }
  }
}

const number = (value: number): Term => ({ kind: "number", value });
const product = (...terms: Term[]): Term => ({ kind: "product", terms });
const sum = (...terms: Term[]): Term => ({ kind: "sum", terms });

/** An equal expression: operands reordered, products distributed, fractions expanded, powers and roots rewritten. */
export function rewrite(stream: RandomStream, term: Term): Term {
  const again = (one: Term): Term => (stream.uniform() < 0.8 ? rewrite(stream, one) : one);
  switch (term.kind) {
    case "number": {
      if (stream.integer(4) !== 0) return term;
      const part = 1 + stream.integer(9);
      const k = 2 + stream.integer(4);
      return stream.pick<Term>([
        sum(number(term.value - part), number(part)),
        { kind: "quotient", top: number(term.value * k), below: number(k) },
        { kind: "root", inner: number(term.value * term.value) },
      ]);
    }
    case "symbol":
      return stream.integer(6) === 0 ? sum(product(number(2), term), product(number(-1), term)) : term;
    case "sum":
      return sum(...stream.shuffle(term.terms.map(again)));
    case "product": {
      const terms = stream.shuffle(term.terms.map(again));
      const at = terms.findIndex((one) => one.kind === "sum");
      if (at >= 0 && stream.integer(2) === 0) {
        const spread = terms[at] as Term & { kind: "sum" };
        const others = terms.filter((_, i) => i !== at);
        return sum(...spread.terms.map((one) => product(one, ...others)));
      }
      return product(...terms);
    }
    case "quotient": {
      const [top, below] = [again(term.top), again(term.below)];
      const k = number(2 + stream.integer(5));
      return stream.pick<Term>([
        { kind: "quotient", top, below },
        { kind: "quotient", top: product(k, top), below: product(below, k) },
        product(top, { kind: "quotient", top: number(1), below }),
      ]);
    }
    case "power": {
      const base = again(term.base);
      if (stream.integer(2) === 0) return { kind: "power", base, exponent: term.exponent };
      if (term.exponent === 2 && base.kind === "sum" && base.terms.length === 2) {
        const [a, b] = base.terms as [Term, Term];
        return sum({ kind: "power", base: a, exponent: 2 }, product(number(2), a, b), {
          kind: "power",
          base: b,
          exponent: 2,
        });
      }
      return product(base, { kind: "power", base, exponent: term.exponent - 1 });
    }
    case "root": {
      const inner = again(term.inner);
      const k = 2 + stream.integer(4);
      return stream.pick<Term>([
        { kind: "root", inner },
        { kind: "quotient", top: { kind: "root", inner: product(number(k * k), inner) }, below: number(k) },
      ]);
    }
    case "function":
      return { kind: "function", name: term.name, inner: again(term.inner) };
  }
}

/** A change somewhere in the expression; may still be equal, which the caller checks by value. */
export function disturb(stream: RandomStream, term: Term): Term {
  const one = (terms: readonly Term[]): Term[] => {
    const at = stream.integer(terms.length);
    return terms.map((item, i) => (i === at ? disturb(stream, item) : item));
  };
  switch (term.kind) {
    case "number":
      return number(term.value + (stream.integer(2) === 0 ? 1 : -1) * (1 + stream.integer(2)));
    case "symbol":
      return stream.integer(2) === 0
        ? product(number(-1), term)
        : { kind: "symbol", name: stream.pick(NAMES) };
    case "sum":
    case "product":
      return { kind: term.kind, terms: one(term.terms) };
    case "quotient":
      return stream.integer(3) === 0
        ? { kind: "quotient", top: term.below, below: term.top }
        : { kind: "quotient", top: disturb(stream, term.top), below: term.below };
    case "power":
      return { kind: "power", base: term.base, exponent: term.exponent + 1 };
    case "root":
      return stream.integer(2) === 0 ? term.inner : { kind: "root", inner: disturb(stream, term.inner) };
    case "function":
      return { kind: "function", name: term.name, inner: disturb(stream, term.inner) };
  }
}

/** LaTeX of the expression in a random spelling. */
export function latexOf(stream: RandomStream, term: Term): string {
  const pick = (...choices: string[]): string => stream.pick(choices);
  const inner = (one: Term): string => latexOf(stream, one);
  const grouped = (one: Term): string => {
    const plain = (one.kind === "number" && one.value >= 0) || one.kind === "symbol";
    const text = inner(one);
    if (plain && stream.integer(5) !== 0) return text;
    return pick(`(${text})`, `\\left(${text}\\right)`, `\\left( ${text} \\right)`, `{(${text})}`);
  };
  switch (term.kind) {
    case "number":
      return String(term.value);
    case "symbol":
      return pick(term.name, `${term.name} `, `{${term.name}}`);
    case "sum":
      return term.terms
        .map((one, i) => {
          if (i === 0) return inner(one);
          if (one.kind === "number" && one.value < 0) return `${pick("-", " - ")}${-one.value}`;
          const negative =
            one.kind === "product" && one.terms[0]?.kind === "number" && one.terms[0].value === -1;
          if (negative && one.terms.length === 2)
            return `${pick("-", " - ")}${grouped(one.terms[1] as Term)}`;
          return `${pick("+", " + ", "\\,+\\;")}${one.kind === "sum" ? grouped(one) : signSafe(inner(one))}`;
        })
        .join("");
    case "product":
      return term.terms
        .map((one, i) => {
          const text =
            one.kind === "sum" ||
            one.kind === "product" ||
            one.kind === "function" ||
            (one.kind === "number" && one.value < 0 && i > 0)
              ? grouped(one)
              : inner(one);
          if (i === 0) return text;
          return `${pick("\\cdot ", "\\times ", "*", " \\cdot ")}${text}`;
        })
        .join("");
    case "quotient":
      return stream.integer(3) === 0
        ? `\\left(${grouped(term.top)}/${wrapped(inner(term.below))}\\right)`
        : `${pick("\\frac", "\\dfrac", "\\tfrac")}{${inner(term.top)}}{${inner(term.below)}}`;
    case "power":
      return `${wrapped(inner(term.base))}^${pick(`{${term.exponent}}`, String(term.exponent))}`;
    case "root":
      return pick(
        `\\sqrt{${inner(term.inner)}}`,
        `${wrapped(inner(term.inner))}^{\\frac{1}{2}}`,
        `${wrapped(inner(term.inner))}^{1/2}`,
      );
    case "function":
      return term.name === "exp"
        ? pick(`e^{${inner(term.inner)}}`, `\\exp(${inner(term.inner)})`)
        : `\\${term.name}${pick("(", " (", "\\left(")}${inner(term.inner)})`;
  }
}

function wrapped(text: string): string {
  return `(${text})`;
}

/** A leading minus after a plus needs parentheses to read well. */
function signSafe(text: string): string {
  return text.startsWith("-") ? `(${text})` : text;
}
