/**
 * Draws rollouts from a server response by response and keeps each in a journal at once: a run that was killed asks
 * only for what it never received. Every (problem, sample) has a seed of its own, made from the problem's id.
 */
import { createHash } from "node:crypto";
import { type JournalKey, openSampleJournal, type SampleJournal } from "../data/sample-journal.ts";
import type { SampleRequest, Sampler } from "../engine/seams.ts";
import { EngineError } from "../errors.ts";
import { randomStream } from "../random.ts";
import type { ChatMessage } from "../text/chat-template.ts";
import type { Json, Problem, Rollout } from "../types.ts";
import type { SampleGroupsOptions } from "./stages/sampling.ts";

/** What is drawn is said as in `sampleGroups`; each sample has a stream of its own here. */
export interface DrawJournaledOptions extends Omit<SampleGroupsOptions, "policy"> {
  /** File of the journal. */
  path: string;
  /** Opens the sampler; called only when something is missing. */
  sampler: () => Promise<Sampler>;
  /** What shapes a response beside prompt, sampling, seed and model; a journal of other settings is refused. */
  settings?: Record<string, Json>;
  /** Responses that may be left out because they cannot be drawn; their groups are smaller. Default 0. */
  allowFailed?: number | undefined;
  /** Responses there, those of the journal included, and responses given up in this call. */
  onResponses?: (done: number, failed: number) => void;
  /** Every response of this call as it comes, in no order, ungraded: for what is shown meanwhile. */
  onResponse?: (rollout: Rollout) => void;
}

/** A response that was given up. */
export interface FailedResponse {
  problemId: string;
  sample: number;
  reason: string;
}

/** One problem with all its responses. */
export interface DrawnProblem {
  problem: Problem;
  group: Rollout[];
}

/** Hexadecimal digits of a SHA-256 that tell prompts apart. */
const HASH_DIGITS = 16;

/** What was asked, as a short hash: messages where there are some. */
function promptHash(prompt: string, messages: readonly ChatMessage[] | undefined): string {
  const asked = messages === undefined ? prompt : JSON.stringify(messages);
  return createHash("sha256").update(asked).digest("hex").slice(0, HASH_DIGITS);
}

/** Everything that was drawn, in the journal on disk. */
export interface Drawn {
  /** Responses that were left out; at most `allowFailed`. */
  failed: readonly FailedResponse[];
  /** Every problem in order; responses are read as they are asked for. */
  problems(): Generator<DrawnProblem>;
  close(): void;
}

/** Problems named in an error. */
const MAX_NAMED = 5;

/** The error of a draw, naming the problems at fault: the server knows requests only. */
function withProblems(
  error: unknown,
  asked: readonly JournalKey[],
  failed: readonly FailedResponse[],
): unknown {
  if (!(error instanceof EngineError)) return error;
  const { message, hint, details, retryable, cause } = error;
  const request = details?.["request"];
  const names = [...new Set(failed.map(({ problemId }) => problemId))];
  const shown = names.slice(0, MAX_NAMED).join(", ") + (names.length > MAX_NAMED ? ", ..." : "");
  const named =
    typeof request === "number"
      ? `problem ${asked[request]?.problemId}: ${message}`
      : names.length > 0
        ? `${message} (problem${names.length > 1 ? "s" : ""} ${shown})`
        : message;
  return new EngineError(named, { hint, details, retryable, cause });
}

/**
 * Draws what the journal lacks. Responses wait in the journal, not in memory.
 *
 * @throws {InterruptedError} when the signal fires; {EngineError} when more responses than allowed could not be drawn.
 * Both keep everything that was finished
 */
export async function drawJournaled(options: DrawJournaledOptions): Promise<Drawn> {
  const { problems, sampling, samplesPerProblem, seed, stream, stage, step, policyVersion } = options;
  const journal = openSampleJournal(options.path, {
    ...sampling,
    seed,
    stream: stream.join("/"),
    model: policyVersion,
    ...options.settings,
  });
  try {
    const { hashes, failed } = await drawMissing(journal, options);
    return {
      failed,
      *problems() {
        for (const [i, problem] of problems.entries())
          yield {
            problem,
            group: Array.from({ length: samplesPerProblem }, (_, sample): Rollout[] => {
              const key = { problemId: problem.id, sample, prompt: hashes[i] as string };
              // Only responses that were left out on purpose are missing here.
              if (!journal.has(key)) return [];
              const response = journal.read(key);
              return [{ problemId: problem.id, stage, step, sample, policyVersion, sampling, ...response }];
            }).flat(),
          };
      },
      close: () => journal.close(),
    };
  } catch (error) {
    journal.close();
    throw error;
  }
}

/** @returns the hash of each problem's prompt, and what was left out */
async function drawMissing(
  journal: SampleJournal,
  options: DrawJournaledOptions,
): Promise<{ hashes: string[]; failed: FailedResponse[] }> {
  const { problems, promptOf, messagesOf, sampling, samplesPerProblem, seed, stream } = options;
  const hashes: string[] = [];
  const missing: { key: JournalKey; seed: number }[] = [];
  const requests: SampleRequest[] = [];
  for (const problem of problems) {
    const prompt = promptOf(problem);
    const messages = messagesOf?.(problem);
    const hash = promptHash(prompt, messages);
    hashes.push(hash);
    for (let sample = 0; sample < samplesPerProblem; sample++) {
      const key = { problemId: problem.id, sample, prompt: hash };
      if (journal.has(key)) continue;
      const own = randomStream(seed, ...stream, problem.id, sample).uint32();
      missing.push({ key, seed: own });
      requests.push({ prompt, messages, samples: 1, sampling, seed: own });
    }
  }
  let done = problems.length * samplesPerProblem - missing.length;
  const failed: FailedResponse[] = [];
  options.onResponses?.(done, 0);
  if (missing.length === 0) return { hashes, failed };
  let seen = 0;
  const sampler = await options.sampler();
  const drawing = sampler.sample(requests, {
    signal: options.signal,
    ...(options.allowFailed === undefined ? {} : { allowFailed: options.allowFailed }),
    onResponse: (request, _, completion) => {
      const { key, seed: own } = missing[request] as (typeof missing)[number];
      journal.append(key, { seed: own, ...completion });
      done++;
      const { problemId, sample } = key;
      const { stage, step, policyVersion } = options;
      options.onResponse?.({
        problemId,
        stage,
        step,
        sample,
        policyVersion,
        sampling,
        seed: own,
        ...completion,
      });
    },
    onFailure: (request, _, reason) => {
      const { key } = missing[request] as (typeof missing)[number];
      journal.fail(key, reason);
      failed.push({ problemId: key.problemId, sample: key.sample, reason });
    },
    onProgress: (_, tokens) => {
      options.onTokens?.(tokens - seen);
      seen = tokens;
      options.onResponses?.(done, failed.length);
    },
  });
  try {
    await drawing;
  } catch (error) {
    throw withProblems(
      error,
      missing.map(({ key }) => key),
      failed,
    );
  }
  return { hashes, failed };
}
