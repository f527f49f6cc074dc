/**
 * Files of rollouts: one JSON line per response, written once with what produced it and read by calibration, training,
 * evaluation and the report alike. Usually `.jsonl.gz`.
 */
import { DataError } from "../errors.ts";
import type { Rollout } from "../types.ts";
import { readJsonl, writeJsonl } from "./jsonl.ts";

/** Which rollouts a reader wants; every condition given must hold. */
export interface RolloutFilter {
  stage?: string;
  /** Steps from..to, both included. */
  fromStep?: number;
  toStep?: number;
  problemIds?: ReadonlySet<string>;
  policyVersion?: string;
  finishReason?: Rollout["finishReason"];
  /** Verdict; a rollout that was not graded, or whose grader failed, is neither true nor false. */
  correct?: boolean;
}

/** True when the rollout fulfils every condition of the filter. */
export function matchesRollout(rollout: Rollout, filter: RolloutFilter): boolean {
  return (
    (filter.stage === undefined || rollout.stage === filter.stage) &&
    (filter.fromStep === undefined || rollout.step >= filter.fromStep) &&
    (filter.toStep === undefined || rollout.step <= filter.toStep) &&
    (filter.problemIds === undefined || filter.problemIds.has(rollout.problemId)) &&
    (filter.policyVersion === undefined || rollout.policyVersion === filter.policyVersion) &&
    (filter.finishReason === undefined || rollout.finishReason === filter.finishReason) &&
    (filter.correct === undefined || rollout.verdict?.correct === filter.correct)
  );
}

const FINISH_REASONS: readonly unknown[] = [
  "stop",
  "length",
  "cancelled",
] satisfies Rollout["finishReason"][];

const SAMPLING_KEYS = ["temperature", "topK", "topP", "minP", "maxNewTokens"] as const;

/** True for a list of numbers, each passing the test. */
function isNumbers(value: unknown, test: (value: number) => boolean): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number" && test(item));
}

const isTokenId = (value: number) => Number.isInteger(value) && value >= 0;

/**
 * Checks one parsed line.
 * @throws {DataError} naming the first field that is missing or has another type
 */
export function parseRollout(value: unknown, where: string): Rollout {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DataError(`${where}: expected a rollout`);
  const row = value as Record<string, unknown>;
  const expect = (condition: boolean, field: string, expected: string) => {
    if (!condition)
      throw new DataError(
        `${where}: ${field}: expected ${expected}, got ${JSON.stringify(row[field])?.slice(0, 60) ?? "nothing"}`,
        { details: { where, field } },
      );
  };
  for (const field of ["problemId", "stage", "policyVersion", "text"])
    expect(typeof row[field] === "string", field, "text");
  for (const field of ["step", "sample"])
    expect(isNumbers([row[field]], isTokenId), field, "an integer from 0");
  expect(Number.isInteger(row["seed"]), "seed", "an integer");
  const sampling = row["sampling"] as Record<string, unknown> | null | undefined;
  expect(
    typeof sampling === "object" && SAMPLING_KEYS.every((key) => typeof sampling?.[key] === "number"),
    "sampling",
    SAMPLING_KEYS.join(", "),
  );
  for (const field of ["promptTokens", "tokens"])
    expect(isNumbers(row[field], isTokenId), field, "token ids");
  expect(isNumbers(row["logprobs"], Number.isFinite), "logprobs", "numbers");
  // Solutions nobody sampled (a teacher's) have tokens and no log-probabilities.
  const { tokens, logprobs } = row as unknown as Rollout;
  expect(
    logprobs.length === tokens.length || logprobs.length === 0,
    "logprobs",
    `${tokens.length} numbers, one per token, or none`,
  );
  expect(FINISH_REASONS.includes(row["finishReason"]), "finishReason", FINISH_REASONS.join(", "));
  for (const field of ["verdict", "reward"])
    expect(
      row[field] === undefined || (typeof row[field] === "object" && row[field] !== null),
      field,
      "an object",
    );
  return value as Rollout;
}

/**
 * Streams the rollouts of a file in order.
 * @throws {DataError} naming file and line of the first defect
 */
export async function* streamRollouts(path: string, filter: RolloutFilter = {}): AsyncGenerator<Rollout> {
  for await (const { value, where } of readJsonl(path)) {
    const rollout = parseRollout(value, where);
    if (matchesRollout(rollout, filter)) yield rollout;
  }
}

/** All rollouts of a file that match. @throws {DataError} as `streamRollouts` */
export async function readRollouts(path: string, filter: RolloutFilter = {}): Promise<Rollout[]> {
  const rollouts: Rollout[] = [];
  for await (const rollout of streamRollouts(path, filter)) rollouts.push(rollout);
  return rollouts;
}

/**
 * Writes rollouts, gzip by name, complete or absent.
 * @throws {StoreError} when the file cannot be written
 * @throws {TypeError} when a log-probability is not finite: JSON has no word for it
 */
export function writeRollouts(path: string, rollouts: Iterable<Rollout>): void {
  writeJsonl(path, rollouts);
}

/** Rollouts of each problem, in order of first appearance and of appearance within. */
export function groupByProblem(rollouts: Iterable<Rollout>): Map<string, Rollout[]> {
  const groups = new Map<string, Rollout[]>();
  for (const rollout of rollouts) {
    const group = groups.get(rollout.problemId);
    if (group === undefined) groups.set(rollout.problemId, [rollout]);
    else group.push(rollout);
  }
  return groups;
}
