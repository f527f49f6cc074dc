/**
 * How far entropy fell over the stage that ended, which sets the step of the next search: fine after a slight fall,
 * coarse after a large one. Source: recipe A4.3; the threshold is ours, the paper gives none.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../../errors.ts";
import type { StageContext } from "../../stage.ts";
import type { SweepFile, SweepPoint } from "../../temperature/sweep-file.ts";

/** Steps averaged at both ends of a training stage. */
const STEPS = 10;

/** Mean token entropies in nats; null where unknown. */
export interface EntropyChange {
  before: number | null;
  after: number | null;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Entropy over the first and the last steps of a training stage of this run, from metrics.jsonl.
 * @throws {ConfigError} when the stage logged fewer than two entropies
 */
export function trainingEntropy(context: StageContext, stage: string): EntropyChange {
  // Naming it as an input is what makes its metrics part of this stage's content key.
  context.output(stage);
  const path = join(context.runFolder, "metrics.jsonl");
  const values: number[] = [];
  for (const line of existsSync(path) ? readFileSync(path, "utf8").split("\n") : []) {
    if (line === "") continue;
    const row = JSON.parse(line) as { stage: string; entropy?: number };
    if (row.stage === stage && typeof row.entropy === "number") values.push(row.entropy);
  }
  if (values.length < 2)
    throw new ConfigError(
      `stage ${context.id}: match.entropy_of: stage ${stage} logged ${values.length} entropies`,
      {
        hint: "name an rl stage of two steps or more, or leave entropy_of out",
      },
    );
  const window = Math.min(STEPS, Math.floor(values.length / 2));
  return { before: mean(values.slice(0, window)), after: mean(values.slice(-window)) };
}

/** The same problems at the same temperature, by the policy of the earlier sweep and by this one. */
export function sweptEntropy(
  from: SweepFile | null,
  problemsSha256: string,
  here: SweepPoint,
): EntropyChange {
  const there = from?.points.find(({ temperature }) => temperature === here.temperature);
  const alike = from?.conditions.problemsSha256 === problemsSha256;
  return { before: alike ? (there?.entropy ?? null) : null, after: here.entropy };
}
