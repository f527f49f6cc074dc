/**
 * The problems that rollouts inside a run folder answer: those their stage was given, which the run's recipe names, and
 * those it left. A stage that filters leaves fewer than its rollouts answer.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { MAX_RECIPE_BYTES } from "../config/located.ts";
import { readProblems } from "../data/problems.ts";
import type { Problem } from "../types.ts";

/** Folders of a run that hold a folder per stage. */
const STAGE_FOLDERS = ["stages", "rollouts"];
/** From a file of a campaign's part up to the run: part, round, stage, stages/, run. */
const MAX_LEVELS = 6;

/** A stage of a run. */
interface StagePlace {
  runFolder: string;
  id: string;
}

/** The stage a path lies in, or null when it lies in no run. */
export function stageAround(path: string): StagePlace | null {
  let below = resolve(path);
  for (let level = 0; level < MAX_LEVELS; level++) {
    const folder = dirname(below);
    if (STAGE_FOLDERS.includes(basename(folder)) && existsSync(join(dirname(folder), "recipe.yaml")))
      return { runFolder: dirname(folder), id: basename(below) };
    below = folder;
  }
  return null;
}

/** What of a stage's configuration says which problems it was given. */
interface StageKeys {
  id?: unknown;
  problems?: unknown;
  limit?: unknown;
}

/** Stages of the run's resolved recipe; none when it cannot be read, for the run itself says so elsewhere. */
function recipeStages(runFolder: string): StageKeys[] {
  const path = join(runFolder, "recipe.yaml");
  try {
    if (statSync(path).size > MAX_RECIPE_BYTES) return [];
    const { stages } = parse(readFileSync(path, "utf8")) as { stages: StageKeys[] };
    return Array.isArray(stages) ? stages : [];
  } catch {
    return [];
  }
}

const leftBy = (runFolder: string, id: string): string => join(runFolder, "stages", id, "problems.jsonl");

/** Problems a stage was given, in order; null when they are nowhere to be found. */
async function problemsGivenTo({ runFolder, id }: StagePlace): Promise<Problem[] | null> {
  const stages = recipeStages(runFolder);
  const { problems, limit } = stages.find((stage) => stage?.id === id) ?? {};
  if (typeof problems !== "string") return null;
  const isStage = stages.some((stage) => stage?.id === problems);
  const file = isStage ? leftBy(runFolder, problems) : resolve(problems);
  if (!existsSync(file)) return null;
  return (await readProblems(file)).slice(0, typeof limit === "number" ? limit : undefined);
}

/**
 * Problems of a stage by id: those it was given, then those it left, which know more of them.
 * @throws {DataError} when a file of problems cannot be read
 */
export async function readStageProblems(place: StagePlace): Promise<Map<string, Problem>> {
  const problems = new Map<string, Problem>();
  for (const problem of (await problemsGivenTo(place)) ?? []) problems.set(problem.id, problem);
  const left = leftBy(place.runFolder, place.id);
  if (existsSync(left)) for (const problem of await readProblems(left)) problems.set(problem.id, problem);
  return problems;
}

/**
 * Problems that the rollouts of a path answer, by id: of a run folder those of all its stages, of a path inside one those
 * of its stage, of any other folder its `problems.jsonl`. Empty when there are none.
 * @throws {DataError} when a file of problems cannot be read
 */
export async function readProblemsAround(path: string): Promise<Map<string, Problem>> {
  const stages = join(path, "stages");
  const problems = new Map<string, Problem>();
  if (existsSync(stages) && existsSync(join(path, "recipe.yaml"))) {
    const ids = new Set([...readdirSync(stages), ...recipeStages(path).map(({ id }) => String(id))]);
    for (const id of ids)
      for (const [name, problem] of await readStageProblems({ runFolder: path, id }))
        problems.set(name, problem);
    return problems;
  }
  const place = stageAround(path);
  if (place !== null) return readStageProblems(place);
  const folders = existsSync(stages) ? readdirSync(stages).map((name) => join(stages, name)) : [path];
  for (const folder of folders) {
    const file = join(folder, "problems.jsonl");
    if (existsSync(file)) for (const problem of await readProblems(file)) problems.set(problem.id, problem);
  }
  return problems;
}
