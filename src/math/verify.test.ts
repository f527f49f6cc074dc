import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { canonicalForm } from "./key.ts";
import { createPairCounter, type LabelledPair } from "./pairs.ts";
import { fuzz } from "./testing/fuzz.ts";
import { HOSTILE, hostileCalls } from "./testing/hostile.ts";
import { verify } from "./verify.ts";

const EQUAL: [string, string, string][] = [
  ["5", "5", "identical"],
  ["\\frac{1}{2}", "0.5", "key"],
  ["5", "x = 5", "prefix"],
  ["7", "m+n = 7", "prefix"],
  ["a_n = 2n+1", "2n+1", "prefix"],
  ["2", "\\sqrt{4} = 2", "computed"],
  ["x=5", "2x=10", "equation"],
  ["x < 3", "-2x > -6", "inequality"],
  ["1,2", "\\{2, 1\\}", "list"],
  ["\\pm 2", "2,-2", "key"],
  ["1,2", "x=1 \\text{ or } x=2", "named_items"],
  ["(1,2)", "x=1, y=2", "named_items"],
  ["(3,4]", "3 < x \\le 4", "interval"],
  ["(-\\infty,1)\\cup(3,\\infty)", "x<1 \\text{ or } x>3", "interval"],
  ["90", "90^\\circ", "unit_dropped"],
  ["5", "5\\text{ cm}", "unit_dropped"],
  ["\\$10", "10", "key"],
  ["204_5", "204", "base_dropped"],
  ["\\text{even}", "Even", "key"],
  ["32, 349", "349, 32", "key"],
  ["1,234", "1, 234", "comma_list"],
  ["\\frac{1}{12}", "0.0833333333333333", "decimal"],
  ["f(x) = x+1", "f(z) = z+1", "bound_name"],
  ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{bmatrix} 1 \\\\ \\frac42 \\end{bmatrix}", "key"],
];

test.each(EQUAL)("%s and %s are equal by %s, both ways", (a, b, rule) => {
  expect(verify(a, b)).toMatchObject({ equal: true, rule });
  expect(verify(b, a).equal).toBe(true);
});

test.each([
  ["x=5", "y=5"],
  ["N", "n"],
  ["N", "N+1"],
  ["x=M", "x=m"],
  ["4.6e-24", "4.6e-23"],
  ["52_8", "52_9"],
  ["\\{1,2\\}", "(1,2)"],
  ["(1,2)", "(2,1)"],
  ["(1,2)", "[1,2]"],
  ["[0,1)", "[0,1]"],
  ["-2,-2", "-2"],
  ["102018", "102019"],
  ["5\\text{ cm}", "5\\text{ m}"],
  ["150", "5\\text{ hours } 30\\text{ minutes}"],
  ["1,2", "1.2"],
  ["no", "on"],
  ["ab", "ba"],
  ["\\frac{1+\\sqrt5}{2}", "1+\\frac{\\sqrt5}{2}"],
  ["\\pi", "3.14159"],
  ["\\frac13", "0.3333"],
  ["x=1, y=2", "x=2, y=1"],
  ["x=1, y=2", "2, 1"],
  ["x=1, y=2", "(2, 1)"],
  ["8", "2x=8"],
  ["11a+c", "7 = 11a+c"],
  ["x \\le 3", "x < 3"],
  ["f(x)", "f(y)"],
  ["\\text{yes}", "\\text{no}"],
  ["5", ""],
])("%s and %s are not equal, either way", (a, b) => {
  expect(verify(a, b).equal, verify(a, b).rule).toBe(false);
  expect(verify(b, a).equal).toBe(false);
});

test("several golds are alternatives, numbers are read by their text", () => {
  expect(verify(["1", "2"], "2").equal).toBe(true);
  expect(verify([1, 0.5], "\\frac12").equal).toBe(true);
  expect(verify(142, "142").equal).toBe(true);
  expect(verify([], "1")).toMatchObject({ equal: false, rule: "no_gold" });
});

test("a verdict carries both keys and the grader's version", () => {
  const verdict = verify("x", "x+0");
  expect(verdict.keyGold).toBe(verdict.keyAnswer);
  expect(verdict.grader).toMatch(/^math-\d+$/);
});

const SHARED = new URL("../../../shared/grading/", import.meta.url);
const DEV = new URL("dev.jsonl", SHARED);
const CRASH = new URL("must-not-crash.json", SHARED);

test.skipIf(!existsSync(DEV))(
  "the development pairs: no false positive outside policy rows, floors per group",
  () => {
    const counter = createPairCounter();
    for (const line of readFileSync(DEV, "utf8").trim().split("\n"))
      counter.add(JSON.parse(line) as LabelledPair);
    const { all, withoutPolicy, thirdParty, byKind } = counter.summary();
    expect(withoutPolicy.falsePositives).toBe(0);
    expect(all.accuracy).toBeGreaterThan(0.99);
    expect(withoutPolicy.accuracy).toBeGreaterThan(0.992);
    expect(thirdParty.accuracy).toBeGreaterThan(0.95);
    // Rows made from benchmark answers have one kind per rewriting; each is understood as a whole.
    for (const kind of byKind)
      if (
        /^(?:fmt|int|frac|dec|sci|list|tuple|interval|matrix|union|base|choice|miss|eq|sym)-/.test(kind.name)
      )
        expect(kind.accuracy, kind.name).toBeGreaterThan(0.97);
  },
  60_000,
);

// Times are not asserted here: scripts/math-fuzz.ts holds every input to 5 ms. A hang fails by the test's limit.
test.skipIf(!existsSync(CRASH))(
  "what has broken other graders returns, symmetric and without history",
  () => {
    for (const input of JSON.parse(readFileSync(CRASH, "utf8")) as string[]) {
      expect(verify(input, "1").equal).toBe(verify("1", input).equal);
      expect(canonicalForm(input)).toBe(canonicalForm(input));
    }
  },
  30_000,
);

test.each(Object.entries(HOSTILE))("%s: every function returns", (_, input) => {
  for (const call of hostileCalls(input)) expect(call.run, call.name).not.toThrow();
});

test("3,000 mutated inputs: no throw, no asymmetry, no history", () => {
  const report = fuzz({ seed: 7, inputs: 3000, limitMs: Number.POSITIVE_INFINITY, now: () => 0 });
  expect(report.findings).toEqual([]);
}, 60_000);
