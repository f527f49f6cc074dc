/**
 * Problem sets: practice benchmarks, files and earlier stages put together, without repeated questions, without what
 * the grader cannot verify, and without what has become easy. Source: recipe A1.5, A1.6, A2, B5.
 */
import { readFileSync } from "node:fs";
import { type ProblemsConfig, problemsStageSchema } from "../../config/stages/problems.ts";
import { dedupeProblems, uniqueIds, writeProblems } from "../../data/problems.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { gradeResponse } from "../../math/index.ts";
import { randomStream } from "../../random.ts";
import { dropEasy, parseAccuracyLog } from "../../rl/index.ts";
import type { Problem } from "../../types.ts";
import { createBenchmark } from "../practice/benchmarks.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace, resolveOutput } from "./output-files.ts";

async function readSources(config: ProblemsConfig, context: StageContext): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const source of config.sources) {
    if (source.from === "practice") {
      for (const name of source.benchmarks)
        problems.push(
          ...createBenchmark({
            name,
            split: source.split,
            seed: source.seed ?? context.seed,
            count: source.count,
          }),
        );
    } else {
      const read = await readProblemsInput(context, source.problems);
      problems.push(...read.map((problem) => ({ ...problem, source: source.source ?? problem.source })));
    }
  }
  return uniqueIds(dedupeProblems(problems).problems, `stage ${context.id}`);
}

/** True when the grader accepts the problem's own answer, the least a checkable problem must pass. */
export function isVerifiable(problem: Problem): boolean {
  const first = Array.isArray(problem.answer) ? problem.answer[0] : problem.answer;
  return gradeResponse(problem.answer, `\\boxed{${first}}`).correct === true;
}

/** Leaves out what the accuracy log of a stage shows to be easy. */
function withoutEasy(
  problems: readonly Problem[],
  rule: NonNullable<ProblemsConfig["dropEasy"]>,
  context: StageContext,
): Problem[] {
  const path = context.output(rule.stage).files?.["accuracy"];
  if (path === undefined)
    throw new ConfigError(`stage ${context.id}: stage ${rule.stage} keeps no accuracy log`, {
      hint: "drop_easy.stage names an rl stage",
    });
  const log = parseAccuracyLog(readFileSync(resolveOutput(context, path), "utf8"));
  return dropEasy(problems, (problem) => problem.id, log, {
    threshold: rule.threshold,
    estimate: rule.variant,
    minVisits: rule.minVisits,
  }).kept;
}

async function run(config: ProblemsConfig, context: StageContext): Promise<StageOutput> {
  const all = await readSources(config, context);
  const short = all.filter((problem) => problem.prompt.length <= config.maxPromptCharacters);
  const verifiable = config.requireVerifiable ? short.filter(isVerifiable) : short;
  const hard = config.dropEasy === undefined ? verifiable : withoutEasy(verifiable, config.dropEasy, context);
  const ordered = config.shuffle ? randomStream(context.seed, "problems", "shuffle").shuffle(hard) : hard;
  const kept = ordered.slice(0, config.limit);
  if (kept.length === 0)
    throw new DataError(`stage ${context.id}: no problem is left of ${all.length}`, {
      hint: "loosen drop_easy, require_verifiable or max_prompt_characters",
    });
  const place = outputPlace(context, "problems.jsonl");
  writeProblems(place.absolute, kept);
  return {
    problems: place.relative,
    numbers: {
      problems: kept.length,
      too_long: all.length - short.length,
      not_verifiable: short.length - verifiable.length,
      too_easy: verifiable.length - hard.length,
    },
  };
}

export const problemsStage: StageKind<ProblemsConfig> = {
  kind: "problems",
  version: 1,
  schema: problemsStageSchema,
  inputs: (config) => [
    ...config.sources.flatMap((source) => (source.from === "reference" ? [source.problems] : [])),
    ...(config.dropEasy === undefined ? [] : [config.dropEasy.stage]),
  ],
  run,
};
