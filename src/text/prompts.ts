/**
 * The instructions POLARIS adds to a question, and their removal. The strings are functional: models and published
 * scores depend on every character, so they are not translated, trimmed or corrected.
 * Source: recipe A10 (boxed suffix), B3 (underline instruction).
 */

/** Appended to the question in evaluation; begins with a space. Training prompts carry no suffix. */
export const BOXED_SUFFIX = " Let's think step by step and output the final answer within \\boxed{}.";

/** Asks for intermediate results that can be compared; follows the boxed suffix after a space. */
export const UNDERLINE_INSTRUCTION =
  "Since your reasoning process will be evaluated step-by-step via intermediate results, you must enclose " +
  "important intermediate results leading to the final answer within \\underline{}.";

/** What follows the question: nothing, the boxed suffix, or that and the underline instruction. */
export type PromptInstruction = "plain" | "boxed" | "boxed_and_underline";

const INSTRUCTIONS: Record<PromptInstruction, string> = {
  plain: "",
  boxed: BOXED_SUFFIX,
  boxed_and_underline: `${BOXED_SUFFIX} ${UNDERLINE_INSTRUCTION}`,
};

/** The user message for a question. */
export function instructQuestion(question: string, instruction: PromptInstruction): string {
  return question + INSTRUCTIONS[instruction];
}

/** The question of a user message that may end with these instructions; published benchmarks carry the suffix. */
export function stripInstructions(message: string): string {
  let question = message.trimEnd();
  for (const ending of [UNDERLINE_INSTRUCTION, BOXED_SUFFIX.trimStart()])
    if (question.endsWith(ending)) question = question.slice(0, -ending.length).trimEnd();
  return question;
}
