/**
 * Graded responses of any model to problems: the raw material of SFT and RL data. Nothing is left out here, so that
 * other rules need no new sampling. One chunk of responses is in memory at a time; a killed stage draws what is missing.
 * Source: recipe B3 (a teacher with the instruction), B5 (8 responses of the model to be trained).
 */
import { type GenerateConfig, generateSchema } from "../../config/stages/generate.ts";
import { distinctSpans, summariseCompliance } from "../../consensus/compliance.ts";
import { writeProblems } from "../../data/problems.ts";
import type { Rollout } from "../../types.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { streamModel } from "./evaluation.ts";
import { isCorrect } from "./grading.ts";
import { readProblemsInput } from "./inputs.ts";
import { openKeptRollouts } from "./kept-rollouts.ts";
import { outputPlace } from "./output-files.ts";

async function run(config: GenerateConfig, context: StageContext): Promise<StageOutput> {
  const problems = await readProblemsInput(context, config.problems, config.limit);
  const kept = openKeptRollouts(context, "rollouts", config.rolloutFormat);
  const spans: number[][] = [];
  const counts = { responses: 0, correct: 0, truncated: 0, graderErrors: 0 };
  const chunks = streamModel({ ...config, context, problems, purpose: "generate", name: "generate" });
  const count = (rollout: Rollout): void => {
    kept.write(rollout);
    counts.responses++;
    if (isCorrect(rollout)) counts.correct++;
    if (rollout.finishReason === "length") counts.truncated++;
    if (rollout.verdict?.correct === null) counts.graderErrors++;
  };
  try {
    for await (const { groups } of chunks)
      for (const group of groups) {
        spans.push(group.map(({ text }) => distinctSpans(text)));
        group.forEach(count);
      }
    kept.close();
  } finally {
    kept.discard();
  }
  const problemsPlace = outputPlace(context, "problems.jsonl");
  writeProblems(problemsPlace.absolute, problems);
  const compliance = summariseCompliance(spans, config.requiredSpans);
  discardChunks(context);
  return {
    rollouts: kept.place.relative,
    problems: problemsPlace.relative,
    numbers: {
      problems: problems.length,
      responses: counts.responses,
      correct_share: counts.correct / counts.responses,
      compliant_share: compliance.compliant.value,
      mean_spans: compliance.meanSpans,
      truncated_share: counts.truncated / counts.responses,
      grader_errors: counts.graderErrors,
    },
  };
}

export const generateStage: StageKind<GenerateConfig> = {
  kind: "generate",
  version: 2,
  schema: generateSchema,
  inputs: (config) => [config.model, config.problems],
  run,
};
