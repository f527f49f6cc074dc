/** Shared by the tests of this folder: a small word-level tokenizer like the practice one. Not part of the package. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder with these files, removed when the test ends. Objects are written as JSON. */
export function folderWith(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), "polaris-text-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  return folder;
}

export const WORDS = [
  "<pad>",
  "<bos>",
  "<eos>",
  "0",
  "1",
  "a",
  "b",
  "=",
  "+",
  ";",
  "?",
  "}",
  "\\underline{",
  "\\boxed{",
];

/** tokenizer.json: word-level, pieces isolated by a regular expression, decoded by concatenation. */
export function wordLevelTokenizer(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const special = (content: string, id: number) => ({
    id,
    content,
    lstrip: false,
    normalized: false,
    rstrip: false,
    single_word: false,
    special: true,
  });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special("<pad>", 0), special("<bos>", 1), special("<eos>", 2)],
    normalizer: null,
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: "\\\\underline\\{|\\\\boxed\\{|[\\s\\S]" },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: { type: "WordLevel", vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])) },
    ...changes,
  };
}

export const WORD_LEVEL_CONFIG = {
  tokenizer_class: "PreTrainedTokenizerFast",
  pad_token: "<pad>",
  bos_token: "<bos>",
  eos_token: { content: "<eos>", special: true },
  clean_up_tokenization_spaces: false,
};
