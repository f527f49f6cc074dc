/**
 * Resumable state of a long stage: a folder per step with the weights, the optimiser and the stage's own state,
 * complete or absent. Everything random is a function of seed and position, so positions are all there is to keep.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic, writeFolderAtomic } from "../../data/atomic.ts";
import { readJsonFile } from "../../data/json-file.ts";
import type { Policy } from "../../engine/seams.ts";
import { CheckpointError, InterruptedError } from "../../errors.ts";
import type { Json } from "../../types.ts";
import type { StageContext } from "../stage.ts";

/** Format of the state file; other versions are not read. */
const STATE_VERSION = 1;
/** The newest and the one before: a damaged newest folder does not cost the run. */
const KEPT = 2;

/** What a stage keeps besides weights: small facts, and larger tables as files of lines. */
export interface ResumableState {
  /** Steps finished. */
  step: number;
  facts: Record<string, Json>;
  /** Named files of text, for example `consensus.jsonl`. */
  files: Record<string, string>;
}

/** A state found on disk. */
export interface FoundState {
  step: number;
  facts: Record<string, Json>;
  folder: string;
}

function stepFolders(checkpointFolder: string): { step: number; folder: string }[] {
  if (!existsSync(checkpointFolder)) return [];
  return readdirSync(checkpointFolder)
    .flatMap((name) => {
      const match = /^step-(\d{1,9})$/.exec(name);
      return match === null ? [] : [{ step: Number(match[1]), folder: join(checkpointFolder, name) }];
    })
    .sort((a, b) => b.step - a.step);
}

/** Removes all states but the newest ones and the folder `loaded`. */
export function pruneResumable(context: Pick<StageContext, "checkpointFolder">, loaded?: string): void {
  for (const { folder } of stepFolders(context.checkpointFolder).slice(KEPT))
    if (folder !== loaded) rmSync(folder, { recursive: true, force: true });
}

/**
 * Writes the state of a step and removes the ones no longer needed.
 *
 * @param loaded folder the policy was loaded from: engines copy its tokenizer files when they save, so it must stay
 */
export async function writeResumable(
  context: Pick<StageContext, "checkpointFolder">,
  policy: Policy,
  state: ResumableState,
  loaded?: string,
): Promise<void> {
  const folder = join(context.checkpointFolder, `step-${state.step}`);
  mkdirSync(context.checkpointFolder, { recursive: true });
  await writeFolderAtomic(folder, async (partial) => {
    await policy.save(partial, { optimizer: true });
    for (const [name, text] of Object.entries(state.files)) writeFileAtomic(join(partial, name), text);
    const content = { version: STATE_VERSION, step: state.step, facts: state.facts };
    writeFileAtomic(join(partial, "stage-state.json"), `${JSON.stringify(content, null, 2)}\n`);
  });
  pruneResumable(context, loaded);
}

/**
 * The newest state, or null when the stage has none.
 * @throws {CheckpointError} when the newest state cannot be read
 */
export function findResumable(context: Pick<StageContext, "checkpointFolder">): FoundState | null {
  const newest = stepFolders(context.checkpointFolder)[0];
  if (newest === undefined) return null;
  const path = join(newest.folder, "stage-state.json");
  const hint = `remove ${newest.folder} to resume from the state before it`;
  const value = readJsonFile(path, { kind: "checkpoint", hint }) as Partial<FoundState & { version: number }>;
  if (value.version !== STATE_VERSION || value.step !== newest.step || typeof value.facts !== "object")
    throw new CheckpointError(`${path}: expected state version ${STATE_VERSION} of step ${newest.step}`, {
      hint,
    });
  return { step: newest.step, facts: value.facts as Record<string, Json>, folder: newest.folder };
}

/**
 * Ends a stage that was asked to stop, after its state was written.
 * @throws {InterruptedError} when the signal has fired
 */
export function stopIfAsked(context: Pick<StageContext, "id" | "signal">, step: number, total: number): void {
  if (!context.signal.aborted) return;
  throw new InterruptedError(`stage ${context.id} stopped after step ${step} of ${total}`, {
    hint: "start again with --resume to continue from here",
  });
}
