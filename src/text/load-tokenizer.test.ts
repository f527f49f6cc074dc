import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError, DataError } from "../errors.ts";
import { loadTokenizer, MAX_TEXT_CHARACTERS } from "./load-tokenizer.ts";
import { folderWith, WORD_LEVEL_CONFIG, WORDS, wordLevelTokenizer } from "./testing.ts";

fc.configureGlobal({ seed: 1 });

const files = (changes: Record<string, unknown> = {}, config: unknown = WORD_LEVEL_CONFIG) =>
  folderWith({ "tokenizer.json": wordLevelTokenizer(changes), "tokenizer_config.json": config });

describe("word-level vocabulary", () => {
  test("sizes and special ids, given as text or as an object", () => {
    const tokenizer = loadTokenizer(files());
    expect(tokenizer).toMatchObject({ vocabularySize: 14, padTokenId: 0, bosTokenId: 1, eosTokenId: 2 });
  });

  test("the longest piece wins and special tokens in the text become their id", () => {
    const tokenizer = loadTokenizer(files());
    expect(tokenizer.encode("<bos>a=1;a?\\underline{a=1}\\boxed{1}<eos>")).toEqual([
      1, 5, 7, 4, 9, 5, 10, 12, 5, 7, 4, 11, 13, 4, 11, 2,
    ]);
    expect(tokenizer.encode("")).toEqual([]);
  });

  test("decode concatenates exactly and leaves special tokens out, unknown ids too", () => {
    const tokenizer = loadTokenizer(files());
    expect(tokenizer.decode([1, 5, 7, 4, 0, 9, 2, 99])).toBe("a=1;");
    expect(tokenizer.decode([])).toBe("");
    expect(tokenizer.decode([0, 2])).toBe("");
  });

  test("decode(encode(text)) is the text, whatever ordinary words it is made of", () => {
    const tokenizer = loadTokenizer(files());
    const ids = fc.array(fc.integer({ min: 3, max: WORDS.length - 1 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, (sequence) => {
        const text = sequence.map((id) => WORDS[id]).join("");
        expect(tokenizer.encode(text)).toEqual(sequence);
        expect(tokenizer.decode(sequence)).toBe(text);
      }),
    );
  });

  test("text outside the vocabulary is refused without an unknown token and mapped to it with one", () => {
    expect(() => loadTokenizer(files()).encode("a=é")).toThrow(DataError);
    expect(() => loadTokenizer(files()).encode("a=é")).toThrow('"é" is not in the vocabulary');
    const vocab = Object.fromEntries(WORDS.map((word, id) => [word, id]));
    const model = { type: "WordLevel", vocab, unk_token: "?" };
    expect(loadTokenizer(files({ model })).encode("a=é")).toEqual([5, 7, 10]);
  });

  test("the padding token falls back to the end token; a missing begin token is null", () => {
    const tokenizer = loadTokenizer(files({}, { eos_token: "<eos>", bos_token: null }));
    expect(tokenizer).toMatchObject({ padTokenId: 2, bosTokenId: null, eosTokenId: 2 });
  });

  test("text beyond the cap is refused", () => {
    expect(() => loadTokenizer(files()).encode("a".repeat(MAX_TEXT_CHARACTERS + 1))).toThrow(DataError);
  });
});

describe("byte-level BPE, the kind Qwen3 has", () => {
  /** Five merges over the bytes of "low lower é", with a template that adds a begin token when asked. */
  const bpe = () => {
    const bytes = ["l", "o", "w", "e", "r", "Ġ", "Ã", "©"];
    const merged = ["lo", "low", "er", "Ġlow", "Ã©"];
    const vocab = Object.fromEntries([...bytes, ...merged].map((word, id) => [word, id]));
    const added = [
      { id: 13, content: "<|im_end|>", special: true },
      { id: 14, content: "<think>", special: false },
    ];
    const merges = ["l o", "lo w", "e r", "Ġ low", "Ã ©"];
    return folderWith({
      "tokenizer.json": {
        added_tokens: added,
        normalizer: { type: "NFC" },
        pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: true },
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<|im_end|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
          pair: [],
          special_tokens: {},
        },
        decoder: { type: "ByteLevel" },
        model: { type: "BPE", vocab, merges },
      },
      "tokenizer_config.json": { eos_token: "<|im_end|>", clean_up_tokenization_spaces: false },
    });
  };

  test("merges apply, no special token is added, bytes become text again", () => {
    const tokenizer = loadTokenizer(bpe());
    expect(tokenizer.encode("low lower é<|im_end|>")).toEqual([9, 11, 10, 5, 12, 13]);
    expect(tokenizer.decode([9, 11, 10, 5, 12, 13])).toBe("low lower é");
    expect(tokenizer.vocabularySize).toBe(15);
  });

  test("added tokens that are not special stay in the text: think tags matter to the grader", () => {
    const tokenizer = loadTokenizer(bpe());
    expect(tokenizer.encode("<think>low")).toEqual([14, 9]);
    expect(tokenizer.decode([14, 9, 13])).toBe("<think>low");
  });
});

describe("defective folders are one CheckpointError naming the file", () => {
  test.each<[string, () => string, string]>([
    ["no tokenizer.json", () => folderWith({}), "tokenizer.json: no such file"],
    ["not JSON", () => folderWith({ "tokenizer.json": "{" }), "tokenizer.json: not JSON"],
    ["not an object", () => folderWith({ "tokenizer.json": "[]" }), "no usable tokenizer"],
    ["no model", () => files({ model: undefined }), "no usable tokenizer"],
    ["unknown model", () => files({ model: { type: "Magic" } }), "no usable tokenizer"],
    ["unknown pre-tokenizer", () => files({ pre_tokenizer: { type: "Magic" } }), "no usable tokenizer"],
    [
      "a split the library does differently",
      () =>
        files({
          pre_tokenizer: {
            type: "Sequence",
            pretokenizers: [{ type: "Split", pattern: { String: "a" }, behavior: "MergedWithNext" }],
          },
        }),
      'Split behavior "MergedWithNext" is not supported',
    ],
    ["malformed added token", () => files({ added_tokens: [{ id: -1, content: "x" }] }), "added_tokens[0]"],
    [
      "huge id",
      () => files({ model: { type: "WordLevel", vocab: { a: 1e9 } } }),
      '"a": expected an id of 0..4194304',
    ],
    ["id as text", () => files({ model: { type: "WordLevel", vocab: { a: "1" } } }), "expected an id"],
    [
      "added token with a huge id",
      () => files({ added_tokens: [{ id: 1e9, content: "x" }] }),
      "added_tokens[0]",
    ],
    ["added tokens no list", () => files({ added_tokens: 3 }), "added_tokens: expected a list"],
    ["no end token", () => files({}, {}), "eos_token: expected a token, got nothing"],
    ["end token unknown", () => files({}, { eos_token: "<nope>" }), '"<nope>" is not in the vocabulary'],
  ])("%s", (_, make, message) => {
    const folder = make();
    expect(() => loadTokenizer(folder)).toThrow(CheckpointError);
    expect(() => loadTokenizer(folder)).toThrow(message);
    expect(() => loadTokenizer(folder)).toThrow(folder);
  });
});
