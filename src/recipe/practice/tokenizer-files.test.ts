import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { BOS_ID, BOS_TOKEN, decodePractice, EOS_ID, EOS_TOKEN, encodePractice } from "./alphabet.ts";
import { CLEAN, drawDocument } from "./documents.ts";
import {
  PRACTICE_CHAT_TEMPLATE,
  practiceTokenizerConfigJson,
  practiceTokenizerJson,
} from "./tokenizer-files.ts";

const tokenizer = new Tokenizer(practiceTokenizerJson() as object, practiceTokenizerConfigJson() as object);

describe("practice tokenizer files", () => {
  it("encode and decode as the alphabet does, over drawn documents", () => {
    const random = randomStream(1, "tokenizer-test");
    for (let i = 0; i < 200; i++) {
      const document = drawDocument(random, { ...CLEAN, styles: { full: 1, mid: 1, hasty: 1, direct: 1 } });
      const text = decodePractice(document.promptTokens) + decodePractice(document.responseTokens);
      const ids = tokenizer.encode(text, { add_special_tokens: false }).ids;
      expect(ids).toEqual(encodePractice(text));
      expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe(text);
    }
  });

  it("reads special tokens in a prompt as their ids and leaves them out of decoded text", () => {
    const ids = tokenizer.encode(`${BOS_TOKEN}g=9${EOS_TOKEN}`, { add_special_tokens: false }).ids;
    expect(ids).toEqual([BOS_ID, ...encodePractice("g=9"), EOS_ID]);
    expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe("g=9");
  });

  it("renders the user's message after the begin token", () => {
    const render = (messages: { role: string; content: string }[]): string =>
      new Template(PRACTICE_CHAT_TEMPLATE).render({ messages, bos_token: BOS_TOKEN, eos_token: EOS_TOKEN });
    expect(render([{ role: "user", content: "g=9;a=g+1;ga?:" }])).toBe("<bos>g=9;a=g+1;ga?:");
    expect(
      render([
        { role: "user", content: "g=9;a=g+1;ga?:" },
        { role: "assistant", content: "\\boxed{90}" },
      ]),
    ).toBe("<bos>g=9;a=g+1;ga?:\\boxed{90}<eos>");
  });
});
