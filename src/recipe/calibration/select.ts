/**
 * Problems worth training on, with a reason for every other one. A problem is left out only where its rate is known well
 * enough: what the grader failed on could have been right or wrong. Source: recipe A1.3, A1.4.
 */
import type { CalibrateConfig } from "../../config/stages/calibrate.ts";
import { difficultyReason } from "../../rl/index.ts";
import type { Json, Problem } from "../../types.ts";
import { createDropCounter } from "../drops.ts";
import type { DropsFile } from "../result-files.ts";

const MEANINGS = {
  solved: "solved every time: nothing is left to learn",
  too_easy: "solved more often than filter.max_pass_rate",
  too_hard: "solved less often than filter.min_pass_rate, or never where drop_unsolved is on",
  unsampled: "a response could not be drawn (allow_failed): its rate is not known",
  ungraded: "the grader failed on every response: nothing is known of it",
};

/** What the responses to one problem came to. */
export interface ProblemCount {
  correct: number;
  /** Responses the grader failed on, counted as not correct. */
  graderErrors: number;
}

type Rules = Pick<CalibrateConfig, "samplesPerProblem" | "filter">;

function reasonFor(id: string, count: ProblemCount, { samplesPerProblem: samples, filter }: Rules) {
  if (count.graderErrors === samples) return "ungraded" as const;
  const [least, most] = [count.correct, count.correct + count.graderErrors].map((correct) =>
    difficultyReason(
      { id, correct, samples },
      {
        dropPerfect: filter.dropSolved,
        maxPassRate: filter.maxPassRate,
        // The smallest rate above 0: a problem solved once stays.
        minPassRate: Math.max(filter.minPassRate, filter.dropUnsolved ? 1 / samples : 0),
      },
    ),
  );
  // Either verdict drops it, if for two reasons; the milder one is what is known.
  return least == null || most == null ? null : least;
}

/**
 * Splits calibrated problems; those kept carry their rate in `meta`.
 *
 * @param counts by id, of every problem with all its responses
 */
export function selectByDifficulty(
  problems: readonly Problem[],
  counts: ReadonlyMap<string, ProblemCount>,
  rules: Rules,
  stage: string,
): { kept: Problem[]; drops: DropsFile } {
  const samples = rules.samplesPerProblem;
  const counter = createDropCounter("problems", MEANINGS);
  const kept: Problem[] = [];
  for (const problem of problems) {
    const count = counts.get(problem.id);
    if (count === undefined) {
      counter.drop("unsampled", { id: problem.id, detail: "responses are missing", text: problem.prompt });
      continue;
    }
    const reason = reasonFor(problem.id, count, rules);
    if (reason !== null) {
      const failed = count.graderErrors === 0 ? "" : `, the grader failed on ${count.graderErrors}`;
      counter.drop(reason, {
        id: problem.id,
        detail: `${count.correct} of ${samples} responses correct${failed}`,
        text: problem.prompt,
      });
      continue;
    }
    counter.keep();
    const rate = count.correct / samples;
    const earlier = problem.meta["pass_rates"];
    const rates: Record<string, Json> =
      typeof earlier === "object" && earlier !== null && !Array.isArray(earlier) ? { ...earlier } : {};
    // One rate per calibration: a set that passed several models says how hard it was for each.
    rates[stage] = rate;
    kept.push({ ...problem, meta: { ...problem.meta, pass_rate: rate, pass_rates: rates } });
  }
  return { kept, drops: counter.file(stage) };
}
