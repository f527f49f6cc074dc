/**
 * Graded responses for stages that compare them: drawn from a model, left by an earlier stage, or read from a file in
 * any dialect of rollout-columns.ts, from a rollout store or from a folder of rollouts.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { GraderConfig, PromptConfig, SamplingConfig } from "../../config/stages/common.ts";
import { groupAnyRollouts, readAnyRollouts } from "../../data/rollout-dialects.ts";
import { groupByProblem, readRollouts } from "../../data/rollouts.ts";
import { ConfigError } from "../../errors.ts";
import type { Problem, Rollout } from "../../types.ts";
import type { ComparableResponse } from "../comparison/compared-problem.ts";
import type { StageContext } from "../stage.ts";
import { evaluateModel } from "./evaluation.ts";
import { gradeGroups } from "./grading.ts";
import { isFileReference, readProblemsInput, readRolloutsInput } from "./inputs.ts";

export interface ResponsesConfig {
  problems?: string;
  model?: string;
  rollouts?: string;
  samplesPerProblem: number;
  sampling?: SamplingConfig;
  prompt: PromptConfig;
  grader: GraderConfig;
}

export interface GatheredResponses {
  problems: Problem[];
  /** Graded, one per problem, shape [problems][samples]; empty where a problem has no response. */
  groups: ComparableResponse[][];
  /** The same responses as full records; null when they come from another tool, which keeps less. */
  rollouts: Rollout[] | null;
}

function gradeOwn(
  problems: readonly Problem[],
  rollouts: readonly Rollout[],
  grader: GraderConfig,
): GatheredResponses {
  const found = groupByProblem(rollouts);
  const groups = problems.map(({ id }) => found.get(id) ?? []);
  gradeGroups(problems, groups, grader);
  return { problems: [...problems], groups, rollouts: groups.flat() };
}

const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Responses of a file; problems that are not given come from its rows. */
async function readFileResponses(
  path: string,
  problems: readonly Problem[] | undefined,
  grader: GraderConfig,
): Promise<GatheredResponses> {
  const read = await readAnyRollouts(path, problems === undefined ? {} : { problems });
  const own = Object.keys(read.dialects).every((dialect) => dialect === "polaris");
  if (own) return gradeOwn(read.problems, await readRollouts(path), grader);
  const groups: (ComparableResponse & { problem: Problem })[][] = groupAnyRollouts(read);
  gradeGroups(read.problems, groups, grader);
  return { problems: read.problems, groups, rollouts: null };
}

/**
 * Gathers responses as the section says.
 *
 * @param purpose names the random stream and the chunk files of a model's responses
 * @throws {ConfigError} unless there is either a model or rollouts, and problems where they are needed
 * @throws {InterruptedError} when the stage is asked to stop while it samples; what was sampled is kept
 */
export async function gatherResponses(
  config: ResponsesConfig,
  context: StageContext,
  purpose: string,
): Promise<GatheredResponses> {
  const { model, sampling, rollouts, grader } = config;
  if ((model === undefined) === (rollouts === undefined))
    throw new ConfigError(`stage ${context.id}: expected either model or rollouts`);
  const problems =
    config.problems === undefined ? undefined : await readProblemsInput(context, config.problems);
  // A store and a folder of rollouts hold no questions, like the output of a stage.
  const isFolder = rollouts !== undefined && isFileReference(rollouts) && isDirectory(resolve(rollouts));
  if (rollouts !== undefined && isFileReference(rollouts) && !isFolder)
    return readFileResponses(resolve(rollouts), problems, grader);
  if (problems === undefined)
    throw new ConfigError(`stage ${context.id}: expected problems, got none`, {
      hint: "only a file of rollouts can hold its own questions",
    });
  if (rollouts !== undefined) return gradeOwn(problems, await readRolloutsInput(context, rollouts), grader);
  if (model === undefined || sampling === undefined)
    throw new ConfigError(`stage ${context.id}: sampling from model needs the key sampling`);
  const { groups } = await evaluateModel({
    ...config,
    context,
    model,
    sampling,
    problems,
    purpose,
    name: purpose,
  });
  return { problems, groups, rollouts: groups.flat() };
}
