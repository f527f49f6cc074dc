/**
 * Weight merge: theta = alpha * base + (1 - alpha) * other. With a sweep every alpha is evaluated on validation
 * problems first; alpha 1 is the base, alpha 0 the other model. Source: recipe B13.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type MergeConfig, mergeSchema } from "../../config/stages/merge.ts";
import { ConfigError } from "../../errors.ts";
import { mergeCheckpoints } from "../../tensors/merge.ts";
import type { AlphaFile } from "../result-files.ts";
import type { StageContext, StageKind, StageOutput } from "../stage.ts";
import { benchmarkRows, meanAccuracy } from "./benchmark-scores.ts";
import { discardChunks } from "./chunked-sampling.ts";
import { evaluateModel } from "./evaluation.ts";
import { readProblemsInput } from "./inputs.ts";
import { outputPlace, writeJsonOutput } from "./output-files.ts";

/** One evaluated weight of the base. */
interface SweepPoint {
  alpha: number;
  accuracy: number;
  rows: AlphaFile["points"][number]["rows"];
}

/** The most accurate point; of equal ones the nearest to an even mixture. @throws {RangeError} for no point */
export function bestPoint<Point extends { alpha: number; accuracy: number }>(
  points: readonly Point[],
): Point {
  const [first, ...others] = points;
  if (first === undefined) throw new RangeError("sweep: expected a point, got none");
  return others.reduce((best, point) => {
    if (point.accuracy !== best.accuracy) return point.accuracy > best.accuracy ? point : best;
    return Math.abs(point.alpha - 0.5) < Math.abs(best.alpha - 0.5) ? point : best;
  }, first);
}

async function sweepAlphas(
  config: MergeConfig,
  sweep: NonNullable<MergeConfig["sweep"]>,
  context: StageContext,
): Promise<SweepPoint[]> {
  const problems = await readProblemsInput(context, sweep.problems);
  const alphas = [...new Set(sweep.alphas)].sort((a, b) => a - b);
  const points: SweepPoint[] = [];
  for (const [i, alpha] of alphas.entries()) {
    const folder = join(context.checkpointFolder, `alpha-${alpha}`);
    await mergeCheckpoints({
      base: context.model(config.base),
      other: context.model(config.other),
      alpha,
      output: folder,
      signal: context.signal,
    });
    const { benchmarks } = await evaluateModel({
      ...sweep,
      context,
      model: folder,
      problems,
      purpose: "validation",
      name: `sweep-${i}`,
      progress: { before: i * problems.length, total: alphas.length * problems.length },
    });
    rmSync(folder, { recursive: true, force: true });
    points.push({
      alpha,
      accuracy: meanAccuracy(benchmarks),
      rows: benchmarks.flatMap((benchmark) => benchmarkRows(benchmark, `merged@${alpha}`, context.seed)),
    });
  }
  return points;
}

async function run(config: MergeConfig, context: StageContext): Promise<StageOutput> {
  if (config.alpha === "best" && config.sweep === undefined)
    throw new ConfigError(`stage ${context.id}: alpha: best needs a sweep`, {
      hint: "give sweep.problems and sweep.sampling, or a number for alpha",
    });
  const points = config.sweep === undefined ? [] : await sweepAlphas(config, config.sweep, context);
  const chosen = config.alpha === "best" ? bestPoint(points).alpha : config.alpha;
  const model = outputPlace(context, "model");
  await mergeCheckpoints({
    base: context.model(config.base),
    other: context.model(config.other),
    alpha: chosen,
    output: model.absolute,
    signal: context.signal,
  });
  const output: StageOutput = { checkpoint: model.relative, numbers: { alpha: chosen } };
  if (points.length > 0) {
    const file: AlphaFile = {
      stage: context.id,
      chosen,
      points: points.map(({ alpha, rows }) => ({ alpha, rows })),
    };
    output.files = { alpha: writeJsonOutput(outputPlace(context, "alpha.json"), file) };
  }
  discardChunks(context);
  return output;
}

export const mergeStage: StageKind<MergeConfig> = {
  kind: "merge",
  version: 1,
  schema: mergeSchema,
  inputs: (config) => [
    config.base,
    config.other,
    ...(config.sweep === undefined ? [] : [config.sweep.problems]),
  ],
  run,
};
