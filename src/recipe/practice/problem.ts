/**
 * The three families of practice problems ("PAIR": the answer is a pair of digits, so a guess is right one time in
 * a hundred). Straight-line arithmetic modulo 10; `steps` is the number of results on the longest route.
 *   chain      each statement uses the previous variable and a constant (70%) or an earlier variable (30%)
 *   two-route  like chain, and from 3 steps on a last statement defines one variable a second time, consistently, so
 *              that its predecessor may be skipped
 *   inverse    70% of the statements are equations to be solved for the new variable
 * They stand in for benchmarks in a demonstration; they are not mathematics benchmarks.
 */
import { createHash } from "node:crypto";
import type { RandomStream } from "../../random.ts";
import type { Problem } from "../../types.ts";
import { DIGITS, LETTERS } from "./alphabet.ts";
import {
  applyOperator,
  formatPrompt,
  invertEquation,
  type Operator,
  type Program,
  programAnswer,
  type Statement,
} from "./program.ts";

export const FAMILIES = ["chain", "two-route", "inverse"] as const;
export type Family = (typeof FAMILIES)[number];

/** Most steps of a problem: one letter is the given value, the other nine are computed. */
export const MAX_STEPS = LETTERS.length - 1;

/** Share of multiplications among forward statements. */
const MULTIPLY_SHARE = 0.15;
/** Share of forward statements whose second operand is an earlier variable. */
const EARLIER_SHARE = 0.3;
/** Share of equations in the inverse family. */
const EQUATION_SHARE = 0.7;

/** Constants are 1..9: a zero would make half of the operations trivial. */
function drawConstant(random: RandomStream): string {
  return DIGITS[1 + random.integer(9)] as string;
}

function drawOperator(random: RandomStream): Operator {
  return random.uniform() < MULTIPLY_SHARE ? "*" : random.pick(["+", "-"] as const);
}

/** `variable = previous op other`, operands in either order. */
function forwardStatement(
  random: RandomStream,
  variable: string,
  previous: string,
  earlier: readonly string[],
): Statement {
  const other =
    earlier.length > 0 && random.uniform() < EARLIER_SHARE ? random.pick(earlier) : drawConstant(random);
  const operator = drawOperator(random);
  const [left, right] = random.uniform() < 0.5 ? [previous, other] : [other, previous];
  return { text: `${variable}=${left}${operator}${right}`, definition: { variable, left, operator, right } };
}

/** An equation between the new variable, the previous one and a constant, to be solved for the new one. */
function equationStatement(random: RandomStream, variable: string, previous: string): Statement {
  const constant = drawConstant(random);
  const [left, operator, right, result] = random.pick([
    [variable, "+", constant, previous],
    [constant, "+", variable, previous],
    [variable, "-", constant, previous],
    [constant, "-", variable, previous],
    [previous, "-", variable, constant],
  ] as const);
  return {
    text: `${left}${operator}${right}=${result}`,
    definition: invertEquation(left, operator, right, result, variable),
  };
}

/** A second definition of a variable of known value from another one: any operation and constant that agree. */
function shortcutStatement(
  random: RandomStream,
  variable: string,
  value: number,
  from: string,
  fromValue: number,
): Statement {
  const candidates: Statement[] = [];
  for (const constant of DIGITS.slice(1))
    for (const [left, operator, right] of [
      [from, "+", constant],
      [constant, "+", from],
      [from, "-", constant],
      [constant, "-", from],
      [from, "*", constant],
    ] as const) {
      const number = (operand: string): number => (operand === from ? fromValue : Number(operand));
      if (applyOperator(number(left), operator, number(right)) !== value) continue;
      candidates.push({
        text: `${variable}=${left}${operator}${right}`,
        definition: { variable, left, operator, right },
      });
    }
  // Never empty: `from * 1` covers equal values, `from + constant` every other difference.
  return random.pick(candidates);
}

/**
 * Draws a program of a family.
 *
 * @param steps results on the longest route, 1..9
 * @throws {RangeError} when steps is out of range
 */
export function drawProgram(random: RandomStream, family: Family, steps: number): Program {
  if (!(Number.isInteger(steps) && steps >= 1 && steps <= MAX_STEPS))
    throw new RangeError(`practice problem: expected 1..${MAX_STEPS} steps, got ${steps}`);
  const letters = random.shuffle([...LETTERS]).slice(0, steps + 1);
  const given = { variable: letters[0] as string, value: 1 + random.integer(9) };
  // Index of the variable with two definitions. Not the last: its predecessor is asked for and cannot be skipped.
  const doubled = family === "two-route" && steps >= 3 ? 2 + random.integer(steps - 2) : -1;
  const values = new Map([[given.variable, given.value]]);
  const digitOf = (operand: string): number => values.get(operand) ?? Number(operand);
  const statements: Statement[] = [];
  for (let index = 1; index <= steps; index++) {
    const variable = letters[index] as string;
    const previous = letters[index - 1] as string;
    // The variable that a shortcut jumps over is used by its successor alone, so that the short route is complete.
    const earlier = letters.slice(0, index - 1).filter((_, i) => doubled < 0 || i !== doubled - 1);
    const statement =
      family === "inverse" && random.uniform() < EQUATION_SHARE
        ? equationStatement(random, variable, previous)
        : forwardStatement(random, variable, previous, earlier);
    const { left, operator, right } = statement.definition;
    const value = applyOperator(digitOf(left), operator, digitOf(right));
    values.set(variable, value);
    statements.push(statement);
  }
  if (doubled > 0) {
    const [from, variable] = [letters[doubled - 2] as string, letters[doubled] as string];
    statements.push(shortcutStatement(random, variable, digitOf(variable), from, digitOf(from)));
  }
  return { given, statements, question: [letters[steps - 1] as string, letters[steps] as string] };
}

/**
 * The prompt with its variables renamed in order of appearance. Two prompts that differ only in letters are the same
 * problem, and count as duplicates.
 */
export function canonicalPrompt(prompt: string): string {
  const names = new Map<string, string>();
  return prompt.replace(/[a-j]/g, (letter) => {
    const name = names.get(letter) ?? (LETTERS[names.size] as string);
    names.set(letter, name);
    return name;
  });
}

/** SHA-256 of the canonical prompt, in hex: the identity of a problem. */
export function promptHash(prompt: string): string {
  return createHash("sha256").update(canonicalPrompt(prompt)).digest("hex");
}

/** The record of a program; `id` holds family, steps and 48 bits of the prompt's hash. */
export function problemOf(program: Program, family: Family, steps: number): Problem {
  const prompt = formatPrompt(program);
  return {
    id: `${family}-${steps}-${promptHash(prompt).slice(0, 12)}`,
    prompt,
    answer: programAnswer(program),
    source: family,
    meta: { family, steps },
  };
}
