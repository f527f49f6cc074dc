/**
 * Files of responses, read in any dialect, graded and with their steps read: what `polaris similarity` and
 * `polaris difference` start from. The same code as the stages; this only finds the files.
 */
import type { Matching } from "../consensus/index.ts";
import { groupAnyRollouts, readAnyRollouts } from "../data/rollout-dialects.ts";
import {
  type ComparableResponse,
  type ComparedProblem,
  compareProblem,
} from "../recipe/comparison/compared-problem.ts";
import { gradeGroups } from "../recipe/stages/grading.ts";
import type { Problem } from "../types.ts";
import { openResponseFiles } from "./response-files.ts";

export interface ComparedFilesOptions {
  problems?: string;
  limitTokens?: number;
  grader: "strict" | "compat";
  matching: Exclude<Matching, "numeric">;
}

/** What was read, for the reader of the result. */
export interface ReadSummary {
  files: string[];
  /** Rows by dialect. */
  dialects: Record<string, number>;
  problems: number;
  responses: number;
  correct: number;
  ungraded: number;
  /** Rows of problems that are not among the given ones. */
  unmatchedRows: number;
  /** Responses whose file does not say how they ended. */
  assumedFinish: number;
  /** Recorded scores and how many of them, taken at one half, agree with the grader; null where none are recorded. */
  recorded: { scores: number; agree: number } | null;
}

export interface ComparedFiles {
  summary: ReadSummary;
  problems: Problem[];
  compared: ComparedProblem[];
}

/** A response as read, with the verdict the grader gives it. */
interface GradedResponse extends ComparableResponse {
  score: number | null;
}

/** @throws {DataError} when a file cannot be read, or its rows lack questions or answers that are not given either */
export async function readComparedFiles(
  paths: readonly string[],
  options: ComparedFilesOptions,
): Promise<ComparedFiles> {
  const { files, problems, rows } = await openResponseFiles(paths, options.problems);
  const read = await readAnyRollouts(files, { problems, rows, limitTokens: options.limitTokens });
  const groups: GradedResponse[][] = groupAnyRollouts(read);
  gradeGroups(read.problems, groups, { mode: options.grader, answerFrom: "last_boxed" });
  const compared = read.problems.map((problem, i) =>
    compareProblem(problem, groups[i] as GradedResponse[], { matching: options.matching }),
  );
  const graded = groups.flat();
  const scored = graded.filter(({ score, verdict }) => score !== null && verdict?.correct != null);
  return {
    problems: read.problems,
    compared,
    summary: {
      files,
      dialects: read.dialects,
      problems: read.problems.length,
      responses: graded.length,
      correct: graded.filter(({ verdict }) => verdict?.correct === true).length,
      ungraded: compared.reduce((sum, { ungraded }) => sum + ungraded, 0),
      unmatchedRows: read.unmatchedRows,
      assumedFinish: read.assumedFinish,
      recorded:
        scored.length === 0
          ? null
          : {
              scores: scored.length,
              agree: scored.filter(({ score, verdict }) => (score as number) > 0.5 === verdict?.correct)
                .length,
            },
    },
  };
}

/** The summary in lines; only what deserves a word. */
export function describeRead(summary: ReadSummary): string[] {
  const { dialects, problems, responses, correct, ungraded, unmatchedRows, assumedFinish, recorded } =
    summary;
  const wrong = responses - correct - ungraded;
  return [
    `${problems} problems, ${responses} responses (${correct} right, ${wrong} wrong); read as ${Object.keys(dialects).join(", ")}`,
    ...(ungraded > 0 ? [`${ungraded} responses could not be graded and are left out`] : []),
    ...(unmatchedRows > 0
      ? [`${unmatchedRows} rows answer none of the given problems and are left out`]
      : []),
    ...(assumedFinish === responses
      ? ["the files do not say how responses ended; they count as finished"]
      : assumedFinish > 0
        ? [`${assumedFinish} responses do not say how they ended and count as finished`]
        : []),
    ...(recorded === null
      ? []
      : [`recorded scores agree with the grader for ${recorded.agree} of ${recorded.scores} responses`]),
  ];
}
