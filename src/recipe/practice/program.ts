/**
 * Straight-line programs over the integers modulo 10: what a practice prompt says, and its exact solution.
 * `g=9;j=g+4;a-3=j;ja?:` gives g, defines j forward and a by an equation, and asks for the values of j and a.
 * Reads prompts back too, so that a problem record is all a teacher needs.
 */
import { DataError } from "../../errors.ts";

export type Operator = "+" | "-" | "*";

/** How one variable is computed: `variable = left operator right`; an operand is a digit or a variable. */
export interface Definition {
  variable: string;
  left: string;
  operator: Operator;
  right: string;
}

/** One statement of a prompt, as written, and what it defines. */
export interface Statement {
  text: string;
  definition: Definition;
}

/** A whole problem: one given value, statements in an order in which they can be computed, two variables asked. */
export interface Program {
  given: { variable: string; value: number };
  statements: Statement[];
  question: [string, string];
}

/** Longest prompt read: nine steps, a second definition and the question need 70 characters. */
const MAX_PROMPT_LENGTH = 128;

const GIVEN = /^([a-j])=([0-9])$/;
const FORWARD = /^([a-j])=([a-j0-9])([-+*])([a-j0-9])$/;
const EQUATION = /^([a-j0-9])([-+])([a-j0-9])=([a-j0-9])$/;
const QUESTION = /^([a-j])([a-j])\?:$/;

/** `left operator right` modulo 10, in 0..9. */
export function applyOperator(left: number, operator: Operator, right: number): number {
  const value = operator === "+" ? left + right : operator === "-" ? left - right : left * right;
  return ((value % 10) + 10) % 10;
}

/** Value of an operand. @throws {RangeError} when a variable has no value yet */
export function operandValue(operand: string, values: ReadonlyMap<string, number>): number {
  if (operand >= "0" && operand <= "9") return Number(operand);
  const value = values.get(operand);
  if (value === undefined) throw new RangeError(`operand ${operand} is used before it is computed`);
  return value;
}

/** Value of a definition. @throws {RangeError} when an operand has no value yet */
export function definitionValue(definition: Definition, values: ReadonlyMap<string, number>): number {
  return applyOperator(
    operandValue(definition.left, values),
    definition.operator,
    operandValue(definition.right, values),
  );
}

/**
 * Solves `left operator right = result` for the one operand that is `unknown`.
 * @throws {RangeError} when the unknown is not on the left-hand side exactly once
 */
export function invertEquation(
  left: string,
  operator: "+" | "-",
  right: string,
  result: string,
  unknown: string,
): Definition {
  if ((left === unknown) === (right === unknown) || result === unknown)
    throw new RangeError(`cannot solve ${left}${operator}${right}=${result} for ${unknown}`);
  if (left === unknown)
    return { variable: unknown, left: result, operator: operator === "+" ? "-" : "+", right };
  if (operator === "+") return { variable: unknown, left: result, operator: "-", right: left };
  return { variable: unknown, left, operator: "-", right: result };
}

/** The prompt of a program. */
export function formatPrompt(program: Program): string {
  const { given, statements, question } = program;
  const lines = [`${given.variable}=${given.value}`, ...statements.map((statement) => statement.text)];
  return `${lines.join(";")};${question.join("")}?:`;
}

/** Reads one statement; `known` holds the variables defined before it. Null when it is not a statement. */
function parseStatement(text: string, known: ReadonlySet<string>): Statement | null {
  const isKnown = (operand: string): boolean => known.has(operand) || (operand >= "0" && operand <= "9");
  const forward = FORWARD.exec(text);
  if (forward !== null) {
    const [, variable, left, operator, right] = forward as unknown as [
      string,
      string,
      string,
      Operator,
      string,
    ];
    return isKnown(left) && isKnown(right) ? { text, definition: { variable, left, operator, right } } : null;
  }
  const equation = EQUATION.exec(text);
  if (equation === null) return null;
  const [, left, operator, right, result] = equation as unknown as [
    string,
    string,
    "+" | "-",
    string,
    string,
  ];
  const unknown = [left, right, result].filter((operand) => !isKnown(operand));
  if (unknown.length !== 1 || unknown[0] === result) return null;
  return { text, definition: invertEquation(left, operator, right, result, unknown[0] as string) };
}

/**
 * Reads a prompt back into its program.
 * @throws {DataError} when the text is not a practice prompt; names the statement
 */
export function parsePrompt(prompt: string): Program {
  const refuse = (what: string): DataError =>
    new DataError(`practice prompt: ${what} (${JSON.stringify(prompt.slice(0, MAX_PROMPT_LENGTH))})`);
  if (prompt.length > MAX_PROMPT_LENGTH)
    throw refuse(`expected at most ${MAX_PROMPT_LENGTH} characters, got ${prompt.length}`);
  const lines = prompt.split(";");
  const given = GIVEN.exec(lines[0] as string);
  if (given === null) throw refuse(`expected a given value such as g=9, got ${JSON.stringify(lines[0])}`);
  const known = new Set([given[1] as string]);
  const statements: Statement[] = [];
  for (const line of lines.slice(1, -1)) {
    const statement = parseStatement(line, known);
    if (statement === null) throw refuse(`cannot read statement ${JSON.stringify(line)}`);
    known.add(statement.definition.variable);
    statements.push(statement);
  }
  const question = QUESTION.exec(lines.at(-1) as string);
  if (question === null || !known.has(question[1] as string) || !known.has(question[2] as string))
    throw refuse(`expected a question about two defined variables, got ${JSON.stringify(lines.at(-1))}`);
  return {
    given: { variable: given[1] as string, value: Number(given[2]) },
    statements,
    question: [question[1] as string, question[2] as string],
  };
}

/** Exact value of every variable, 0..9. @throws {DataError} when two definitions of a variable disagree */
export function solveProgram(program: Program): Map<string, number> {
  const values = new Map([[program.given.variable, program.given.value]]);
  for (const { text, definition } of program.statements) {
    const value = definitionValue(definition, values);
    const earlier = values.get(definition.variable);
    if (earlier !== undefined && earlier !== value)
      throw new DataError(`practice prompt: statement ${text} contradicts an earlier one`);
    values.set(definition.variable, value);
  }
  return values;
}

/** The two digits that answer a program. */
export function programAnswer(program: Program): string {
  const values = solveProgram(program);
  return program.question.map((variable) => values.get(variable)).join("");
}

/**
 * The ways to compute what is asked, each a list of definitions in order: the first uses every variable's first
 * definition, the others a second definition, and each leaves out what its answer does not need.
 */
export function programRoutes(program: Program): Definition[][] {
  const byVariable = new Map<string, Definition[]>();
  for (const { definition } of program.statements)
    byVariable.set(definition.variable, [...(byVariable.get(definition.variable) ?? []), definition]);
  const order = [...byVariable.keys()];
  const routeWith = (chosen: ReadonlyMap<string, Definition>): Definition[] => {
    const needed = new Set<string>(program.question);
    for (const variable of [...order].reverse()) {
      const definition = chosen.get(variable);
      if (!needed.has(variable) || definition === undefined) continue;
      needed.add(definition.left);
      needed.add(definition.right);
    }
    return order
      .filter((variable) => needed.has(variable))
      .map((variable) => chosen.get(variable) as Definition);
  };
  const first = new Map(order.map((variable) => [variable, byVariable.get(variable)?.[0] as Definition]));
  const routes = [routeWith(first)];
  for (const [variable, definitions] of byVariable)
    for (const definition of definitions.slice(1))
      routes.push(routeWith(new Map(first).set(variable, definition)));
  return routes;
}
