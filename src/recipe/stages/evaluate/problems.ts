/** What an evaluation asks: the problems of one reference or several, whole or the first few of each benchmark. */
import { createIdAssigner } from "../../../data/problems.ts";
import type { Problem } from "../../../types.ts";
import type { StageContext } from "../../stage.ts";
import { readProblemsInput } from "../inputs.ts";

/** References of a key that takes one or a list. */
export function referencesOf(problems: string | readonly string[]): string[] {
  return typeof problems === "string" ? [problems] : [...problems];
}

export interface AskedProblems {
  problems: Problem[];
  /** The references as the result file names them. */
  reference: string;
  /** Problems of each benchmark at most, where that left some out. */
  limit?: number;
}

/** The first `limit` problems of each benchmark. */
export function limitPerBenchmark(problems: readonly Problem[], limit: number): Problem[] {
  const taken = new Map<string, number>();
  return problems.filter(({ source }) => {
    const before = taken.get(source) ?? 0;
    taken.set(source, before + 1);
    return before < limit;
  });
}

/**
 * Reads the problems in the order of the references, ids unique over all of them.
 * @throws {ConfigError} when a stage writes none; {DataError} when a file holds none
 */
export async function readAskedProblems(
  context: StageContext,
  config: { problems: string | readonly string[]; limit?: number | undefined },
): Promise<AskedProblems> {
  const references = referencesOf(config.problems);
  const all: Problem[] = [];
  // Benchmarks often number their rows from 1; one question in two of them is asked in both.
  const assign = createIdAssigner(`stage ${context.id}`, "name_source");
  for (const reference of references)
    for (const problem of await readProblemsInput(context, reference)) all.push(assign(problem));
  const problems = config.limit === undefined ? all : limitPerBenchmark(all, config.limit);
  return {
    problems,
    reference: references.join(", "),
    ...(problems.length < all.length ? { limit: config.limit } : {}),
  };
}
