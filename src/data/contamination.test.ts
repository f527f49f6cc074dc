import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomStream } from "../random.ts";
import type { Problem } from "../types.ts";
import { createContaminationIndex } from "./contamination.ts";
import { readProblems } from "./problems.ts";
import { scanWords, wordsText } from "./word-scan.ts";

fc.configureGlobal({ seed: 1 });

const make = (prompt: string, id = prompt.slice(0, 10)): Problem => ({
  id,
  prompt,
  answer: "1",
  source: "bench",
  meta: {},
});

const words = (text: string) => {
  const scan = scanWords(text);
  return wordsText(scan, 0, scan.count);
};

test("words: case, punctuation, LaTeX braces and compatibility characters do not count", () => {
  expect(words("Let $\\frac{A}{2}$ be 3.5, é!")).toBe("let frac a 2 be 3 5 é");
  expect(words("ﬁnd 𝑥² Σ")).toBe("find x2 σ");
  expect(words("  ...  ")).toBe("");
});

/** Longest run of equal words of two texts, by trying all. */
function longestShared(a: string[], b: string[]): number {
  let best = 0;
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < b.length; j++) {
      let k = 0;
      while (i + k < a.length && j + k < b.length && a[i + k] === b[j + k]) k++;
      best = Math.max(best, k);
    }
  return best;
}

test("a problem is found exactly when it shares a run that long, and the longest is told", () => {
  const word = fc.constantFrom("a", "b");
  const text = fc.array(word, { minLength: 6, maxLength: 30 });
  let found = 0;
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (benchmarks, prompt) => {
      const index = createContaminationIndex(
        benchmarks.map((list, i) => make(list.join(" "), `${i}`)),
        { words: 8, phraseQuestions: 0, nearShare: 0 },
      );
      const hit = index.find(`${prompt.join(" , ").toUpperCase()}?`);
      const lengths = benchmarks
        .map((list) => ({ shared: longestShared(list, prompt), least: Math.min(8, list.length) }))
        .filter(({ shared, least }) => shared >= least);
      const longest = Math.max(0, ...lengths.map(({ shared }) => shared));
      expect(hit?.words ?? 0).toBe(longest);
      if (hit !== null) {
        found++;
        expect(prompt.join(" ")).toContain(hit.shared);
        expect(words(hit.benchmark.prompt)).toContain(hit.shared);
      }
    }),
    { numRuns: 300 },
  );
  expect(found).toBeGreaterThan(20);
});

test("short questions count as a whole, very short ones only when the other is exactly that", () => {
  const index = createContaminationIndex([
    make("Find all primes below one hundred that end in 7."),
    make("What is 2+3?"),
  ]);
  const long = "In class we had to find all primes below one hundred that end in 7, and to add them";
  expect(index.find(long)?.words).toBe(10);
  expect(index.find("Find all primes below one hundred that end in 9")).toBeNull();
  expect(index.find("what is $2 + 3$")?.words).toBe(4);
  expect(index.find("What is 2+3 times the number of all the sides of a square?")).toBeNull();
});

test("a text of one repeated word ends", () => {
  const index = createContaminationIndex([make("same ".repeat(20_000))], { phraseQuestions: 0 });
  expect(index.find("same ".repeat(20_000))?.words).toBe(20_000);
});

test("phrases of several questions do not count, unless a question has nothing else", () => {
  const phrase =
    "can be written as m over n where m and n are relatively prime positive integers find m plus n";
  const questions = [
    "The area of the red triangle",
    "The length of the longest side",
    "The volume of the cone",
  ];
  const prompt = `The chance that two dice agree ${phrase}`;
  const index = createContaminationIndex(questions.map((start) => make(`${start} ${phrase}`)));
  expect(index.phrases).toBeGreaterThan(0);
  expect(index.find(prompt)).toBeNull();
  expect(index.find(`Red! The area of the red triangle ${phrase}`)?.benchmark.prompt).toContain(
    "red triangle",
  );
  const literal = createContaminationIndex(
    questions.map((start) => make(`${start} ${phrase}`)),
    { phraseQuestions: 0 },
  );
  expect(literal.find(prompt)?.shared).toBe(phrase);
  // The same question in three files is one question, not a phrase.
  const copies = createContaminationIndex(
    [1, 2, 3].map((i) => make(`${questions[0]} ${phrase}${"!".repeat(i)}`)),
  );
  expect(copies.questions).toBe(1);
  expect(copies.find(`The area of the red triangle ${phrase}`)).not.toBeNull();
});

