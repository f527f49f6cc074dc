/** Runs recipe text through the real loader, runner and stage kinds with the tabular policy. For tests. */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadRecipe } from "../../../config/load-recipe.ts";
import { writeProblems } from "../../../data/problems.ts";
import { writeRollouts } from "../../../data/rollouts.ts";
import { type RunRecipeOptions, type RunResult, runRecipe } from "../../runner.ts";
import { STAGE_KINDS } from "../index.ts";
import { openTabularPolicy, writeTabularModel } from "./tabular-policy.ts";
import { toyProblems, toyRollout } from "./toy-task.ts";

export interface Workbench {
  folder: string;
  /** Runs stages given as YAML list items; `{root}` in the text is the workbench folder. */
  run(name: string, stages: string, extra?: Partial<RunRecipeOptions>): Promise<RunResult>;
  /** Text of a file of a run. */
  read(name: string, file: string): string;
  /** Lines of metrics.jsonl of a run. */
  metrics(name: string): Record<string, number | string>[];
}

/**
 * A temporary folder with a fresh tabular model, a second one, the toy problems, and two responses to each of them:
 * one right, one wrong.
 */
export async function createWorkbench(): Promise<Workbench> {
  const folder = mkdtempSync(join(tmpdir(), "polaris-stages-"));
  await writeTabularModel(join(folder, "model"), 1);
  await writeTabularModel(join(folder, "other"), 2);
  const problems = toyProblems();
  writeProblems(join(folder, "toy.jsonl"), problems);
  writeRollouts(
    join(folder, "right.jsonl.gz"),
    problems.map((problem) => toyRollout(problem, String(problem.answer))),
  );
  writeRollouts(
    join(folder, "mixed.jsonl.gz"),
    problems.flatMap((problem) => [
      toyRollout(problem, String(problem.answer), 0),
      toyRollout(problem, String((Number(problem.answer) + 1) % 10), 1),
    ]),
  );
  const schemas = Object.fromEntries(Object.values(STAGE_KINDS).map(({ kind, schema }) => [kind, schema]));
  return {
    folder,
    async run(name, stages, extra = {}) {
      const path = join(folder, `${name}.yaml`);
      writeFileSync(path, `name: ${name}\nseed: 3\nstages:\n${stages.replaceAll("{root}", folder)}\n`);
      const { recipe, tree } = loadRecipe({ files: [path], schemas });
      return runRecipe({
        recipe,
        tree,
        kinds: STAGE_KINDS,
        runFolder: join(folder, "runs", name),
        open: (checkpoint) => openTabularPolicy(checkpoint),
        // Tests stop at a step: every one is told.
        progressIntervalMs: 0,
        ...extra,
      });
    },
    read: (name, file) => readFileSync(join(folder, "runs", name, file), "utf8"),
    metrics: (name) =>
      readFileSync(join(folder, "runs", name, "metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
  };
}
