/**
 * Written solutions of practice problems in four styles, with or without mistakes: what the generator can teach.
 *   full   \underline{j=g+4=9+4=3}     mid  \underline{j=9+4=3}     hasty  \underline{j=3}     direct  \boxed{..} alone
 * A wrong step writes a wrong digit, and every later step computes with it, as a person would. The intermediate
 * result is the first and last member of a chain (`j=3`), so the styles of one solution compare equal.
 */
import type { RandomStream } from "../../random.ts";
import { BOXED_OPEN, UNDERLINE_OPEN } from "./alphabet.ts";
import {
  type Definition,
  definitionValue,
  operandValue,
  type Program,
  programAnswer,
  programRoutes,
} from "./program.ts";

export const STYLES = ["full", "mid", "hasty", "direct"] as const;
export type Style = (typeof STYLES)[number];

export interface SolutionOptions {
  style: Style;
  /** Probability that a step's digit is wrong, 0..1. */
  errorRate: number;
  /** Steps inside `\underline{}`; otherwise bare, ended by a semicolon. */
  markup: boolean;
  /** The answer inside `\boxed{}`; otherwise bare. */
  boxed: boolean;
  /** Probability of taking a route other than the first where there is one, 0..1. */
  shortcutShare: number;
}

export interface Solution {
  text: string;
  /** The two digits written as the answer. */
  answer: string;
  correct: boolean;
  /** Steps written, whose digit is wrong by itself (not through an earlier mistake). */
  mistakes: number;
}

/** The steps of one style: the chain of equalities of one definition with these operand values. */
function writeStep(
  definition: Definition,
  values: ReadonlyMap<string, number>,
  result: number,
  style: Style,
): string {
  const { variable, left, operator, right } = definition;
  const substituted = `${operandValue(left, values)}${operator}${operandValue(right, values)}`;
  if (style === "full") return `${variable}=${left}${operator}${right}=${substituted}=${result}`;
  if (style === "mid") return `${variable}=${substituted}=${result}`;
  return `${variable}=${result}`;
}

/** Writes one solution; equal draws give equal texts. The text holds no special token. */
export function writeSolution(program: Program, options: SolutionOptions, random: RandomStream): Solution {
  const routes = programRoutes(program);
  const detour = routes.length > 1 && random.uniform() < options.shortcutShare;
  const route = (detour ? random.pick(routes.slice(1)) : routes[0]) as Definition[];
  const values = new Map([[program.given.variable, program.given.value]]);
  let text = "";
  let mistakes = 0;
  for (const definition of route) {
    let result = definitionValue(definition, values);
    if (random.uniform() < options.errorRate) {
      result = (result + 1 + random.integer(9)) % 10;
      mistakes++;
    }
    if (options.style !== "direct") {
      const step = writeStep(definition, values, result, options.style);
      text += options.markup ? `${UNDERLINE_OPEN}${step}}` : `${step};`;
    }
    values.set(definition.variable, result);
  }
  const answer = program.question.map((variable) => values.get(variable)).join("");
  text += options.boxed ? `${BOXED_OPEN}${answer}}` : answer;
  return { text, answer, correct: answer === programAnswer(program), mistakes };
}
