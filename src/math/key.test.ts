import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOpaque } from "./ast.ts";
import { canonicalForm, canonicalKey, forgetKeys } from "./key.ts";
import { parse } from "./parser.ts";

const same = (...spans: string[]): void => {
  for (const span of spans)
    expect(canonicalForm(span), `${span} ~ ${spans[0]}`).toBe(canonicalForm(spans[0] as string));
};
const different = (...spans: string[]): void => {
  expect(new Set(spans.map((span) => canonicalKey(span))).size, spans.join(" , ")).toBe(spans.length);
};

test("a key is 32 hexadecimal digits and does not depend on the options' spelling", () => {
  expect(canonicalKey("x+1")).toMatch(/^[0-9a-f]{32}$/);
  expect(canonicalKey("x+1", { equationMode: "keep" })).toBe(canonicalKey("x+1"));
  expect(canonicalKey("n=2", { equationMode: "rhs" })).toBe(canonicalKey("2"));
});

test("a chain has the key of its first and last member, whatever the arithmetic between them", () => {
  same("j=3", "j=g+4=9+4=3", "j = 3.", "3=j", "$j=3$");
  different("j=3", "j=4", "c=3", "3", "j");
  // Modulo 10 the sum is right; over the integers it is a false statement and still a result of its own.
  different("9+4=3", "8+5=3", "3=3");
  same("e=c*6=5*6=0", "e=0");
  different("e=0", "i=0", "e=1");
});

describe("the pitfalls of grading.md section 4", () => {
  test("1: exact and numeric paths to one value share a key", () => {
    same(
      "\\frac12",
      "0.5",
      "\\sin\\frac{\\pi}{6}",
      "\\sin 30^\\circ",
      "\\min(1,\\frac12)",
      "50\\%",
      "\\frac{\\sqrt4}{4}",
    );
    same("5", "\\gcd(10,15)", "\\sqrt{25}", "\\log_2 32", "2+3", "\\lfloor 5.9\\rfloor", "\\binom51");
  });
  test("2: roots and exponents of symbols", () => {
    same("\\sqrt{5+2\\sqrt6}", "\\sqrt2+\\sqrt3");
    same("2^{n+1}", "2\\cdot 2^n");
    same("\\sqrt{xy}", "\\sqrt{x}\\sqrt{y}");
  });
  test("3: terms below the kept digits are not lost", () => {
    different("x^{2020}+1", "x^{2020}");
    different("2^{1009}+\\sqrt2", "2^{1009}", "\\sqrt2");
    different("x+10^{-30}", "x", "x(1+10^{-40})");
    different("\\cos(10^{-12})", "1");
    different("\\sqrt{10^{40}+1}", "10^{20}");
  });
  test("4: symbols are positive", () => {
    same("\\sqrt{x^2}", "x");
    same("\\ln(ab)", "\\ln a+\\ln b");
    different("|x|", "x");
    same("|x-y|", "|y-x|");
  });
  test("5: equations are scale-free, assignments are not", () => {
    same("2x+2y=4", "x+y=2", "2-x=y", "-x-y=-2");
    different("b=7", "3b=21", "7");
    same("3b=21", "6b=42");
    same("-2x>-4", "4>2x");
    different("2x<4", "2x\\le 4", "2x>4");
  });
  test("6: identities are keyed by what they say", () => {
    different("4^x=2^{2x}", "\\sqrt{625}=25", "1^2+2^2=1+4=5", "x/y=x/y");
    same("10-6=4", "4=10-6");
  });
  test("7: runs of capitals are names", () => {
    different("CDE", "EDC", "OBC", "BOC");
    different("\\angle ABC", "\\angle BAC");
    same("\\angle ABC", "\\angle CBA");
    same("\\triangle ABC", "\\triangle CAB");
    same("\\overline{AB}", "\\overline{BA}");
    different("\\overrightarrow{AB}", "\\overrightarrow{BA}");
    same("L C s^2", "s^2 C L");
  });
  test("8: a unit is part of a span", () => {
    different("162", "162^\\circ", "162\\text{ minutes}", "162\\text{ cm}");
    same("5\\text{ cm}", "5 cm", "5\\text{ centimeters}");
    same("45^\\circ", "45^{\\circ}", "45°", "\\frac{\\pi}{4}");
  });
  test("9: notation that looks alike", () => {
    same("2\\frac12", "2.5", "\\frac52");
    same("2\\cdot\\frac12", "1");
    same("1,000", "1000", "1{,}000", "1\\,000", "1,\\!000");
    different("(1,000)", "1000");
    same("4.5e33", "4.5\\times10^{33}");
    different("2e", "2");
    different("f^{-1}(x)", "\\frac{1}{f(x)}");
    different("(a,b)", "[a,b]", "(a,b]", "\\{a,b\\}", "a,b");
    same("0.\\overline{36}", "\\frac{4}{11}");
    same("x^{2}_{1}", "x_1^2");
  });
  test("10: runaway numbers are named, not computed", () => {
    different("10^{10^{10}}", "10^{10^{11}}", "9^{9^{9^9}}");
    same("2\\cdot 10^{10^{10}}", "10^{10^{10}}\\cdot 2");
    different("1000000!", "999999!");
    different("100!", "100!+1");
  });
});

