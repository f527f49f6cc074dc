/**
 * Named, seeded problem sets of the practice tasks. The hash of a problem's canonical prompt decides the one split
 * it can belong to, so splits are disjoint at any size, for any seed, and across runs; pretraining and teachers draw
 * from `train` alone.
 */
import { ConfigError } from "../../errors.ts";
import { type RandomStream, randomStream } from "../../random.ts";
import type { Problem } from "../../types.ts";
import { drawProgram, type Family, problemOf, promptHash } from "./problem.ts";
import { formatPrompt, type Program } from "./program.ts";

export const SPLITS = ["train", "validation", "held_out"] as const;
export type Split = (typeof SPLITS)[number];

/** Buckets of the hash: 0..79 train, 80..89 validation, 90..99 held out. */
const BUCKETS = 100;
const VALIDATION_FROM = 80;
const HELD_OUT_FROM = 90;

/** Draws per wanted problem before a set counts as impossible: a split holds one draw in ten, fewer when repeats are refused. */
const DRAWS_PER_PROBLEM = 200;

/** The split a prompt belongs to, whoever draws it. */
export function splitOfPrompt(prompt: string): Split {
  const bucket = Number.parseInt(promptHash(prompt).slice(0, 8), 16) % BUCKETS;
  return bucket < VALIDATION_FROM ? "train" : bucket < HELD_OUT_FROM ? "validation" : "held_out";
}

/** Draws programs until one belongs to the split. */
export function drawProgramOfSplit(
  random: RandomStream,
  split: Split,
  family: Family,
  steps: number,
): Program {
  for (let draw = 0; draw < DRAWS_PER_PROBLEM; draw++) {
    const program = drawProgram(random, family, steps);
    if (splitOfPrompt(formatPrompt(program)) === split) return program;
  }
  throw new ConfigError(
    `practice problems: no ${family} problem with ${steps} steps of the split ${split} in ${DRAWS_PER_PROBLEM} draws`,
  );
}

export interface ProblemSetOptions {
  split: Split;
  seed: number;
  count: number;
  families: readonly Family[];
  /** Drawn uniformly per problem; repeat a number to weigh it. Each 1..9. */
  steps: readonly number[];
}

/**
 * Draws `count` different problems of a split; families take turns. Two problems never share a canonical prompt.
 * The first k problems of a set are the set of size k.
 *
 * @throws {ConfigError} when the split does not hold that many, or a list is empty
 */
export function createProblemSet(options: ProblemSetOptions): Problem[] {
  const { split, seed, count, families, steps } = options;
  if (families.length === 0 || steps.length === 0)
    throw new ConfigError(
      "practice problems: expected at least one family and one number of steps, got none",
    );
  const random = randomStream(seed, "practice", "problems", split);
  const seen = new Set<string>();
  const problems: Problem[] = [];
  let draws = 0;
  while (problems.length < count) {
    if (draws++ > DRAWS_PER_PROBLEM * count)
      throw new ConfigError(
        `practice problems: expected ${count} different problems of the split ${split}, found ${problems.length}`,
        { hint: "ask for fewer problems, or for more steps: short problems are few" },
      );
    const family = families[problems.length % families.length] as Family;
    const stepCount = random.pick(steps);
    const problem = problemOf(drawProgram(random, family, stepCount), family, stepCount);
    const hash = promptHash(problem.prompt);
    if (seen.has(hash) || splitOfPrompt(problem.prompt) !== split) continue;
    seen.add(hash);
    problems.push(problem);
  }
  return problems;
}
