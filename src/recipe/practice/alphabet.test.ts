import { describe, expect, it } from "vitest";
import { DataError } from "../../errors.ts";
import { BOS_ID, decodePractice, EOS_ID, encodePractice, PAD_ID, PRACTICE_TOKENS } from "./alphabet.ts";

describe("practice alphabet", () => {
  it("has 33 different tokens with the special ones first", () => {
    expect(PRACTICE_TOKENS).toHaveLength(33);
    expect(new Set(PRACTICE_TOKENS).size).toBe(33);
    expect([PAD_ID, BOS_ID, EOS_ID].map((id) => PRACTICE_TOKENS[id])).toEqual(["<pad>", "<bos>", "<eos>"]);
  });

  it("gives the text back, macros as one token each", () => {
    const text = "g=9;j=g+4;ja?:\\underline{j=g+4=9+4=3}\\boxed{30}";
    const ids = encodePractice(text);
    expect(decodePractice(ids)).toBe(text);
    expect(ids).toHaveLength(text.length - "underline{".length - "boxed{".length);
  });

  it("leaves special tokens out of decoded text", () => {
    expect(decodePractice([BOS_ID, ...encodePractice("a=1"), EOS_ID, PAD_ID])).toBe("a=1");
  });

  it.each(["k=1", "a = 1", "\\frac{", "{", "<bos>", "a=１"])("refuses %j and names the place", (text) => {
    expect(() => encodePractice(text)).toThrow(DataError);
    expect(() => encodePractice(text)).toThrow(/character \d/);
  });

  it("refuses an id outside the vocabulary", () => {
    expect(() => decodePractice([33])).toThrow(RangeError);
  });
});
