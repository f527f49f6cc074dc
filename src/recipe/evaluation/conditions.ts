/**
 * Whether two evaluations may be compared: what shaped their draws and verdicts must be equal, or the difference of their
 * scores is not the models' alone. Top-k alone moves a score by points at temperatures above 1, a grader by ten.
 * Source: recipe A10; the released code's issues on scores that could not be repeated.
 */
import type { SamplingParameters } from "../../types.ts";
import type { EvaluationArm, EvaluationBenchmark, EvaluationFile } from "./evaluation-file.ts";

export interface ConditionsReport {
  /** What makes a comparison of models misleading, one phrase each. */
  conflicts: string[];
  /** What only makes it weaker or narrower, one sentence each. */
  notes: string[];
}

/** One side of a comparison. */
export interface ComparedSide {
  file: EvaluationFile;
  arm: EvaluationArm;
}

const SAMPLING_KEYS: readonly [keyof SamplingParameters, string][] = [
  ["temperature", "temperature"],
  ["topK", "top_k"],
  ["topP", "top_p"],
  ["minP", "min_p"],
  ["maxNewTokens", "max_new_tokens"],
];

/** A value as the recipe writes it, short. */
function show(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Benchmarks both arms have, with their own sampling. */
function sharedBenchmarks(
  first: ComparedSide,
  second: ComparedSide,
): [EvaluationBenchmark, EvaluationBenchmark][] {
  return first.arm.benchmarks.flatMap((one) => {
    const other = second.arm.benchmarks.find(({ benchmark }) => benchmark === one.benchmark);
    return other === undefined ? [] : [[one, other]];
  });
}

/** Differences of sampling; those of every shared benchmark are said once. */
function samplingConflicts(first: ComparedSide, second: ComparedSide): string[] {
  const pairs = sharedBenchmarks(first, second);
  const found = new Map<string, string[]>();
  for (const [one, other] of pairs) {
    const [a, b] = [one.sampling ?? first.file.sampling, other.sampling ?? second.file.sampling];
    for (const [key, name] of SAMPLING_KEYS) {
      if (a[key] === b[key]) continue;
      const text = `${name} ${a[key]} and ${b[key]}`;
      found.set(text, [...(found.get(text) ?? []), one.benchmark]);
    }
  }
  return [...found].map(([text, benchmarks]) =>
    benchmarks.length === pairs.length ? text : `${text} on ${benchmarks.join(", ")}`,
  );
}

/** Prompt and grader; a file of the first layout does not say them, which is a note. */
function judgementConflicts({ file: a }: ComparedSide, { file: b }: ComparedSide): ConditionsReport {
  const conflicts: string[] = [];
  const notes: string[] = [];
  const differ = (what: string, one: unknown, other: unknown): void => {
    if (one === other) return;
    if (one === undefined && other === undefined) return;
    conflicts.push(`${what} ${show(one ?? "none")} and ${show(other ?? "none")}`);
  };
  differ("grader version", a.graderVersion, b.graderVersion);
  if (a.grader === undefined || b.grader === undefined) {
    notes.push("an older file does not say how its answers were judged and prompted");
    return { conflicts, notes };
  }
  differ("grader.mode", a.grader.mode, b.grader.mode);
  differ("grader.answer_from", a.grader.answerFrom, b.grader.answerFrom);
  differ("prompt", a.prompt?.instruction, b.prompt?.instruction);
  // Where the request to underline stands changes nothing where there is none.
  if (a.prompt?.instruction === "boxed_and_underline")
    differ("prompt.position", a.prompt.position, b.prompt?.position);
  differ("prompt.system", a.prompt?.system, b.prompt?.system);
  return { conflicts, notes };
}

/** Everything that differs between the conditions of two arms. */
export function compareConditions(first: ComparedSide, second: ComparedSide): ConditionsReport {
  if (first.file === second.file) return { conflicts: [], notes: [] };
  const { conflicts, notes } = judgementConflicts(first, second);
  for (const [one, other] of sharedBenchmarks(first, second))
    if (one.samplesPerProblem !== other.samplesPerProblem)
      notes.push(
        `${one.benchmark}: ${one.samplesPerProblem} and ${other.samplesPerProblem} samples per problem; avg@k stays comparable, best@k and maj@k do not`,
      );
  const hashes = [first.file.problems?.sha256, second.file.problems?.sha256];
  if (hashes[0] !== undefined && hashes[1] !== undefined && hashes[0] !== hashes[1])
    notes.push("the problem sets differ; only problems with the same benchmark and id are compared");
  return { conflicts: [...samplingConflicts(first, second), ...conflicts], notes };
}
