/**
 * Evaluation of several models on the same problems with the same seeds: avg@k, pass@k and maj@k with intervals clustered
 * by problem, accuracy by length and under shorter limits, every arm against a reference, and the hardest problems with
 * fresh samples. One result file holds all of it with everything that shaped the draws. Source: recipe A9, A10, B12.
 */
import { join } from "node:path";
import { type EvaluateConfig, evaluateSchema } from "../../config/stages/evaluate.ts";
import { writeFileAtomic } from "../../data/atomic.ts";
import { GRADER_VERSION } from "../../math/index.ts";
import type { Json, Problem } from "../../types.ts";
import { compareWithReference } from "../evaluation/comparison.ts";
import type { EvaluationArm, EvaluationFile, HardestStudy } from "../evaluation/evaluation-file.ts";
import { formatEvaluation } from "../evaluation/format-evaluation.ts";
import { chooseHardest, summariseHardest } from "../evaluation/hardest.ts";
import { evaluationMarkdown } from "../evaluation/markdown.ts";
import { responseRows } from "../evaluation/metrics.ts";
import type { SamplesFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { benchmarkRows, meanAccuracy, meanOfArm } from "./benchmark-scores.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { drawArm, withLengths } from "./evaluate/arm.ts";
import { hardestArms, hashModel, hashProblems, nameArms } from "./evaluate/arms.ts";
import { type Draw, planDraws } from "./evaluate/draws.ts";
import { readAskedProblems, referencesOf } from "./evaluate/problems.ts";
import { chooseShown, createSampleCollector } from "./evaluate/samples.ts";
import { type KeptRollouts, openKeptRollouts } from "./kept-rollouts.ts";
import { type OutputPlace, outputPlace, writeJsonOutput } from "./output-files.ts";
import { promptVariant } from "./prompt-text.ts";
import { openScaledModel } from "./scaled-model.ts";

/** What an arm is drawn with: its own weights, or a scaled copy of them. */
async function withModel<Result>(
  context: StageContext,
  arm: EvaluateConfig["arms"][number],
  name: string,
  use: (model: string, applied: EvaluationArm["ropeScaling"]) => Promise<Result>,
): Promise<Result> {
  if (arm.ropeScaling === undefined) return use(arm.model, null);
  const scaled = await openScaledModel({ context, model: arm.model, config: arm.ropeScaling, name });
  const result = await use(scaled.folder, scaled.applied);
  scaled.discard();
  return result;
}

/** Problems and chunks of the whole stage, for the progress display. */
interface Work {
  problems: readonly Problem[];
  draws: readonly Draw[];
  names: readonly string[];
  /** Arms of the study of hardest problems, the reference first; empty without one. */
  hardest: readonly number[];
  total: number;
}

async function evaluateArms(
  config: EvaluateConfig,
  context: StageContext,
  work: Work,
): Promise<{ arms: EvaluationArm[]; samples: SamplesFile["samples"]; rollouts: OutputPlace[] }> {
  const { problems, draws, names, total } = work;
  const arms: EvaluationArm[] = [];
  const samples: SamplesFile["samples"] = [];
  const rollouts: OutputPlace[] = [];
  const shown = chooseShown(problems, config.showSamples, context.seed);
  for (const [i, configured] of config.arms.entries()) {
    const arm = names[i] as string;
    const collector = createSampleCollector(arm, shown);
    const kept: KeptRollouts | null =
      config.keepRollouts === "all" ? openKeptRollouts(context, `rollouts-${i}`, config.rolloutFormat) : null;
    try {
      const { benchmarks, applied } = await withModel(
        context,
        configured,
        `arm-${i}`,
        async (model, scaling) => ({
          applied: scaling,
          benchmarks: await drawArm({
            context,
            config,
            model,
            draws,
            purpose: "evaluate",
            name: `arm-${i}`,
            progress: { before: i * problems.length, total },
            onGroup: (problem, group) => {
              collector.add(problem, group);
              for (const rollout of group) kept?.write(rollout);
            },
          }),
        }),
      );
      kept?.close();
      if (kept !== null) rollouts.push(kept.place);
      // Benchmarks that are drawn apart come last from the engine; tables keep the order of the problems.
      const order = [...new Set(problems.map(({ source }) => source))];
      benchmarks.sort((a, b) => order.indexOf(a.benchmark) - order.indexOf(b.benchmark));
      arms.push({
        arm,
        model: configured.model,
        modelSha256: await hashModel(context, configured.model),
        ropeScaling: applied,
        ...meanOfArm(benchmarks),
        ...withLengths(benchmarks, config),
      });
      samples.push(...collector.samples());
      context.progress.note(`${arm}: ${(100 * meanAccuracy(benchmarks)).toFixed(1)}% of responses correct`);
    } catch (error) {
      kept?.discard();
      throw error;
    }
  }
  return { arms, samples, rollouts };
}

/** Draws every arm again on the problems the reference did worst on. */
async function studyHardest(
  config: EvaluateConfig & { hardest: NonNullable<EvaluateConfig["hardest"]> },
  context: StageContext,
  arms: readonly EvaluationArm[],
  work: Work,
): Promise<HardestStudy> {
  const { hardest } = config;
  const base = arms[work.hardest[0] as number] as EvaluationArm;
  const chosen = chooseHardest(base, { ...hardest, seed: context.seed });
  const wanted = new Set(chosen.map(({ benchmark, id }) => `${benchmark}\n${id}`));
  const draws = work.draws
    .map((draw) => ({
      ...draw,
      samplesPerProblem: hardest.samplesPerProblem ?? draw.samplesPerProblem,
      problems: draw.problems.filter(({ source, id }) => wanted.has(`${source}\n${id}`)),
    }))
    .filter(({ problems }) => problems.length > 0);
  const fresh: Pick<EvaluationArm, "arm" | "benchmarks">[] = [];
  const first = work.problems.length * arms.length;
  for (const [j, i] of work.hardest.entries())
    fresh.push({
      arm: work.names[i] as string,
      benchmarks: await withModel(
        context,
        config.arms[i] as EvaluateConfig["arms"][number],
        `hardest-${i}`,
        (model) =>
          drawArm({
            context,
            config,
            model,
            draws,
            purpose: "hardest",
            name: `hardest-${i}`,
            progress: { before: first + j * chosen.length, total: work.total },
          }),
      ),
    });
  return summariseHardest({
    reference: base.arm,
    scope: hardest.scope,
    samplesPerProblem: Math.min(...draws.map(({ samplesPerProblem }) => samplesPerProblem)),
    problems: chosen,
    fresh,
    seed: context.seed,
  });
}

/** Problems the hardest study draws again for each arm; known before anything is drawn. */
function hardestCount(config: EvaluateConfig, problems: readonly Problem[]): number {
  if (config.hardest === undefined) return 0;
  const { count, scope } = config.hardest;
  if (scope === "pooled") return Math.min(count, problems.length);
  const sizes = new Map<string, number>();
  for (const { source } of problems) sizes.set(source, (sizes.get(source) ?? 0) + 1);
  return [...sizes.values()].reduce((sum, size) => sum + Math.min(count, size), 0);
}

async function run(config: EvaluateConfig, context: StageContext): Promise<StageOutput> {
  const { names, reference } = nameArms(config, context);
  const asked = await readAskedProblems(context, config);
  const { problems } = asked;
  const draws = planDraws(config, problems, context.id);
  const again = hardestArms(config, context.id);
  const total = config.arms.length * problems.length + again.length * hardestCount(config, problems);
  const work: Work = { problems, draws, names, hardest: again, total };
  const { arms, samples, rollouts } = await evaluateArms(config, context, work);
  const { hardest } = config;
  const { seed } = context;
  const file: EvaluationFile = {
    layout: 2,
    stage: context.id,
    seed,
    sampling: config.sampling,
    graderVersion: GRADER_VERSION,
    grader: config.grader,
    prompt: promptVariant(config.prompt),
    problems: {
      reference: asked.reference,
      sha256: hashProblems(problems),
      count: problems.length,
      ...(asked.limit === undefined ? {} : { limit: asked.limit }),
    },
    arms,
    reference: arms.length > 1 ? reference : null,
    comparisons: arms.length > 1 ? compareWithReference(arms, reference, { seed }) : [],
    hardest: hardest === undefined ? null : await studyHardest({ ...config, hardest }, context, arms, work),
    rows: arms.flatMap(({ arm, benchmarks }) =>
      benchmarks.flatMap((benchmark) => [
        ...benchmarkRows(benchmark, arm, seed),
        ...responseRows(benchmark, { arm, seed, passAt: config.passAt, majorityAt: config.majorityAt }),
      ]),
    ),
  };
  const relative = `evaluations/${context.id}.json`;
  writeFileAtomic(join(context.runFolder, relative), formatEvaluation(file));
  const table = outputPlace(context, "evaluation.md");
  writeFileAtomic(table.absolute, evaluationMarkdown(file));
  discardChunks(context);
  return {
    evaluation: relative,
    ...(rollouts.length === 1 ? { rollouts: (rollouts[0] as OutputPlace).relative } : {}),
    files: {
      samples: writeJsonOutput(outputPlace(context, "samples.json"), { samples }),
      table: table.relative,
      ...Object.fromEntries(rollouts.map((place, i) => [`rollouts_${i}`, place.relative])),
    },
    numbers: headlineNumbers(file),
  };
}

/** Mean accuracy of every arm, for the terminal and the ledger. */
function headlineNumbers(file: EvaluationFile): Record<string, Json> {
  const numbers: Record<string, Json> = {};
  for (const { arm, benchmarks } of file.arms) numbers[arm] = meanAccuracy(benchmarks);
  // Two arms are one question: its answer stands beside the scores.
  const answer = file.comparisons?.at(-1);
  if (file.arms.length === 2 && answer !== undefined) numbers["difference"] = answer.value;
  return numbers;
}

export const evaluateStage: StageKind<EvaluateConfig> = {
  kind: "evaluate",
  version: 3,
  schema: evaluateSchema,
  inputs: (config) => [...config.arms.map(({ model }) => model), ...referencesOf(config.problems)],
  run,
};
