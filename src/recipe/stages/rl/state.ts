/**
 * Everything an rl stage carries from batch to batch besides weights, with its form on disk. Random streams are
 * functions of seed and batch number, so the position is all that is kept of them.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RlConfig } from "../../../config/stages/rl.ts";
import { ConsensusSets, type CoreSettings, Gainers } from "../../../consensus/index.ts";
import { CheckpointError } from "../../../errors.ts";
import { type AccuracyLogEntry, formatAccuracyLine, GroupCache, RescueSink } from "../../../rl/index.ts";
import type { ValidationPoint } from "../../result-files.ts";
import type { FoundState, ResumableState } from "../resumable.ts";
import { Course } from "./course.ts";
import type { Group, Member } from "./group.ts";

export class RlState {
  /** Optimiser steps done. */
  step = 0;
  /** Batches drawn: the data position. */
  batch = 0;
  /** Batches skipped by the gate since the last step. */
  skipped = 0;
  /** Tokens of those batches. */
  skippedTokens = 0;
  tokensSampled = 0;
  tokensTrained = 0;
  readonly sets: ConsensusSets;
  /** Votes of the last batches, for the report. */
  readonly gainers = new Gainers();
  readonly sink: RescueSink<Member>;
  readonly cache: GroupCache<Group>;
  /** Highest mean validation accuracy so far and its step; null before the first validation. */
  best: { step: number; accuracy: number } | null = null;
  /** Every validation so far, oldest first. */
  validations: ValidationPoint[] = [];
  /** The accuracy log as lines of text. */
  accuracyLog = "";
  /** The stage's own course, by which it may end. */
  readonly course = new Course();
  /** Accuracy of the batches of the last steps, newest last; for headline numbers. */
  recentAccuracy: number[] = [];

  constructor(config: Pick<RlConfig, "rescue" | "zeroAdvantage">, settings: CoreSettings) {
    this.sets = new ConsensusSets(settings.sets);
    const { store, maxAgeEpochs, maxProblems } = config.rescue;
    this.sink = new RescueSink({ keep: store, maxAgeEpochs, maxProblems });
    this.cache = new GroupCache({
      capacity: config.zeroAdvantage.cacheGroups,
      maxAgeSteps: config.zeroAdvantage.cacheMaxAgeSteps,
    });
  }

  logAccuracy(entry: AccuracyLogEntry): void {
    if (entry.index.length > 0) this.accuracyLog += formatAccuracyLine(entry);
  }

  /** The state as `writeResumable` takes it. */
  toResumable(): ResumableState {
    const { step, batch, skipped, skippedTokens, tokensSampled, tokensTrained, recentAccuracy, best } = this;
    return {
      step,
      facts: { batch, skipped, skippedTokens, tokensSampled, tokensTrained, recentAccuracy, best },
      files: {
        "consensus.jsonl": this.sets.snapshot(),
        "gainers.json": JSON.stringify(this.gainers.snapshot()),
        "rescue.json": JSON.stringify(this.sink.snapshot()),
        "group-cache.json": JSON.stringify(this.cache.snapshot()),
        "accuracy.jsonl": this.accuracyLog,
        "course.json": JSON.stringify(this.course.snapshot()),
        "validations.json": JSON.stringify(this.validations),
      },
    };
  }

  /** Continues from a state on disk. @throws {CheckpointError} when a file is missing or damaged */
  restore(found: FoundState): void {
    const read = (name: string): string => {
      try {
        return readFileSync(join(found.folder, name), "utf8");
      } catch (cause) {
        throw new CheckpointError(`${join(found.folder, name)}: cannot be read`, { cause });
      }
    };
    try {
      this.step = found.step;
      for (const key of ["batch", "skipped", "skippedTokens", "tokensSampled", "tokensTrained"] as const)
        this[key] = found.facts[key] as number;
      this.recentAccuracy = found.facts["recentAccuracy"] as number[];
      this.best = found.facts["best"] as RlState["best"];
      this.sets.restore(read("consensus.jsonl"));
      // States written before gainers were kept have no such file; the window then begins here.
      if (existsSync(join(found.folder, "gainers.json")))
        this.gainers.restore(JSON.parse(read("gainers.json")));
      this.sink.restore(JSON.parse(read("rescue.json")));
      this.cache.restore(JSON.parse(read("group-cache.json")));
      this.accuracyLog = read("accuracy.jsonl");
      this.course.restore(JSON.parse(read("course.json")));
      const validations: unknown = JSON.parse(read("validations.json"));
      if (!Array.isArray(validations)) throw new RangeError("validations.json: expected a list");
      this.validations = validations;
    } catch (cause) {
      if (cause instanceof CheckpointError) throw cause;
      throw new CheckpointError(`${found.folder}: damaged state: ${(cause as Error).message}`, {
        cause,
        hint: `remove ${found.folder} to resume from the state before it`,
      });
    }
  }
}
