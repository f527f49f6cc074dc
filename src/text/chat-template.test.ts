import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, DataError } from "../errors.ts";
import { type ChatMessage, loadChatTemplate, parseChatTemplate, renderChat } from "./chat-template.ts";
import { folderWith, WORD_LEVEL_CONFIG } from "./testing.ts";

const user: ChatMessage = { role: "user", content: "1+1?" };

/** The turns of a ChatML model, as Qwen3 opens and closes them. */
const CHATML = `{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
`;

const render = (source: string, messages = [user], options = {}) =>
  renderChat(parseChatTemplate(source, "t"), messages, options);

describe("renderChat", () => {
  test("a ChatML template, as the recipe's example string", () => {
    expect(render(CHATML)).toBe("<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n");
    const answer: ChatMessage = { role: "assistant", content: "2" };
    expect(render(CHATML, [user, answer], { addGenerationPrompt: false })).toBe(
      "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n",
    );
    expect(render(CHATML, [user], { variables: { enable_thinking: false } })).toContain("</think>");
  });

  test("without a template the user's message is the prompt", () => {
    expect(renderChat(null, [user])).toBe("1+1?");
    expect(() => renderChat(null, [{ role: "system", content: "s" }, user])).toThrow(ConfigError);
    expect(() => renderChat(null, [])).toThrow(ConfigError);
  });

  test("content is inserted, never run as a template", () => {
    const hostile: ChatMessage = { role: "user", content: "{{ 1 + 1 }}{% for i in range(9) %}x{% endfor %}" };
    expect(render("{{ messages[0].content }}", [hostile])).toBe(hostile.content);
  });

  test("variables cannot replace the messages", () => {
    const options = { variables: { messages: [], add_generation_prompt: false } };
    expect(render(CHATML, [user], options)).toBe(render(CHATML));
  });

  test("a template cannot read the clock", () => {
    const dated = "{% if strftime_now is defined %}{{ strftime_now('%Y') }}{% else %}26 Jul 2024{% endif %}";
    expect(render(dated)).toBe("26 Jul 2024");
  });

  test("refusals of the template, loops without end and defects are one DataError", () => {
    const refused = "{{ raise_exception('roles must alternate') }}";
    expect(() => render(refused)).toThrow(DataError);
    expect(() => render(refused)).toThrow("t: chat template: roles must alternate");
    expect(() => render("{% for i in range(1000000000) %}x{% endfor %}")).toThrow("range of more than 10000");
    expect(() => render("{% for i in range(0, 9, 0) %}x{% endfor %}")).toThrow("range of more than 10000");
    expect(() => render("{{ messages | nonsense }}")).toThrow(DataError);
    expect(render("{% for i in range(1, 6, 2) %}{{ i }}{% endfor %}")).toBe("135");
  });

  test("a text that is no template is a CheckpointError", () => {
    expect(() => parseChatTemplate("{% for %}", "t")).toThrow(CheckpointError);
    expect(() => parseChatTemplate("x".repeat(2 ** 21), "t")).toThrow("expected at most");
  });
});

describe("loadChatTemplate", () => {
  const config = (chat_template: unknown) => ({
    "tokenizer_config.json": { ...WORD_LEVEL_CONFIG, chat_template },
  });
  const loaded = (files: Record<string, unknown>) => {
    const template = loadChatTemplate(folderWith(files));
    return template === null ? null : renderChat(template, [user]);
  };

  test("from tokenizer_config.json, with the special tokens as text", () => {
    expect(loaded(config("{{ bos_token + messages[0].content + eos_token }}"))).toBe("<bos>1+1?<eos>");
  });

  test("a list of named templates gives the default one", () => {
    const list = [
      { name: "tool_use", template: "T" },
      { name: "default", template: "D" },
    ];
    expect(loaded(config(list))).toBe("D");
  });

  test("chat_template.jinja comes first", () => {
    expect(loaded({ ...config("old"), "chat_template.jinja": "new" })).toBe("new");
  });

  test("none, and a broken file", () => {
    expect(loaded(config(undefined))).toBeNull();
    expect(loaded({})).toBeNull();
    expect(() => loaded({ "tokenizer_config.json": "{" })).toThrow("not JSON");
    expect(() => loaded(config("{% endfor %}"))).toThrow(CheckpointError);
  });
});
