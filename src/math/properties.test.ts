import { expect, test } from "vitest";
import { randomStream } from "../random.ts";
import { canonicalForm } from "./key.ts";
import { disturb, evaluateTerm, latexOf, randomTerm, rewrite, type Term } from "./testing/generate.ts";
import { verify } from "./verify.ts";

const PAIRS = 10_000;

/** Values at two points, or null when plain doubles say nothing. */
function values(term: Term): number[] | null {
  const found = [0, 1].map((point) =>
    evaluateTerm(term, (name) => randomStream(point, name).uniform() * 0.8 + 1.1),
  );
  return found.every((value) => Number.isFinite(value) && Math.abs(value) < 1e12 && Math.abs(value) > 1e-9)
    ? found
    : null;
}

test("at least 99.9% of 10,000 pairs of algebraically equal expressions share a key", () => {
  const stream = randomStream(20261122, "math", "equal-pairs");
  const missed: string[] = [];
  let pairs = 0;
  while (pairs < PAIRS) {
    const term = randomTerm(stream, 3);
    if (values(term) === null) continue;
    pairs++;
    const [a, b] = [latexOf(stream, term), latexOf(stream, rewrite(stream, term))];
    if (canonicalForm(a) !== canonicalForm(b)) missed.push(`${a}   |   ${b}`);
  }
  expect(missed.length, missed.slice(0, 5).join("\n")).toBeLessThanOrEqual(PAIRS / 1000);
}, 60_000);

test("no pair of 10,000 unequal expressions shares a key or a verdict", () => {
  const stream = randomStream(20261122, "math", "unequal-pairs");
  const wrong: string[] = [];
  let pairs = 0;
  while (pairs < PAIRS) {
    const term = randomTerm(stream, 3);
    const other = rewrite(stream, disturb(stream, term));
    const [x, y] = [values(term), values(other)];
    // Unequal beyond doubt: plain doubles differ far more than their rounding.
    if (
      x === null ||
      y === null ||
      !x.some((value, i) => Math.abs(value - (y[i] as number)) > 1e-6 * Math.abs(value))
    )
      continue;
    pairs++;
    const [a, b] = [latexOf(stream, term), latexOf(stream, other)];
    if (canonicalForm(a) === canonicalForm(b)) wrong.push(`${a}   |   ${b}`);
    else if (pairs % 10 === 0 && verify(a, b).equal) wrong.push(`verify: ${a}   |   ${b}`);
  }
  expect(wrong).toEqual([]);
}, 60_000);

test("renaming a symbol changes the key", () => {
  const stream = randomStream(1, "math", "rename");
  for (let i = 0; i < 300; i++) {
    const term: Term = { kind: "sum", terms: [randomTerm(stream, 2), { kind: "symbol", name: "q" }] };
    const text = latexOf(stream, term);
    expect(canonicalForm(text.replaceAll("q", "w"))).not.toBe(canonicalForm(text));
  }
});
