import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openaiEngineSchema } from "../../config/engine.ts";
import { promptSchema } from "../../config/stages/common.ts";
import { servedTemplate } from "../open-policy.ts";
import { createPrompts, createPromptText } from "./prompt-text.ts";
import { toyProblems } from "./testing/toy-task.ts";

const folder = mkdtempSync(join(tmpdir(), "polaris-prompt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** The part of Qwen3's template that single questions reach. */
writeFileSync(
  join(folder, "chat_template.jinja"),
  "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>' + '\n' }}{%- endfor %}" +
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}",
);

const [problem] = toyProblems();
const UNDERLINE =
  "Since your reasoning process will be evaluated step-by-step via intermediate results, you must enclose important intermediate results leading to the final answer within \\underline{}.";
const BOXED = "Let's think step by step and output the final answer within \\boxed{}.";

describe("prompt text", () => {
  test("a word and a section of the recipe give the model's exact text", () => {
    const text = (value: unknown) => createPromptText(folder, promptSchema.parse(value))(problem!);
    expect(text(undefined)).toBe("<|im_start|>user\na:<|im_end|>\n<|im_start|>assistant\n");
    expect(text("boxed_and_underline")).toBe(
      `<|im_start|>user\na: ${BOXED} ${UNDERLINE}<|im_end|>\n<|im_start|>assistant\n`,
    );
    expect(text({ instruction: "boxed_and_underline" })).toBe(text("boxed_and_underline"));
    expect(text({ instruction: "boxed_and_underline", position: "system", system: "Be brief." })).toBe(
      `<|im_start|>system\nBe brief.\n\n${UNDERLINE}<|im_end|>\n<|im_start|>user\na: ${BOXED}<|im_end|>\n<|im_start|>assistant\n`,
    );
    expect(text({ instruction: "boxed_and_underline", position: "before_question" })).toBe(
      `<|im_start|>user\n${UNDERLINE}\n\na: ${BOXED}<|im_end|>\n<|im_start|>assistant\n`,
    );
  });

  test("variables reach the template under its own names", () => {
    const own = mkdtempSync(join(folder, "thinking-"));
    // The end of Qwen3's template.
    writeFileSync(
      join(own, "chat_template.jinja"),
      "{{ messages[0].content }}{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{%- endif %}",
    );
    const text = (chatTemplateKwargs?: Record<string, boolean>) => {
      const engine = { kind: "openai", baseUrl: "http://h", endpoint: "completions", tokenizer: own };
      const parsed = openaiEngineSchema.parse({ ...engine, chatTemplateKwargs });
      return createPrompts(servedTemplate(parsed), "plain").promptOf(problem!);
    };
    expect(text()).toBe("a:");
    expect(text({ enableThinking: true })).toBe("a:");
    expect(text({ enableThinking: false })).toBe("a:<think>\n\n</think>\n\n");
  });

  test("a model without a template takes no system message", () => {
    const bare = mkdtempSync(join(folder, "bare-"));
    expect(createPromptText(bare, "boxed")(problem!)).toBe(`a: ${BOXED}`);
    const prompt = promptSchema.parse({ instruction: "boxed_and_underline", position: "system" });
    expect(() => createPromptText(bare, prompt)(problem!)).toThrow(/no chat template: .* got system, user/);
  });

  test("unknown positions are refused", () => {
    expect(promptSchema.safeParse({ instruction: "boxed", position: "end" }).success).toBe(false);
    expect(promptSchema.safeParse({ position: "system" }).success).toBe(false);
  });
});
