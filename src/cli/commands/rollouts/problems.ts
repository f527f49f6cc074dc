/** The problems that rollouts answer: a file that was named, or what the run of each path knows. */
import { streamProblems } from "../../../data/problems.ts";
import type { Problem } from "../../../types.ts";
import { readProblemsAround } from "../../run-problems.ts";

/** Problems by id. Stages of one run that share a problem share its id. */
export async function readProblemsOf(
  paths: readonly string[],
  problemsPath?: string,
): Promise<Map<string, Problem>> {
  const problems = new Map<string, Problem>();
  if (problemsPath !== undefined) {
    for await (const problem of streamProblems(problemsPath)) problems.set(problem.id, problem);
    return problems;
  }
  for (const path of paths)
    for (const [id, problem] of await readProblemsAround(path)) problems.set(id, problem);
  return problems;
}
