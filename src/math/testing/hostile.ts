/**
 * Crafted inputs, each aimed at one way of making a parser, an evaluator or a pattern work too hard.
 */
import { extractAnswer } from "../extract.ts";
import { canonicalForm } from "../key.ts";
import { extractSteps } from "../steps.ts";
import { verify } from "../verify.ts";

const nested = (open: string, close: string, depth: number, core = "x"): string =>
  open.repeat(depth) + core + close.repeat(depth);

/** Input by the name of what it attacks. */
export const HOSTILE: Readonly<Record<string, string>> = {
  "white space runs": `x${" ".repeat(1900)}x`,
  "commas after a dollar": `$${",".repeat(1990)}`,
  "line breaks after a cue": `answer${"\n".repeat(1990)}`,
  "open display math": "\\(".repeat(990),
  "thousands in a list": `(${"1,111,".repeat(330)}1)`,
  moduli: `${"1\\mod ".repeat(330)}1`,
  "bars and braces": "x|{".repeat(660),
  bars: "|x".repeat(950),
  "digits and a letter": `${"1".repeat(1990)}x`,
  "fractions without arguments": "\\frac".repeat(390),
  signs: "\\pm1".repeat(480),
  "long list": `${"a,".repeat(399)}b`,
  "functions of functions": `${"\\sin ".repeat(390)}x`,
  "nested functions": nested("\\sin(", ")", 90),
  "nested calls": nested("f(", ")", 95),
  towers: "x^".repeat(990),
  "braced towers": nested("2^{", "}", 95, "2"),
  "repeated factorials": `x${"!".repeat(1900)}`,
  "large factorials": "900!\\cdot".repeat(200),
  "large binomials": "\\binom{2000}{400}+".repeat(90),
  "large gcd": `\\gcd(${"7^{2800},".repeat(200)}3)`,
  "many denominators": Array.from({ length: 100 }, (_, i) => `\\frac{1}{${i + 10_007}}`).join("+"),
  "nested sums": "\\sum_{i=1}^{1000}".repeat(3),
  "a long sum": "\\sum_{i=1}^{999}\\sin(i)",
  "a tall matrix": `\\begin{pmatrix}${"1&2\\\\".repeat(190)}\\end{pmatrix}`,
  "a product of matrices": "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}".repeat(45),
  "a determinant": `\\begin{vmatrix}${"1&x&y&z&w\\\\".repeat(5)}\\end{vmatrix}`,
  "open underlines": "\\underline{".repeat(180),
  "open environments": "\\begin{cases}".repeat(150),
  "minus signs": `${"-".repeat(1990)}1`,
  "a long decimal": `0.${"3".repeat(1990)}`,
  "large exponents": "1e400+".repeat(300),
  superscripts: "²".repeat(1990),
  "a chain of equalities": "a=".repeat(950),
  "a chain of inequalities": "a<".repeat(950),
  implications: "a\\Rightarrow ".repeat(150),
  unions: "(1,2)\\cup".repeat(200),
  units: "5 cm ".repeat(390),
  "nested subscripts": nested("x_{", "}", 95),
  primes: `f${"'".repeat(1900)}(x)`,
  "nested limits": `${"\\lim_{x\\to 0}".repeat(95)}x`,
  "nested roots": nested("\\sqrt{x+", "}", 95, "2"),
  "nested logarithms": nested("\\ln(", ")", 95),
  "large powers of sums": "(x+y)^{512}".repeat(180),
  "towers of ten": "10^{10^{10^{10}}}",
  "beyond the length cap": "x+".repeat(100_000),
};

/** Every public function on one input. */
export function hostileCalls(input: string): { name: string; run: () => unknown }[] {
  return [
    { name: "verify", run: () => verify(input, `${input}+1`) },
    { name: "compat", run: () => verify(input, `${input}+1`, { mode: "compat" }) },
    { name: "form", run: () => canonicalForm(input) },
    { name: "extract", run: () => extractAnswer(`${input}\\boxed{${input}`, { prose: true, boxes: "all" }) },
    {
      name: "steps",
      run: () => extractSteps(`\\underline{${input}}${input}`, { maxSpanChars: 1e6, dropGivens: input }),
    },
  ];
}
