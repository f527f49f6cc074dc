/**
 * Sampling of many problems, kept on disk while it goes on: in chunks where the engine runs here, response by response
 * where a server is paid for each. A killed stage draws only what is missing. Requests are seeded by problem (and by
 * sample, for a server), so the result of an engine that honours seeds is the one of an undisturbed run.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { groupByProblem, readRollouts, writeRollouts } from "../../data/rollouts.ts";
import { CheckpointError } from "../../errors.ts";
import type { Problem, Rollout } from "../../types.ts";
import { drawJournaled } from "../journaled-sampling.ts";
import type { StageContext } from "../stage.ts";
import { problemsPerChunk } from "./chunk-size.ts";
import { isCorrect } from "./grading.ts";
import { type SampleGroupsOptions, sampleGroups } from "./sampling.ts";

export interface ChunkedSamplingOptions
  extends Omit<SampleGroupsOptions, "signal" | "onTokens" | "stage" | "policy"> {
  context: StageContext;
  /** Opens the policy; called only when something is left to draw. */
  policy: () => Promise<SampleGroupsOptions["policy"]>;
  /** Names the chunk files of this sampling within the stage. */
  name: string;
  /** Grades a chunk in place. */
  grade: (problems: readonly Problem[], groups: Rollout[][]) => void;
  /** Responses a server may leave out: their problems come with fewer. Default: 0. */
  allowFailed?: number | undefined;
  /** Problems done before this sampling and in all, when a stage samples several times. */
  progress?: { before: number; total: number };
}

/** Rollouts of a stored chunk in the order of its problems. */
async function readChunk(path: string, problems: readonly Problem[], samples: number): Promise<Rollout[][]> {
  const groups = groupByProblem(await readRollouts(path));
  return problems.map(({ id }) => {
    const group = groups.get(id) ?? [];
    if (group.length !== samples)
      throw new CheckpointError(`${path}: expected ${samples} responses to ${id}, got ${group.length}`, {
        hint: `remove ${path} to sample again`,
      });
    return group;
  });
}

/** Problems of one chunk and their graded rollouts, shape [problems][samples]. */
export interface SampledChunk {
  problems: readonly Problem[];
  groups: Rollout[][];
}

/** Where the responses of a remote sampler are kept one by one. */
function journalPath({ context, name }: Pick<ChunkedSamplingOptions, "context" | "name">): string {
  return join(context.checkpointFolder, `${name}.journal.jsonl`);
}

/** True when a server draws: a journal is there, or nothing is and the sampler says so. */
async function drawsRemotely(options: ChunkedSamplingOptions): Promise<boolean> {
  if (existsSync(journalPath(options))) return true;
  if (existsSync(join(options.context.checkpointFolder, `${options.name}-0.jsonl.gz`))) return false;
  return (await options.policy()).remote === true;
}

/** Draws what the journal lacks, in no chunks: a server is kept busy to the end. What was drawn comes in chunks. */
async function* streamJournaled(options: ChunkedSamplingOptions): AsyncGenerator<SampledChunk> {
  const { context, problems, samplesPerProblem, grade, policy } = options;
  const { before = 0, total = problems.length } = options.progress ?? {};
  const perChunk = problemsPerChunk({ samplesPerProblem, maxNewTokens: options.sampling.maxNewTokens });
  const byId = new Map(problems.map((problem) => [problem.id, problem]));
  let [seen, right] = [0, 0];
  const drawn = await drawJournaled({
    ...options,
    stage: context.id,
    path: journalPath(options),
    sampler: policy,
    signal: context.signal,
    onTokens: (count) => context.progress.tokens(count),
    // Graded here only to be shown: a calibration of days says from its first minutes how it goes.
    onResponse: (rollout) => {
      grade([byId.get(rollout.problemId) as Problem], [[rollout]]);
      seen++;
      if (isCorrect(rollout)) right++;
    },
    onResponses: (done, failed) =>
      context.progress.update(before + Math.floor(done / samplesPerProblem), total, {
        ...(seen > 0 ? { accuracy: right / seen } : {}),
        ...(failed > 0 ? { failed } : {}),
      }),
  });
  let part: Problem[] = [];
  let groups: Rollout[][] = [];
  let [done, correct, responses] = [0, 0, 0];
  try {
    for (const { problem, group } of drawn.problems()) {
      part.push(problem);
      groups.push(group);
      responses += group.length;
      done++;
      if (part.length < perChunk && done < problems.length) continue;
      grade(part, groups);
      correct += groups.flat().filter(isCorrect).length;
      context.progress.update(before + done, total, { accuracy: correct / Math.max(1, responses) });
      yield { problems: part, groups };
      part = [];
      groups = [];
    }
  } finally {
    drawn.close();
  }
}

/**
 * Samples and grades every problem, a chunk at a time, in order. A stage that writes a chunk away before it asks for
 * the next one holds no more than one in memory, however many problems there are.
 *
 * @throws {InterruptedError} when the stage is asked to stop; finished chunks and responses are kept
 */
export async function* streamChunks(options: ChunkedSamplingOptions): AsyncGenerator<SampledChunk> {
  if (await drawsRemotely(options)) {
    yield* streamJournaled(options);
    return;
  }
  const { context, problems, samplesPerProblem, name, grade, policy, progress: _, ...rest } = options;
  const { before = 0, total = problems.length } = options.progress ?? {};
  const perChunk = problemsPerChunk({ samplesPerProblem, maxNewTokens: options.sampling.maxNewTokens });
  let correct = 0;
  let responses = 0;
  for (let start = 0; start < problems.length; start += perChunk) {
    const part = problems.slice(start, start + perChunk);
    const path = join(context.checkpointFolder, `${name}-${start / perChunk}.jsonl.gz`);
    let groups: Rollout[][];
    if (existsSync(path)) groups = await readChunk(path, part, samplesPerProblem);
    else {
      groups = await sampleGroups({
        ...rest,
        policy: await policy(),
        problems: part,
        samplesPerProblem,
        stage: context.id,
        signal: context.signal,
        onTokens: (count) => context.progress.tokens(count),
      });
      writeRollouts(path, groups.flat());
    }
    grade(part, groups);
    correct += groups.flat().filter(isCorrect).length;
    responses += groups.flat().length;
    context.progress.update(before + start + part.length, total, { accuracy: correct / responses });
    yield { problems: part, groups };
  }
}

/** Removes the chunks and journals of a stage whose outputs are written. */
export function discardChunks(context: Pick<StageContext, "checkpointFolder">): void {
  if (!existsSync(context.checkpointFolder)) return;
  for (const name of readdirSync(context.checkpointFolder))
    if (/(-\d+\.jsonl\.gz|\.journal\.jsonl)$/.test(name))
      rmSync(join(context.checkpointFolder, name), { force: true });
}

/** Opens a policy at the first call and gives the same one afterwards. */
export function openOnce<Value>(open: () => Promise<Value>): () => Promise<Value> {
  let opened: Promise<Value> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}
