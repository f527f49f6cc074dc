/**
 * A sweep out of responses that are there: files or stores drawn at several temperatures, by `polaris sample` or any stage,
 * become the same `sweep.json` that a temperature_sweep stage writes. Source: recipe A3, A4.4.
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { DataError } from "../../errors.ts";
import { GRADER_VERSION } from "../../math/index.ts";
import { streamRolloutSource } from "../../store/rollouts/source.ts";
import type { Problem, Rollout } from "../../types.ts";
import { hashProblems } from "../stages/evaluate/arms.ts";
import { gradeRollout } from "../stages/grading.ts";
import { decideTemperature } from "./decide.ts";
import { STORED_PROMPT } from "./describe.ts";
import { curveOf } from "./read-sweep.ts";
import type { SweepConditions, SweepFile, SweepPoint } from "./sweep-file.ts";
import { createPointCounter } from "./sweep-point.ts";

/** Responses of one file held at a time: far above a probe of a benchmark, far below a training run. */
const MAX_RESPONSES = 200_000;
const PROMPT: SweepConditions["prompt"] = { instruction: STORED_PROMPT, position: STORED_PROMPT };

export interface ResponseSweepOptions extends Pick<SweepConditions, "ngram" | "unit"> {
  /** Rollout files or stores. */
  paths: readonly string[];
  /** Grades the responses again; without them the verdicts on record count. */
  problems?: readonly Problem[];
  robustTolerance: number;
  explorationShare: number;
}

/** Responses by temperature, then by problem, in order of appearance. */
type Drawn = Map<number, Map<string, Rollout[]>>;

async function readDrawn(path: string): Promise<Drawn> {
  const drawn: Drawn = new Map();
  let count = 0;
  for await (const rollout of streamRolloutSource(path)) {
    if (++count > MAX_RESPONSES)
      throw new DataError(`${path}: expected at most ${MAX_RESPONSES} responses, got more`, {
        hint: "a sweep needs a benchmark, not a training set: leave problems out, or give a file per temperature",
      });
    const { temperature } = rollout.sampling;
    if (!(temperature > 0))
      throw new DataError(`${path}: expected sampled responses, got some at temperature ${temperature}`, {
        hint: "greedy responses are all alike: diversity says nothing there",
      });
    const byProblem = drawn.get(temperature) ?? new Map<string, Rollout[]>();
    const group = byProblem.get(rollout.problemId) ?? [];
    group.push(rollout);
    byProblem.set(rollout.problemId, group);
    drawn.set(temperature, byProblem);
  }
  if (count === 0) throw new DataError(`${path}: expected responses, got none`);
  return drawn;
}

/** Settings other than the temperature; what differs cannot be one curve. */
function settingsOf({ sampling: { topK, topP, minP, maxNewTokens } }: Rollout): SweepConditions["sampling"] {
  return { topK, topP, minP, maxNewTokens };
}

/** What all temperatures have in common: set by the first response, asked of every other. */
interface Common {
  sampling: SweepConditions["sampling"];
  ids: string[];
  samplesPerProblem: number;
  model: string;
  graderVersion: string;
}

function verdictOf(rollout: Rollout, problems: ReadonlyMap<string, Problem> | null, where: string): Rollout {
  if (problems === null) {
    if (rollout.verdict !== undefined) return rollout;
    throw new DataError(`${where}: expected graded responses, got one without a verdict`, {
      hint: "give --problems, whose answers they are graded against",
    });
  }
  const problem = problems.get(rollout.problemId);
  if (problem === undefined)
    throw new DataError(`${where}: problem ${rollout.problemId} is not among the problems given`);
  return {
    ...rollout,
    verdict: gradeRollout(problem, rollout, { mode: "strict", answerFrom: "last_boxed" }),
  };
}

/**
 * Counts stored responses and decides from them.
 *
 * @throws {DataError} when temperatures differ in problems, number of responses, limits or grader, one occurs in two
 * files, or no response is correct
 */
