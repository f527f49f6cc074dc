/**
 * The practice generator as a teacher: solutions in the wanted styles and with the wanted mistakes, graded by the
 * same grader as every other response. They teach the format (sft) or, verified, seed consensus sets (rl).
 */
import { type TeacherConfig, teacherSchema } from "../../config/stages/teacher.ts";
import { writeProblems } from "../../data/problems.ts";
import { writeRollouts } from "../../data/rollouts.ts";
import { randomStream } from "../../random.ts";
import type { Problem, Rollout } from "../../types.ts";
import { EOS_ID, encodePractice } from "../practice/alphabet.ts";
import { promptTokensOf } from "../practice/documents.ts";
import { createTeacherSolutions } from "../practice/teacher.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { gradeGroups, isCorrect } from "./grading.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace } from "./output-files.ts";

/** Solutions as records; shape [problems][solutionsPerProblem]. They carry no log-probabilities: nobody sampled them. */
function writtenRollouts(
  problems: readonly Problem[],
  config: TeacherConfig,
  context: StageContext,
): Rollout[][] {
  const groups: Rollout[][] = problems.map(() => []);
  for (let sample = 0; sample < config.solutionsPerProblem; sample++) {
    const seed = randomStream(context.seed, "teacher", sample).uint32();
    const solutions = createTeacherSolutions(problems, {
      seed,
      errorRate: config.errorRate,
      styles: config.styles,
      shortcutShare: config.shortcutShare,
    });
    for (const [i, { prompt, problemId, response }] of solutions.entries()) {
      const tokens = [...encodePractice(response), EOS_ID];
      (groups[i] as Rollout[]).push({
        problemId,
        stage: context.id,
        step: 0,
        sample,
        policyVersion: "generator",
        sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, maxNewTokens: tokens.length },
        seed,
        text: response,
        promptTokens: promptTokensOf(prompt),
        tokens,
        logprobs: [],
        finishReason: "stop",
      });
    }
  }
  return groups;
}

async function run(config: TeacherConfig, context: StageContext): Promise<StageOutput> {
  const problems = await readProblemsInput(context, config.problems, config.limit);
  const groups = writtenRollouts(problems, config, context);
  gradeGroups(problems, groups, config.grader);
  const all = groups.flat();
  const kept = config.keep === "correct" ? all.filter(isCorrect) : all;
  const rollouts = outputPlace(context, "rollouts.jsonl.gz");
  writeRollouts(rollouts.absolute, kept);
  const places = outputPlace(context, "problems.jsonl");
  writeProblems(places.absolute, problems);
  const correct = all.filter(isCorrect).length;
  context.progress.update(problems.length, problems.length, { correct: correct / all.length });
  return {
    rollouts: rollouts.relative,
    problems: places.relative,
    numbers: { solutions: kept.length, correct_share: correct / all.length },
  };
}

export const teacherStage: StageKind<TeacherConfig> = {
  kind: "teacher",
  version: 1,
  schema: teacherSchema,
  inputs: (config) => [config.problems],
  run,
};