test("a question with words changed is found by its short runs, and says which they are", () => {
  const question =
    "A bag holds four red marbles and seven blue marbles; Anna draws three of them without looking, one after another. How probable is it that she holds more blue ones than red ones?";
  const index = createContaminationIndex([make(question, "marbles"), make("Find the sum of 7 and 8", "sum")]);
  const changed = question
    .replace("Anna", "Berta")
    .replace("marbles; ", "balls. ")
    .replace("How probable is it", "What is the chance")
    .replace("A bag", "An urn");
  expect(changed.split(" ")).toHaveLength(question.split(" ").length);
  const literal = createContaminationIndex([make(question, "marbles")], { words: 13, nearShare: 0 });
  expect(literal.find(changed)).toBeNull();
  const hit = index.find(`Solve this. ${changed}`);
  expect(hit?.benchmark.id).toBe("marbles");
  expect(hit?.nearShare).toBeGreaterThan(0.6);
  expect(hit?.shared).toContain(" … ");
  for (const run of hit!.shared.split(" … ")) expect(words(changed)).toContain(run);
  expect(
    index.find("A bag holds four red marbles. How many marbles has Anna without the blue ones?"),
  ).toBeNull();
  expect(() => createContaminationIndex([], { nearShare: 2 })).toThrow("nearShare");
});

const benchmarks = join(import.meta.dirname, "../../../shared/data");
describe.skipIf(!existsSync(benchmarks))("the five published benchmarks", () => {
  test("copies with other spacing, case and surroundings are found; shuffled words are not", async () => {
    const names = ["aime24", "aime25", "amc23", "minerva", "olympiad"];
    const sets = await Promise.all(names.map((name) => readProblems(join(benchmarks, `${name}.parquet`))));
    const problems = sets.flat();
    const index = createContaminationIndex(problems);
    expect(index.questions).toBeGreaterThan(1000);
    const random = randomStream(1, "contamination");
    for (const { prompt } of problems) {
      const copy = `Solve. ${prompt.toUpperCase().replace(/ /g, "\n ")} Explain!`;
      expect(index.find(copy), prompt).not.toBeNull();
      const list = words(prompt).split(" ");
      if (list.length >= 13) expect(index.find(random.shuffle(list).join(" ")), prompt).toBeNull();
    }
  });

  /** Words replaced at random, at this rate. */
  const edit = (prompt: string, rate: number, random = randomStream(2, prompt)) =>
    prompt
      .split(" ")
      .map((word) => (random.integer(1000) < 1000 * rate ? `other${random.integer(1000)}` : word))
      .join(" ");

  test("one word in ten changed: nearly all are found; no question of another set is taken for one", async () => {
    const names = ["aime24", "aime25", "amc23", "minerva", "olympiad"];
    const sets = await Promise.all(names.map((name) => readProblems(join(benchmarks, `${name}.parquet`))));
    const problems = sets.flat();
    const index = createContaminationIndex(problems);
    const literal = createContaminationIndex(problems, { nearShare: 0 });
    const changed = problems.map(({ prompt }) => edit(prompt, 0.1));
    const share = (found: { find(prompt: string): unknown }) =>
      changed.filter((prompt) => found.find(prompt) !== null).length / changed.length;
    expect(share(literal)).toBeLessThan(0.9);
    expect(share(index)).toBeGreaterThan(0.95);
    for (const [i, set] of sets.entries()) {
      const others = createContaminationIndex(sets.flatMap((other, j) => (j === i ? [] : other)));
      for (const { prompt } of set) expect(others.find(prompt)?.nearShare ?? null, prompt).toBeNull();
    }
  });
});