export async function sweepFromResponses(options: ResponseSweepOptions): Promise<SweepFile> {
  const { paths, ngram, unit, robustTolerance, explorationShare } = options;
  const problems =
    options.problems === undefined ? null : new Map(options.problems.map((problem) => [problem.id, problem]));
  const points: SweepPoint[] = [];
  let common: Common | null = null;
  for (const path of paths)
    for (const [temperature, byProblem] of await readDrawn(resolve(path))) {
      const where = `${path}: temperature ${temperature}`;
      if (points.some((point) => point.temperature === temperature))
        throw new DataError(`${where} occurs in two of the files`, { hint: "give each temperature once" });
      const [first] = [...byProblem.values()][0] as Rollout[];
      const own = verdictOf(first as Rollout, problems, where);
      common ??= {
        sampling: settingsOf(own),
        // In the order of the problems given, so that the file is comparable with a stage's on the same ones.
        ids:
          problems === null
            ? [...byProblem.keys()].sort()
            : [...problems.keys()].filter((id) => byProblem.has(id)),
        samplesPerProblem: (byProblem.get(own.problemId) as Rollout[]).length,
        model: own.policyVersion,
        graderVersion: problems === null ? (own.verdict?.graderVersion ?? "") : GRADER_VERSION,
      };
      points.push(countPoint({ temperature, byProblem, problems, common, where, ngram, unit }));
    }
  const { ids, sampling, samplesPerProblem, model, graderVersion } = common as unknown as Common;
  points.sort((a, b) => a.temperature - b.temperature);
  const chosen = ids.flatMap((id) => problems?.get(id) ?? []);
  const conditions: SweepConditions = {
    samplesPerProblem,
    sampling,
    prompt: PROMPT,
    ngram,
    unit,
    problemsSha256:
      problems === null
        ? createHash("sha256").update(JSON.stringify(ids)).digest("hex")
        : hashProblems(chosen),
  };
  let decision: SweepFile["decision"];
  try {
    decision = decideTemperature(curveOf({ points, conditions }), {
      robustTolerance,
      explorationShare,
      target: null,
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DataError(`${paths.join(", ")}: ${cause.message}`, { cause });
  }
  return {
    layout: 1,
    stage: "stored responses",
    model,
    seed: 0,
    graderVersion,
    problems: { reference: paths.join(", ").slice(0, 4096), count: ids.length, ids },
    conditions,
    points,
    decision,
    search: null,
  };
}

function countPoint(options: {
  temperature: number;
  byProblem: ReadonlyMap<string, Rollout[]>;
  problems: ReadonlyMap<string, Problem> | null;
  common: Common;
  where: string;
  ngram: number;
  unit: SweepConditions["unit"];
}): SweepPoint {
  const { temperature, byProblem, problems, common, where, ngram, unit } = options;
  const { ids, samplesPerProblem } = common;
  const known = new Set(ids);
  const strange = [...byProblem.keys()].find((id) => !known.has(id));
  const absent = ids.find((id) => !byProblem.has(id));
  if (strange !== undefined || absent !== undefined)
    throw new DataError(
      `${where}: expected the ${ids.length} problems of the first temperature, ${absent === undefined ? `got ${strange} too` : `${absent} is missing`}`,
      { hint: "diversity and accuracy compare only on the same problems" },
    );
  // What a sampler's log-probabilities are of is not on record, so no entropy.
  const counter = createPointCounter({ temperature, samplesPerProblem, ngram, unit, exactLogprobs: false });
  for (const id of ids) {
    const group = (byProblem.get(id) as Rollout[]).map((rollout) => verdictOf(rollout, problems, where));
    if (group.length !== samplesPerProblem)
      throw new DataError(
        `${where}: problem ${id}: expected ${samplesPerProblem} responses as elsewhere, got ${group.length}`,
        { hint: "distinct-n falls as responses get more: draw as many of each" },
      );
    for (const rollout of group) {
      const settings = settingsOf(rollout);
      if (JSON.stringify(settings) !== JSON.stringify(common.sampling))
        throw new DataError(
          `${where}: expected sampling ${JSON.stringify(common.sampling)} as elsewhere, got ${JSON.stringify(settings)}`,
          { hint: "only the temperature may differ" },
        );
      if (problems === null && rollout.verdict?.graderVersion !== common.graderVersion)
        throw new DataError(
          `${where}: graded by ${rollout.verdict?.graderVersion}, others by ${common.graderVersion}`,
          { hint: "give --problems, and all are graded again" },
        );
    }
    counter.add(group);
  }
  return counter.point();
}
