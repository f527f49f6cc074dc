/**
 * The text a model is given for a problem: question, instruction, chat template of the checkpoint. Rendered once per
 * problem and remembered, because training visits problems many times.
 */
import type { PromptConfig } from "../../config/stages/common.ts";
import { loadChatTemplate, renderChat } from "../../text/chat-template.ts";
import { instructQuestion } from "../../text/prompts.ts";
import type { Problem } from "../../types.ts";

/** Prompts remembered at most; a training set of this size still fits the memory. */
const MAX_REMEMBERED = 200_000;

/**
 * @param folder checkpoint folder whose chat template is used; a folder without one gives the bare message
 * @throws {CheckpointError} when the template is defective
 */
export function createPromptText(folder: string, instruction: PromptConfig): (problem: Problem) => string {
  const template = loadChatTemplate(folder);
  const remembered = new Map<string, string>();
  return (problem) => {
    let text = remembered.get(problem.prompt);
    if (text === undefined) {
      text = renderChat(
        template,
        [{ role: "user", content: instructQuestion(problem.prompt, instruction) }],
        {
          addGenerationPrompt: true,
        },
      );
      if (remembered.size < MAX_REMEMBERED) remembered.set(problem.prompt, text);
    }
    return text;
  };
}
