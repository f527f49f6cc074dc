import { describe, expect, it } from "vitest";
import { CURRICULA, phaseLearningRate } from "./curriculum.ts";
import { createDocumentBatch } from "./documents.ts";
import { PRACTICE_CONFIGS, PRACTICE_MODELS } from "./models.ts";
import { curriculumSteps, trainingSequences } from "./pretrain.ts";

describe("pretraining curricula", () => {
  it.each(PRACTICE_MODELS)("%s: phases are named once and their documents fit the model", (model) => {
    const { phases, seed } = CURRICULA[model];
    expect(new Set(phases.map(({ name }) => name)).size).toBe(phases.length);
    for (const { mixture, name, documentsPerStep } of phases)
      for (const document of createDocumentBatch({
        mixture,
        seed,
        phase: name,
        step: 0,
        documents: documentsPerStep,
      }))
        expect(document.promptTokens.length + document.responseTokens.length).toBeLessThanOrEqual(
          PRACTICE_CONFIGS[model].maxPositionEmbeddings,
        );
    expect(curriculumSteps(CURRICULA[model])).toBe(phases.reduce((sum, { steps }) => sum + steps, 0));
  });

  it("warm up, peak and come down to the final share", () => {
    for (const phase of CURRICULA["practice-small"].phases) {
      const rates = Array.from({ length: phase.steps }, (_, step) => phaseLearningRate(phase, step));
      expect(rates[0]).toBeCloseTo(phase.learningRate / phase.warmupSteps, 6);
      expect(Math.max(...rates)).toBeGreaterThan(0.85 * phase.learningRate);
      expect(Math.max(...rates)).toBeLessThanOrEqual(phase.learningRate);
      expect(rates.at(-1)).toBeLessThan(1.05 * phase.finalShare * phase.learningRate);
    }
  });

  it("make the loss a mean over the tokens that count", () => {
    const [facts] = CURRICULA["practice-small"].phases;
    if (facts === undefined) throw new Error("no phase");
    const documents = createDocumentBatch({
      mixture: facts.mixture,
      seed: 1,
      phase: "x",
      step: 0,
      documents: 5,
    });
    const sequences = trainingSequences(documents);
    const sum = sequences.reduce((total, { weights }) => total + weights.reduce((a, b) => a + b, 0), 0);
    expect(sum).toBeCloseTo(1, 5);
    sequences.forEach(({ weights }, i) => {
      expect([...weights].map((weight) => weight > 0)).toEqual(
        [...(documents[i]?.mask ?? [])].map((m) => m === 1),
      );
    });
  });
});
