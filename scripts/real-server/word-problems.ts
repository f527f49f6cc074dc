/**
 * Grade-school word problems with whole answers, put to a base model the classic way: five solved examples, then the
 * question. A small model answers such a prompt in one line, and right often enough for accuracy to have a curve.
 */
import { randomStream } from "../../src/random.ts";

/** A response ends with its line. */
export const STOP = ["\n"];

const EXAMPLES: readonly [question: string, answer: string][] = [
  ["Tom has 8 apples and buys 5 more. How many apples does Tom have now?", "8 + 5 = 13"],
  ["Amy has 19 coins and gives away 7. How many coins are left?", "19 - 7 = 12"],
  ["Leo fills 4 boxes with 6 pens each. How many pens are that?", "4 * 6 = 24"],
  ["Mia shares 28 nuts equally among 4 friends. How many nuts does each get?", "28 / 4 = 7"],
  ["Sam has 15 books, buys 6 more and loses 2. How many books are left?", "15 + 6 - 2 = 19"],
];

const SHOTS = EXAMPLES.map(
  ([question, steps]) =>
    `Question: ${question}\nAnswer: ${steps}, so the answer is \\boxed{${steps.split(" = ")[1]}}.\n\n`,
).join("");

export interface WordProblem {
  id: string;
  /** The whole text the model goes on from. */
  prompt: string;
  answer: string;
}

/** @returns `count` problems, the same for the same count */
export function wordProblems(count: number): WordProblem[] {
  const stream = randomStream(7, "grade-school");
  const number = (low: number, high: number): number => low + stream.integer(high - low + 1);
  const names = ["Ann", "Ben", "Carla", "Dan", "Eva", "Finn"];
  const things = ["apples", "marbles", "stickers", "books", "coins", "pencils"];
  return Array.from({ length: count }, (_, i) => {
    const [name, thing] = [stream.pick(names), stream.pick(things)];
    const [a, b, c] = [number(5, 40), number(2, 20), number(2, 5)];
    const kinds: [string, number][] = [
      [`${name} has ${a} ${thing} and buys ${b} more. How many ${thing} does ${name} have now?`, a + b],
      [`${name} has ${a + b} ${thing} and gives away ${b}. How many ${thing} are left?`, a],
      [`${name} fills ${c} boxes with ${b} ${thing} each. How many ${thing} are that?`, b * c],
      [`${name} shares ${b * c} ${thing} equally among ${c} friends. How many ${thing} does each get?`, b],
      [`${name} has ${a} ${thing}, buys ${b} more and loses ${c}. How many ${thing} are left?`, a + b - c],
    ];
    const [question, answer] = kinds[i % kinds.length] as [string, number];
    return {
      id: `grade-school-${i}`,
      prompt: `${SHOTS}Question: ${question}\nAnswer:`,
      answer: String(answer),
    };
  });
}
