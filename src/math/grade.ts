/**
 * Grades one response: extraction, then verification, as the `Verdict` every record carries. A response cut before
 * its answer is `truncated`; a grader that fails says so with `correct: null`, which is never a reward.
 */
import type { Answer, FinishReason, Verdict } from "../types.ts";
import { compatExtract } from "./compat/index.ts";
import { afterThink, type Extraction, type ExtractOptions, extractAnswer } from "./extract.ts";
import { verify } from "./verify.ts";
import { GRADER_VERSION } from "./version.ts";

export interface GradeOptions {
  /** Why generation ended; decides between `truncated` and `no_boxed`. @default "stop" */
  finishReason?: FinishReason;
  /** @default "strict" */
  mode?: "strict" | "compat";
  /** Where the answer is looked for. @default "last_boxed" */
  extract?: ExtractOptions["mode"];
  boxes?: ExtractOptions["boxes"];
  prose?: boolean;
}

/** The V1 extraction; its only reasons are found and not found. */
function compatExtraction(
  response: string,
  mode: ExtractOptions["mode"],
  finishReason: FinishReason,
): Extraction {
  const scope = mode === "think_close" ? afterThink(response) : response;
  const answer = scope === null ? null : compatExtract(scope);
  if (answer !== null) return { answer, reason: "boxed" };
  if (finishReason !== "stop") return { answer, reason: "truncated" };
  return { answer, reason: scope === null ? "no_think_close" : "no_boxed" };
}

/**
 * The verdict on a response.
 *
 * @param gold one or several acceptable answers
 * @param response text the model wrote, without the prompt
 */
export function gradeResponse(gold: Answer, response: string, options: GradeOptions = {}): Verdict {
  const { finishReason = "stop", mode = "strict", extract, boxes, prose } = options;
  let answer: string | null = null;
  try {
    const extraction =
      mode === "compat"
        ? compatExtraction(response, extract, finishReason)
        : extractAnswer(response, {
            ...(extract === undefined ? {} : { mode: extract }),
            ...(boxes === undefined ? {} : { boxes }),
            ...(prose === undefined ? {} : { prose }),
            finishReason,
          });
    answer = extraction.answer;
    if (answer === null)
      return { correct: false, answer, reason: extraction.reason, graderVersion: GRADER_VERSION };
    const { equal } = verify(gold, answer, { mode });
    return { correct: equal, answer, reason: equal ? "equal" : "unequal", graderVersion: GRADER_VERSION };
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    return { correct: null, answer, reason: `grader_failed:${name}`, graderVersion: GRADER_VERSION };
  }
}
