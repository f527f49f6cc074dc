/**
 * The rollouts a stage keeps, as `rollout_format` says: files of JSON lines or a store. What a stage writes in one go is
 * complete or absent with the stage; what a long one writes step by step follows its checkpoints.
 */
import { existsSync, rmSync } from "node:fs";
import type { RolloutFormat } from "../../config/stages/common.ts";
import { writeRollouts } from "../../data/rollouts.ts";
import { openRolloutStore } from "../../store/rollouts/open.ts";
import { openRolloutSink, type RolloutSink } from "../../store/rollouts/sink.ts";
import type { RolloutStore } from "../../store/rollouts/store.ts";
import type { Rollout } from "../../types.ts";
import type { StageContext } from "../stage.ts";
import { type OutputPlace, outputPlace, rolloutPlace, stepRolloutsPlace } from "./output-files.ts";

/** Place of the rollouts called `name` among a stage's outputs: `<name>.jsonl.gz`, or the store `<name>/`. */
export function keptRolloutsPlace(
  context: Pick<StageContext, "id" | "folder">,
  name: string,
  format: RolloutFormat = "files",
): OutputPlace {
  return outputPlace(context, format === "store" ? name : `${name}.jsonl.gz`);
}

/** Rollouts of a stage that writes them in one go, as they come. */
export interface KeptRollouts extends RolloutSink {
  readonly place: OutputPlace;
}

/** Opens `keptRolloutsPlace` for writing. @throws {StoreError} when the folder is not writable */
export function openKeptRollouts(
  context: Pick<StageContext, "id" | "folder">,
  name: string,
  format?: RolloutFormat,
): KeptRollouts {
  const place = keptRolloutsPlace(context, name, format);
  const sink = openRolloutSink(place.absolute);
  return {
    place,
    get rollouts() {
      return sink.rollouts;
    },
    write: sink.write,
    close: sink.close,
    discard: sink.discard,
  };
}

/** Rollouts of a stage of many steps, in `rollouts/<stage>/` of the run, readable while it goes on. */
export interface StepRollouts {
  /**
   * Forgets the steps after the checkpoint the stage goes on from, -1 when it has none. Called once, before `write`.
   * @throws {StoreError} when another process writes them, or they are damaged
   */
  rewind(step: number): void;
  /** Keeps a step, if it is one of those to keep. @throws {StoreError} when the disk is full; nothing of it is then kept */
  write(step: number, rollouts: readonly Rollout[]): void;
  /** How an output names them, undefined when none were kept. */
  output(): string | undefined;
  close(): void;
}

export interface StepRolloutsOptions {
  format?: RolloutFormat;
  /** Every n-th step is kept; 0 = none. */
  every: number;
}

/** The rollouts of a stage's steps: a file per step, or one store that a batch per step is added to. */
export function openStepRollouts(
  context: Pick<StageContext, "id" | "runFolder">,
  { format = "files", every }: StepRolloutsOptions,
): StepRollouts {
  const place = stepRolloutsPlace(context);
  let store: RolloutStore | null = null;
  return {
    rewind(step) {
      // Whatever an attempt of another configuration left is in the way of a stage that starts over.
      if (step < 0) rmSync(place.absolute, { recursive: true, force: true });
      // The file of a step is written again, with the same bytes, when the step is repeated.
      if (format !== "store" || every === 0) return;
      store = openRolloutStore(place.absolute);
      store.rewind(step);
    },
    write(step, rollouts) {
      if (every === 0 || step % every !== 0) return;
      if (format === "files") writeRollouts(rolloutPlace(context, step).absolute, rollouts);
      else if (store === null) throw new TypeError(`${place.relative}: written before it was rewound`);
      else store.append(rollouts);
    },
    output: () => (every > 0 && existsSync(place.absolute) ? place.relative : undefined),
    close: () => store?.close(),
  };
}
