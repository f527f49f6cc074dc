/**
 * Samples and grades a model on benchmark problems. The seeds depend on the problem alone, so that arms are compared
 * on the same draws.
 */
import type { GraderConfig, PromptConfig, SamplingConfig } from "../../config/stages/common.ts";
import type { Sampler } from "../../engine/seams.ts";
import type { Problem, Rollout } from "../../types.ts";
import type { EvaluationBenchmark } from "../result-files.ts";
import type { StageContext } from "../stage.ts";
import { countBenchmarks } from "./benchmark-scores.ts";
import { requireCapabilities } from "./capabilities.ts";
import { openOnce, type SampledChunk, streamChunks } from "./chunked-sampling.ts";
import { gradeGroups } from "./grading.ts";
import { modelVersion } from "./model-version.ts";
import { createPrompts } from "./prompt-text.ts";

export interface EvaluateModelOptions {
  context: StageContext;
  /** A model reference the stage declared, or a folder of its own. */
  model: string;
  problems: readonly Problem[];
  sampling: SamplingConfig;
  samplesPerProblem: number;
  prompt: PromptConfig;
  grader: GraderConfig;
  /** Names the random stream: models sampled under one purpose draw alike. */
  purpose: string;
  /** Names the chunk files within the stage. */
  name: string;
  progress?: { before: number; total: number };
  /** Responses a server may leave out; a problem then has fewer than `samplesPerProblem`. Default: 0. */
  allowFailed?: number;
}

export interface EvaluatedModel {
  benchmarks: EvaluationBenchmark[];
  /** Graded rollouts, shape [problems][samples]. */
  groups: Rollout[][];
}

/** Samplers whose missing seeds were told: once per run is enough. */
const noted = new WeakSet<Sampler>();

/**
 * Samples and grades a model, a chunk of problems at a time: for stages that keep no more than a chunk in memory.
 * @throws {InterruptedError} when the stage is asked to stop; what was sampled is kept
 */
export function streamModel(options: EvaluateModelOptions): AsyncGenerator<SampledChunk> {
  const {
    context,
    model,
    problems,
    sampling,
    samplesPerProblem,
    prompt,
    grader,
    purpose,
    name,
    progress,
    allowFailed,
  } = options;
  return streamChunks({
    context,
    policy: openOnce(async () => {
      const sampler = await context.sampler(model);
      const drawnOnce = sampler.remote === true;
      requireCapabilities(sampler, { stage: context.id, sampling, drawnOnce });
      if (!sampler.capabilities.seeded && !noted.has(sampler)) {
        noted.add(sampler);
        context.progress.note(
          "this server cannot draw the same responses again from the seed; each is kept as it comes",
        );
      }
      return sampler;
    }),
    problems,
    ...createPrompts(context.template(model), prompt),
    sampling,
    samplesPerProblem,
    seed: context.seed,
    stream: [purpose],
    step: 0,
    policyVersion: modelVersion(context, model),
    name,
    grade: (part, drawn) => gradeGroups(part, drawn, grader),
    progress,
    allowFailed,
  });
}

/** @throws {InterruptedError} when the stage is asked to stop; what was sampled is kept */
export async function evaluateModel(options: EvaluateModelOptions): Promise<EvaluatedModel> {
  const groups: Rollout[][] = [];
  for await (const chunk of streamModel(options)) groups.push(...chunk.groups);
  return { benchmarks: countBenchmarks(options.problems, groups, options.samplesPerProblem), groups };
}
