/**
 * Chat templates: messages to the text a model was trained to continue. Templates are Jinja programs from strangers;
 * they run in an interpreter without files or network, with a bounded `range` and a bounded output. Time is not bounded:
 * loops nested several deep can be slow, so a template deserves the trust given to the weights beside it.
 * Two prompts must be equal whenever their messages are, so templates cannot ask for today's date: `strftime_now` is
 * undefined here, and templates that test for it fall back to their fixed date.
 * Source: transformers `apply_chat_template` (variables and precedence of the files).
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { readJsonFile } from "../data/json-file.ts";
import { CheckpointError, ConfigError, DataError } from "../errors.ts";

/** 1 MiB; the longest published templates have about 20 kB. */
const MAX_TEMPLATE_BYTES = 2 ** 20;
/** Templates loop over messages, parts and tools; a longer loop is a trap. */
const MAX_RANGE = 10_000;
/** 4 MiB of text is more than any context window. */
const MAX_RENDERED_CHARACTERS = 2 ** 22;

/** One turn of a conversation. */
export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  content: string;
}

/** A parsed template and the special tokens it may name. */
export interface ChatTemplate {
  /** File it comes from, for errors. */
  where: string;
  program: ReturnType<typeof parse>;
  /** `bos_token`, `eos_token` and so on, as text. */
  specialTokens: Record<string, string>;
}

export interface RenderChatOptions {
  /** End with the opening of an assistant turn. Default true. */
  addGenerationPrompt?: boolean;
  /** More template variables, for example `{enable_thinking: false}`. */
  variables?: Record<string, unknown>;
}

/** Parses a template. @throws {CheckpointError} when it is too long or no Jinja */
export function parseChatTemplate(
  source: string,
  where: string,
  specialTokens: Record<string, string> = {},
): ChatTemplate {
  if (source.length > MAX_TEMPLATE_BYTES)
    throw new CheckpointError(`${where}: chat template: expected at most ${MAX_TEMPLATE_BYTES} characters`);
  try {
    // Block trimming as transformers configures Jinja.
    const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    return { where, program, specialTokens };
  } catch (cause) {
    const reason = String((cause as Error).message).slice(0, 160);
    throw new CheckpointError(`${where}: chat template: ${reason}`, { cause });
  }
}

/** The default template of a `chat_template` value: a string, or a list of named ones. */
function defaultTemplate(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return null;
  const named = value as { name?: unknown; template?: unknown }[];
  const chosen = named.find((entry) => entry?.name === "default") ?? named[0];
  return typeof chosen?.template === "string" ? chosen.template : null;
}

/**
 * The chat template of a checkpoint folder, `chat_template.jinja` before tokenizer_config.json; null when it has none.
 * @throws {CheckpointError} when a file is defective
 */
export function loadChatTemplate(folder: string): ChatTemplate | null {
  const configPath = join(folder, "tokenizer_config.json");
  const config = (existsSync(configPath) ? readJsonFile(configPath, { kind: "checkpoint" }) : {}) as Record<
    string,
    unknown
  >;
  const specialTokens: Record<string, string> = {};
  for (const key of ["bos_token", "eos_token", "pad_token", "unk_token"]) {
    const value = config[key];
    const content = typeof value === "object" ? (value as { content?: unknown } | null)?.content : value;
    if (typeof content === "string") specialTokens[key] = content;
  }
  const filePath = join(folder, "chat_template.jinja");
  if (existsSync(filePath)) {
    if (statSync(filePath).size > MAX_TEMPLATE_BYTES)
      throw new CheckpointError(`${filePath}: expected at most ${MAX_TEMPLATE_BYTES} bytes`);
    return parseChatTemplate(readFileSync(filePath, "utf8"), filePath, specialTokens);
  }
  const source = defaultTemplate(config["chat_template"]);
  return source === null ? null : parseChatTemplate(source, configPath, specialTokens);
}

/** `range(stop)`, `range(start, stop)`, `range(start, stop, step)`, bounded. */
function boundedRange(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = step === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.ceil((to - from) / step));
  if (!(count <= MAX_RANGE)) throw new Error(`range of more than ${MAX_RANGE} values`);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

function raiseException(message: unknown): never {
  throw new Error(String(message));
}

/**
 * Renders messages into the prompt of a model.
 *
 * @param template null for a model without one: then the single user message is the prompt, as it is
 * @throws {ConfigError} when there is no template and the conversation is more than one user message
 * @throws {DataError} when the template refuses the messages or does not end within its bounds
 */
export function renderChat(
  template: ChatTemplate | null,
  messages: readonly ChatMessage[],
  options: RenderChatOptions = {},
): string {
  if (template === null) {
    if (messages.length !== 1 || messages[0]?.role !== "user")
      throw new ConfigError(
        `this model has no chat template: expected a single user message, got ${messages.map((m) => m.role).join(", ") || "none"}`,
      );
    return messages[0].content;
  }
  const environment = new Environment();
  const variables: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range: boundedRange,
    raise_exception: raiseException,
    ...template.specialTokens,
    ...options.variables,
    messages: messages.map((message) => ({ ...message })),
    add_generation_prompt: options.addGenerationPrompt ?? true,
  };
  let text: unknown;
  try {
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    text = new Interpreter(environment).run(template.program).value;
  } catch (cause) {
    throw new DataError(
      `${template.where}: chat template: ${String((cause as Error).message).slice(0, 200)}`,
      {
        cause,
      },
    );
  }
  if (typeof text !== "string" || text.length > MAX_RENDERED_CHARACTERS)
    throw new DataError(
      `${template.where}: chat template: expected at most ${MAX_RENDERED_CHARACTERS} characters`,
    );
  return text;
}