test("factorials and binomials of symbols follow their recurrence", () => {
  same("\\frac{n!}{k!(n-k)!}", "\\binom nk", "\\frac{(n-1)!}{k!}\\frac{n}{(n-k)!}", "\\binom{n}{n-k}");
  same("(n+1)!", "(n+1)n!");
  same("\\binom{n}{2}", "\\frac{n(n-1)}{2}");
});

test("sums, integrals and limits are named by their parts, small sums are added", () => {
  same("\\sum_{k=1}^{10}k^2", "385", "\\sum_{j=1}^{10} j\\cdot j");
  same("\\sum_{k=1}^{n} k x", "\\sum_{m=1}^n x m");
  different("\\sum_{k=1}^{n} k", "\\sum_{k=0}^{n} k", "\\sum_{k=1}^{n} k^2");
  same("\\int_0^1 x^2\\,dx", "\\int_{0}^{1} t^2 dt", "\\int^1_0 x x dx");
  different("\\int_0^1 x^2\\,dx", "\\int_0^2 x^2\\,dx");
  same("\\frac{d}{dx} x^2", "\\frac{d x^2}{dx}");
});

test("names of object members are words", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty", "valueOf", "__proto__"]) {
    expect(canonicalForm(name)).not.toContain("native");
    expect(canonicalForm(`x=5${name}`)).not.toContain("native");
    expect(isOpaque(parse(`x=\\text{${name}}`).root)).toBe(false);
  }
  expect(canonicalForm("5 constructor")).toBe(canonicalForm("5\\text{ constructor}"));
});

test("keys do not depend on what was computed before, nor on the process", () => {
  const spans = ["x+1", "\\sqrt{2}y", "a=b", "\\sin x", "n!", "\\text{even}", "1\\pm\\sqrt5"];
  const before = spans.map((span) => canonicalKey(span));
  for (let i = 0; i < 6000; i++) canonicalKey(`v_{${i}}+${i}x`);
  forgetKeys();
  expect([...spans].reverse().map((span) => canonicalKey(span))).toEqual([...before].reverse());
  const module = new URL("./key.ts", import.meta.url).href;
  const program = `const {canonicalKey} = await import(${JSON.stringify(module)}); console.log(JSON.stringify(${JSON.stringify(spans)}.map((s) => canonicalKey(s))))`;
  const fresh = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  expect(JSON.parse(fresh)).toEqual(before);
});

test("golden keys: a change here needs a new key version", () => {
  expect(
    ["0", "x", "j=3", "\\frac{1}{3}", "\\sqrt2", "(1,2]", "x<1", "5\\text{ cm}"].map((span) =>
      canonicalKey(span),
    ),
  ).toMatchInlineSnapshot(`
    [
      "6ad987984731e08d6eee67f89396c2b2",
      "99064453848ff195414c4c4bf8289d45",
      "5f2e1992ad07df03cbb5e24691d327b4",
      "7d1ec348eb55dd768db1cdcc5153fe60",
      "63a92af21ca53f00f9cf674ea4ccff58",
      "473da3bb5b3e23fcf8f016f5511056f7",
      "9838f75fbf2211c644aada913815fcc1",
      "4d9b83e1060c2b2dd41af6772624b7fa",
    ]
  `);
});

test("spacing, size commands and bracing never change a key", () => {
  const spans = [
    "x^2+x-6=(x-2)(x+3)",
    "\\frac{a}{b}+c",
    "(1,2]",
    "\\sin x\\cos y",
    "-2\\le x<7",
    "\\{1,2\\}",
    "n!+|m|",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...spans),
      fc.array(fc.constantFrom(" ", "\\,", "\\;", "\\!", "{}", "~"), { maxLength: 4 }),
      fc.nat(30),
      (span, gaps, start) => {
        // Gaps go between tokens: never inside a command or a number.
        const tokens = span.match(/\\[A-Za-z]+|\\.|\d+|./g) ?? [];
        const spaced = tokens
          .map(
            (token, i) =>
              token +
              (i >= start && gaps[i - start] !== undefined && gaps[i - start] !== "{}"
                ? ` ${gaps[i - start]} `
                : ""),
          )
          .join("");
        expect(canonicalForm(spaced)).toBe(canonicalForm(span));
        expect(
          canonicalForm(
            `\\displaystyle ${span.replace(/\(/g, "\\left(").replace(/\)/g, "\\right)").replace("\\frac", "\\dfrac")}`,
          ),
        ).toBe(canonicalForm(span));
      },
    ),
    { seed: 7, numRuns: 200 },
  );
});

const SPANS = new URL("../../../shared/grading/spans.jsonl", import.meta.url);
test.skipIf(!existsSync(SPANS))("at least 97% of real spans are understood", () => {
  const spans = readFileSync(SPANS, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as string);
  const opaque = spans.filter((span) => isOpaque(parse(span).root)).length;
  expect(1 - opaque / spans.length).toBeGreaterThan(0.97);
});
