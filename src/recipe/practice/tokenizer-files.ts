/**
 * The practice tokenizer as Hugging Face files, loadable by `transformers` (PreTrainedTokenizerFast) and by
 * `@huggingface/tokenizers`. A word-level model over pieces that a regular expression isolates, and a decoder that
 * puts them back without a space. The alphabet has no unknown token: the model names one that is not in it, so that
 * loaders refuse other text instead of reading it as something else.
 */
import type { Json } from "../../types.ts";
import { BOS_ID, BOS_TOKEN, EOS_ID, EOS_TOKEN, PAD_ID, PAD_TOKEN, PRACTICE_TOKENS } from "./alphabet.ts";

/** Prompt = begin token and the user's message; a finished assistant turn ends with the end token. */
export const PRACTICE_CHAT_TEMPLATE =
  "{% for message in messages %}" +
  "{% if message['role'] == 'user' %}{{ bos_token + message['content'] }}" +
  "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}" +
  "{% endif %}{% endfor %}";

/** One entry of `added_tokens`. */
function specialToken(content: string, id?: number): { [key: string]: Json } {
  const flags = {
    content,
    lstrip: false,
    normalized: false,
    rstrip: false,
    single_word: false,
    special: true,
  };
  return id === undefined ? flags : { id, ...flags };
}

/** Content of `tokenizer.json`. */
export function practiceTokenizerJson(): Json {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [
      specialToken(PAD_TOKEN, PAD_ID),
      specialToken(BOS_TOKEN, BOS_ID),
      specialToken(EOS_TOKEN, EOS_ID),
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "Split",
      pattern: { Regex: "\\\\underline\\{|\\\\boxed\\{|[\\s\\S]" },
      behavior: "Isolated",
      invert: false,
    },
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(PRACTICE_TOKENS.map((token, id) => [token, id])),
      unk_token: "<unk>",
    },
  };
}

/** Content of `tokenizer_config.json`. */
export function practiceTokenizerConfigJson(): Json {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    added_tokens_decoder: {
      [PAD_ID]: specialToken(PAD_TOKEN),
      [BOS_ID]: specialToken(BOS_TOKEN),
      [EOS_ID]: specialToken(EOS_TOKEN),
    },
    pad_token: PAD_TOKEN,
    bos_token: BOS_TOKEN,
    eos_token: EOS_TOKEN,
    clean_up_tokenization_spaces: false,
    model_max_length: 256,
    chat_template: PRACTICE_CHAT_TEMPLATE,
  };
}

/** The files of the practice tokenizer by name, as they are written beside a checkpoint. */
export function practiceTokenizerFiles(): Record<string, string> {
  return {
    "tokenizer.json": `${JSON.stringify(practiceTokenizerJson(), null, 2)}\n`,
    "tokenizer_config.json": `${JSON.stringify(practiceTokenizerConfigJson(), null, 2)}\n`,
  };
}
