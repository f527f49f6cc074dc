/**
 * The text a model is given for a problem: question, instruction, chat template of the checkpoint. Rendered once per
 * problem and remembered, because training visits problems many times.
 */
import type { PromptConfig } from "../../config/stages/common.ts";
import { type ChatMessage, loadChatTemplate, renderChat } from "../../text/chat-template.ts";
import { type PromptVariant, promptMessages } from "../../text/prompts.ts";
import type { Json, Problem } from "../../types.ts";
import type { TemplateSource } from "../stage.ts";

/** Prompts remembered at most; a training set of this size still fits the memory. */
const MAX_REMEMBERED = 200_000;

/** The variant a recipe asks for; a bare word is the instruction at its usual place. */
export function promptVariant(prompt: PromptConfig): PromptVariant {
  return typeof prompt === "string" ? { instruction: prompt, position: "after_suffix" } : prompt;
}

/**
 * @param variables of the template, under its own names
 * @param folder checkpoint folder whose chat template is used; null, or a folder without one, gives the bare message
 * @throws {CheckpointError} when the template is defective
 * @throws {ConfigError} on use, when a system message is asked for and there is no template
 */
export function createPromptText(
  folder: string | null,
  prompt: PromptConfig,
  variables: Readonly<Record<string, Json>> = {},
): (problem: Problem) => string {
  const template = folder === null ? null : loadChatTemplate(folder);
  const variant = promptVariant(prompt);
  const remembered = new Map<string, string>();
  return (problem) => {
    let text = remembered.get(problem.prompt);
    if (text === undefined) {
      const messages = promptMessages(problem.prompt, variant);
      text = renderChat(template, messages, { addGenerationPrompt: true, variables });
      if (remembered.size < MAX_REMEMBERED) remembered.set(problem.prompt, text);
    }
    return text;
  };
}

/** What a request carries for a problem: the complete text, and the conversation where the server renders it. */
export interface PromptSource {
  promptOf: (problem: Problem) => string;
  messagesOf?: (problem: Problem) => ChatMessage[];
}

/**
 * How problems are put to a model. Where the server applies the chat template, the text is only a record of what was
 * asked: the messages one after another.
 * @throws {CheckpointError} when the template is defective
 */
export function createPrompts(template: TemplateSource, prompt: PromptConfig): PromptSource {
  if (template.by === "folder")
    return { promptOf: createPromptText(template.folder, prompt, template.variables) };
  const variant = promptVariant(prompt);
  const messagesOf = (problem: Problem): ChatMessage[] => promptMessages(problem.prompt, variant);
  return {
    messagesOf,
    promptOf: (problem) =>
      messagesOf(problem)
        .map(({ content }) => content)
        .join("\n\n"),
  };
}
