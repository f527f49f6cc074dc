/**
 * Rollout rescue: one remembered correct response per problem, given back when a later visit fails altogether.
 * A resumed run restores the state and continues alike. Accuracy is logged before rescue; the substitution gate comes
 * after it; old log-probabilities of a rescued response are recomputed under the current policy by the caller.
 * Source: recipe A8 (V1 text and figure 16; no released code).
 */
import type { RandomStream } from "../random.ts";

/** Which of several correct responses is remembered. */
export type RescueKeep = "random" | "last" | "shortest";

export interface RescueOptions {
  keep?: RescueKeep;
  /** A response stored more epochs ago is not used; Infinity = no limit. */
  maxAgeEpochs?: number;
  /** Problems remembered at most; the one stored longest ago leaves first. Infinity = no limit. */
  maxProblems?: number;
}

/** One response of a group as the sink sees it. */
export interface RescueCandidate<Response> {
  response: Response;
  /** True when the grader said so; null (grader failure) is neither stored nor replaced. */
  correct: boolean | null;
  lengthTokens: number;
}

/** State of one problem's slot; plain data when `Response` is. */
export interface RescueEntry<Response> {
  problemId: string;
  response: Response;
  lengthTokens: number;
  epoch: number;
}

export interface RescueVisit<Response> {
  /** Index of the replaced rollout and what replaces it; null when nothing is rescued. */
  rescued: { index: number; response: Response } | null;
  stored: boolean;
}

/** The sink of all problems. */
export class RescueSink<Response> {
  readonly keep: RescueKeep;
  readonly maxAgeEpochs: number;
  readonly maxProblems: number;
  /** Insertion order is the order of storing. */
  readonly #slots = new Map<string, RescueEntry<Response>>();

  constructor(options: RescueOptions = {}) {
    this.keep = options.keep ?? "random";
    this.maxAgeEpochs = options.maxAgeEpochs ?? Number.POSITIVE_INFINITY;
    this.maxProblems = options.maxProblems ?? Number.POSITIVE_INFINITY;
    if (!(this.maxAgeEpochs >= 0))
      throw new RangeError(`maxAgeEpochs: expected 0 or more, got ${this.maxAgeEpochs}`);
    if (!(this.maxProblems >= 1))
      throw new RangeError(`maxProblems: expected 1 or more, got ${this.maxProblems}`);
  }

  get size(): number {
    return this.#slots.size;
  }

  /**
   * One visit of a problem: stores a correct response when there is one, else offers the stored one in place of a
   * uniformly chosen wrong rollout. Pass sampled rollouts only, so that a rescued response is never stored again.
   *
   * @param rollouts the group as sampled, shape [G]
   * @param visit epoch of the visit, and the stage's response limit: a longer stored response is not used
   * @param stream consumed only by a random choice
   */
  visit(
    problemId: string,
    rollouts: readonly RescueCandidate<Response>[],
    visit: { epoch: number; maxLengthTokens?: number },
    stream: RandomStream,
  ): RescueVisit<Response> {
    const correct = rollouts.filter((rollout) => rollout.correct === true);
    if (correct.length > 0) {
      const chosen = this.#choose(correct, stream);
      this.#store({
        problemId,
        response: chosen.response,
        lengthTokens: chosen.lengthTokens,
        epoch: visit.epoch,
      });
      return { rescued: null, stored: true };
    }
    const entry = this.#slots.get(problemId);
    const wrong = [...rollouts.keys()].filter((index) => rollouts[index]?.correct === false);
    if (
      entry === undefined ||
      wrong.length === 0 ||
      visit.epoch - entry.epoch > this.maxAgeEpochs ||
      entry.lengthTokens > (visit.maxLengthTokens ?? Number.POSITIVE_INFINITY)
    )
      return { rescued: null, stored: false };
    return { rescued: { index: stream.pick(wrong), response: entry.response }, stored: false };
  }

  /** Forgets problems that left the data set. */
  forget(problemIds: Iterable<string>): void {
    for (const problemId of problemIds) this.#slots.delete(problemId);
  }

  snapshot(): RescueEntry<Response>[] {
    return [...this.#slots.values()].map((entry) => ({ ...entry }));
  }

  /** Replaces the state. @throws {RangeError} when an entry is malformed or a problem occurs twice */
  restore(entries: readonly RescueEntry<Response>[]): void {
    this.#slots.clear();
    for (const [i, entry] of entries.entries()) {
      if (typeof entry.problemId !== "string" || !(entry.lengthTokens >= 0) || !Number.isFinite(entry.epoch))
        throw new RangeError(`rescue entry ${i}: expected problemId, response, lengthTokens and epoch`);
      if (this.#slots.has(entry.problemId))
        throw new RangeError(`rescue entry ${i}: problem ${entry.problemId} occurs twice`);
      this.#store({ ...entry });
    }
  }

  #choose(correct: readonly RescueCandidate<Response>[], stream: RandomStream): RescueCandidate<Response> {
    if (this.keep === "random") return stream.pick(correct);
    if (this.keep === "last") return correct[correct.length - 1] as RescueCandidate<Response>;
    return correct.reduce((best, rollout) => (rollout.lengthTokens < best.lengthTokens ? rollout : best));
  }

  #store(entry: RescueEntry<Response>): void {
    this.#slots.delete(entry.problemId);
    this.#slots.set(entry.problemId, entry);
    if (this.#slots.size > this.maxProblems) {
      const oldest = this.#slots.keys().next();
      if (!oldest.done) this.#slots.delete(oldest.value);
    }
  }
}
