/**
 * Which problem a row of responses belongs to. The question decides: ids in result files number rows as often as
 * problems. An id that is surely a problem's may not stand for two questions.
 */
import { DataError } from "../errors.ts";
import type { Answer, Problem } from "../types.ts";
import { parseProblemRow } from "./problem-row.ts";
import { normalizePrompt, promptId } from "./prompt-digest.ts";
import { fieldAt, isJsonRow } from "./rollout-fields.ts";
import type { RolloutRow } from "./rollout-row.ts";

export interface ProblemIndex {
  /**
   * The problem of a row; null when it is none of the given ones.
   * @throws {DataError} when no problems are given and the row has no question or answer, or contradicts an earlier one
   */
  resolve(row: RolloutRow, where: string): Problem | null;
}

/** Answers are the same when they are as text; a data set may store 7 here and "7" there. */
function sameAnswer(first: Answer, second: Answer): boolean {
  return JSON.stringify([first].flat().map(String)) === JSON.stringify([second].flat().map(String));
}

/** Requests for several samples of one problem carry ids like `p7#3`, `p7:3` or `p7-sample-3`. */
const SAMPLE_ENDING = /(?:[#:]|[-_](?:s|sample)[-_]?)\d{1,6}$/i;

/** Looks rows up among given problems: by question, by id, by the row number a data set was indexed with. */
function createGivenIndex(problems: readonly Problem[]): ProblemIndex {
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  const byQuestion = new Map<string, Problem>();
  const byIndex = new Map<string, Problem>();
  for (const problem of problems) {
    const question = normalizePrompt(problem.prompt);
    if (!byQuestion.has(question)) byQuestion.set(question, problem);
    const extra = problem.meta["extra_info"];
    const index = isJsonRow(extra) ? (fieldAt(extra, "index") ?? fieldAt(extra, "id")) : undefined;
    if (index !== undefined) byIndex.set(String(index), problem);
  }
  return {
    resolve({ problem: { id, question, index } }) {
      const named =
        id === null ? undefined : (byId.get(id.value) ?? byId.get(id.value.replace(SAMPLE_ENDING, "")));
      if (question === null) return named ?? (index === null ? undefined : byIndex.get(index)) ?? null;
      const text = normalizePrompt(question);
      // Repeated questions have ids of their own: the id decides among them.
      if (named !== undefined && normalizePrompt(named.prompt) === text) return named;
      return byQuestion.get(text) ?? null;
    },
  };
}

/** Makes problems of the rows themselves. */
function createRowIndex(): ProblemIndex {
  const byQuestion = new Map<string, Problem>();
  const questionOfId = new Map<string, string>();
  return {
    resolve({ problem: { id, question, answer, source }, dialect }, where) {
      const hint = "give the problems with --problems FILE";
      if (question === null)
        throw new DataError(`${where}: this ${dialect} row does not hold its question`, { hint });
      const text = normalizePrompt(question);
      const known = byQuestion.get(text);
      if (answer === null) {
        if (known !== undefined) return known;
        throw new DataError(`${where}: this ${dialect} row does not hold the right answer`, { hint });
      }
      let chosen = promptId(question);
      if (id !== null) {
        const owner = questionOfId.get(id.value);
        if (owner === undefined || owner === text) chosen = id.value.slice(0, 200);
        else if (id.surely)
          throw new DataError(
            `${where}: id ${JSON.stringify(id.value.slice(0, 80))} belongs to two different questions`,
            {
              hint,
            },
          );
      }
      const problem = parseProblemRow(
        { id: chosen, prompt: question, answer, ...(source === null ? {} : { source }) },
        { where, source: dialect },
      );
      if (known !== undefined) {
        if (sameAnswer(known.answer, problem.answer)) return known;
        throw new DataError(
          `${where}: expected the answer ${JSON.stringify(known.answer).slice(0, 60)} of an earlier row of this question, got ${JSON.stringify(problem.answer).slice(0, 60)}`,
          { hint },
        );
      }
      byQuestion.set(text, problem);
      if (id !== null) questionOfId.set(id.value, text);
      return problem;
    },
  };
}

/** Index over given problems, or one that grows with the rows. */
export function createProblemIndex(problems?: readonly Problem[]): ProblemIndex {
  return problems === undefined ? createRowIndex() : createGivenIndex(problems);
}
