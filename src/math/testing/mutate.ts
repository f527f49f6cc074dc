/**
 * Mutated mathematics for fuzzing: spans of every shape, cut, doubled, spliced and sprinkled with tokens that have
 * broken graders. Seeded, so that a failure is reproduced by its seed and index.
 */
import { type RandomStream, randomStream } from "../../random.ts";

/** One example of every construct the parser knows; mutations start from these. */
export const SEEDS: readonly string[] = [
  "x^2+x-6=(x-2)(x+3)",
  "\\frac{1}{2}",
  "\\dfrac{-3\\sqrt{5}}{2}",
  "1{,}234{,}567",
  "3.14\\times 10^{-5}",
  "4.46e19",
  "2\\frac{1}{3}",
  "45^\\circ",
  "10\\%",
  "0.\\overline{36}",
  "\\sqrt[3]{x+1}",
  "\\sin^2 x+\\cos^2 x",
  "\\log_{10} 2",
  "n!",
  "\\binom{n}{k}",
  "\\lfloor x/2 \\rfloor+\\lceil y \\rceil",
  "|x-1|+||x|-y|",
  "\\sum_{k=1}^{10} k^2",
  "\\int_0^1 x^2\\,dx",
  "\\lim_{x\\to 0}\\frac{\\sin x}{x}",
  "\\frac{d}{dx} f(x)",
  "a\\equiv b\\pmod{m}",
  "-2\\le x<7",
  "x\\in(-\\infty,3]\\cup\\{5\\}",
  "\\{1,2,3\\}",
  "(a,b,c)",
  "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
  "\\begin{cases}x+y=3\\\\x-y=1\\end{cases}",
  "1\\pm\\sqrt{5}",
  "5\\text{ cm}^2",
  "\\text{(B)}",
  "\\angle ABC=90^\\circ",
  "\\overrightarrow{AB}",
  "52_8",
  "f^{-1}(x)",
  "y'+ry=0",
  "e^{i\\pi}+1",
  "\\gcd(12,18)",
  "128\\mod 3",
  "x=\\boxed{4}",
  "7:32",
  "\\underline{a=b}",
  "x₁²+π≥∞",
];
const TOKENS: readonly string[] = [
  ..."{}()[]|^_&%!',;:=<>+-*/\\$.0123456789xyzeidπ",
  "\\frac",
  "\\sqrt",
  "\\left",
  "\\right",
  "\\begin{matrix}",
  "\\end{matrix}",
  "\\\\",
  "^{10}",
  "^{99999}",
  "!!",
  "\\int",
  "\\sum_{k=1}^{1000000}",
  "\\boxed{",
  "\\text{",
  "\\underline{",
  "\\pm",
  "9^9^9",
  "constructor",
  "__proto__",
  "\u0000",
  "\ud800",
  "é",
];
/** Mutations grow inputs at most to this. Characters. */
const MAX_LENGTH = 600;

/** One mutated input. */
export function mutate(stream: RandomStream, corpus: readonly string[]): string {
  let text = stream.pick(corpus);
  const edits = 1 + stream.integer(5);
  for (let i = 0; i < edits; i++) {
    const at = stream.integer(text.length + 1);
    const to = Math.min(text.length, at + stream.integer(8));
    switch (stream.integer(7)) {
      case 0:
        text = text.slice(0, at) + text.slice(to);
        break;
      case 1:
        text = text.slice(0, at) + stream.pick(TOKENS) + text.slice(at);
        break;
      case 2:
        text = text.slice(0, to) + text.slice(at);
        break;
      case 3:
        text = text.slice(0, at) + stream.pick(corpus) + text.slice(at);
        break;
      case 4:
        text = text.slice(0, at) + stream.pick(TOKENS) + text.slice(to);
        break;
      case 5:
        text = text.slice(0, at) + text.slice(at, to).repeat(1 + stream.integer(12)) + text.slice(to);
        break;
      default:
        text = [...text.slice(at, to)].reverse().join("") + text.slice(0, at);
    }
  }
  return text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) : text;
}

/** The stream of fuzz inputs of a seed. */
export function fuzzStream(seed: number): RandomStream {
  return randomStream(seed, "math", "fuzz");
}
