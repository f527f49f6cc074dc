import { describe, expect, it } from "vitest";
import { randomStream } from "../../random.ts";
import { BOS_ID, decodePractice, EOS_ID } from "./alphabet.ts";
import { CLEAN, createDocumentBatch, createFactsDocument, FACTS_ONLY, type Mixture } from "./documents.ts";
import { parsePrompt, programAnswer } from "./program.ts";
import { splitOfPrompt } from "./splits.ts";

const batch = (mixture: Mixture, step = 0, documents = 200) =>
  createDocumentBatch({ mixture, seed: 1, phase: "test", step, documents });

describe("pretraining documents", () => {
  it("put the loss of a fact on its result digit alone, and the digit is right", () => {
    const random = randomStream(1, "facts");
    for (let i = 0; i < 50; i++) {
      const { promptTokens, responseTokens, mask } = createFactsDocument(random);
      expect(promptTokens).toEqual([BOS_ID]);
      const text = decodePractice(responseTokens);
      expect([...text].filter((_, position) => mask[position] === 1)).toHaveLength(10);
      for (const [fact, left, operator, right, result] of text.matchAll(/(\d)([-+*])(\d)=(\d)\}/g)) {
        const [a, b] = [Number(left), Number(right)];
        const value = operator === "+" ? a + b : operator === "-" ? a - b : a * b;
        expect(Number(result)).toBe(((value % 10) + 10) % 10);
        expect(fact).toHaveLength(6);
      }
      mask.forEach((weight, position) => {
        if (weight === 1) expect(text[position - 1]).toBe("=");
      });
    }
  });

  it("hold train problems alone, solved, with loss on the whole response", () => {
    for (const { promptTokens, responseTokens, mask } of batch(CLEAN)) {
      const prompt = decodePractice(promptTokens);
      expect(splitOfPrompt(prompt)).toBe("train");
      expect(promptTokens[0]).toBe(BOS_ID);
      expect(responseTokens.at(-1)).toBe(EOS_ID);
      expect(mask.every((weight) => weight === 1)).toBe(true);
      expect(decodePractice(responseTokens)).toContain(`\\boxed{${programAnswer(parsePrompt(prompt))}}`);
    }
  });

  it("keep the shares of a mixture", () => {
    const mixture: Mixture = {
      ...CLEAN,
      factsShare: 0.25,
      styles: { full: 0, mid: 1, hasty: 0, direct: 1 },
      markupShare: 0.5,
      boxedShare: 0.9,
    };
    const texts = batch(mixture, 0, 2000).map(({ responseTokens }) => decodePractice(responseTokens));
    const share = (test: (text: string) => boolean, of = texts) => of.filter(test).length / of.length;
    const solutions = texts.filter((text) => !/^\d[-+*]/.test(text));
    expect(1 - solutions.length / texts.length).toBeCloseTo(0.25, 1);
    expect(share((text) => text.includes("boxed"), solutions)).toBeCloseTo(0.9, 1);
    const stepped = solutions.filter((text) => text.includes("="));
    expect(stepped.length / solutions.length).toBeCloseTo(0.5, 1);
    expect(share((text) => text.includes("underline"), stepped)).toBeCloseTo(0.5, 1);
  });

  it("are a function of seed, phase and step", () => {
    expect(batch(CLEAN, 3, 4)).toEqual(batch(CLEAN, 3, 4));
    expect(batch(CLEAN, 3, 4)).not.toEqual(batch(CLEAN, 4, 4));
    expect(batch(FACTS_ONLY, 0, 4)).not.toEqual(
      createDocumentBatch({ mixture: FACTS_ONLY, seed: 2, phase: "test", step: 0, documents: 4 }),
    );
  });
});
