/**
 * The column dialects of problem rows: which one a row speaks, and a Problem as a row of it. `problem-row.ts` reads them all.
 *   polaris   {problem, answer, difficulty}                                        published JSONL
 *   verl      {data_source, prompt: [{role, content}], ability, reward_model: {ground_truth}, extra_info}
 *   trl       {prompt: text or messages, answer | solution | ground_truth, ...}
 *   own       {id, prompt, answer, source, meta}                                   what this project writes
 * Source: recipe A1.6 and A10.
 */
import { instructQuestion, type PromptInstruction } from "../text/prompts.ts";
import type { Json, Problem } from "../types.ts";
import { toJson } from "./row-values.ts";

/** Column dialects that can be written. */
export const PROBLEM_DIALECTS = ["own", "polaris", "verl", "trl"] as const;
export type ProblemDialect = (typeof PROBLEM_DIALECTS)[number];

/** Fields of a column that is a struct in verl; anything else becomes one, so that nothing is lost. */
function fieldsOf(value: Json | undefined): Record<string, Json> {
  if (value === undefined || value === null) return {};
  return typeof value === "object" && !Array.isArray(value) ? value : { value };
}

/** The dialect a row's columns speak; the own one where they say nothing. */
export function dialectOf(row: unknown): ProblemDialect {
  if (typeof row !== "object" || row === null) return "own";
  const has = (name: string): boolean => Object.hasOwn(row, name);
  if (has("reward_model") || (has("data_source") && has("prompt"))) return "verl";
  if (has("problem")) return "polaris";
  if (has("meta") && has("source")) return "own";
  return has("prompt") || has("messages") || has("question") ? "trl" : "own";
}

/** What a dialect's rows say beyond the problem. */
export interface ProblemRowExtras {
  /** Added to the question: training rows carry none, published benchmarks the boxed suffix. Default `plain`. */
  instruction?: PromptInstruction;
  /** `extra_info.split` of verl rows; the row's own, or `train`, when left out. */
  split?: string;
}

/**
 * One row of a data set in a dialect; `parseProblemRow` reads the question, answer, source and id back.
 *
 * @param index row number from 0, which verl logs accuracy by
 */
export function problemRow(
  problem: Problem,
  dialect: ProblemDialect,
  index: number,
  extras: ProblemRowExtras = {},
): Record<string, Json> {
  const { id, source } = problem;
  const { system, ...meta } = problem.meta;
  const prompt = instructQuestion(problem.prompt, extras.instruction ?? "plain");
  const answer = toJson(problem.answer);
  if (dialect === "own") return { id, prompt, answer, source, meta: problem.meta };
  if (dialect === "polaris") return { ...problem.meta, id, problem: prompt, answer, source };
  const messages = [{ content: prompt, role: "user" }];
  if (typeof system === "string") messages.unshift({ content: system, role: "system" });
  else if (system !== undefined) meta["system"] = system;
  if (dialect === "trl") return { ...meta, id, prompt: messages, answer, source };
  const { reward_model: model, extra_info: extra, ...columns } = meta;
  return {
    ability: "math",
    ...columns,
    id,
    data_source: source,
    prompt: messages,
    reward_model: { style: "rule", ...fieldsOf(model), ground_truth: answer },
    extra_info: {
      split: "train",
      ...fieldsOf(extra),
      ...(extras.split === undefined ? {} : { split: extras.split }),
      index,
    },
  };
}
