/**
 * Where stages put their files and how outputs name them: relative to the run folder, so that a run can be moved.
 */
import { isAbsolute, join } from "node:path";
import { writeFileAtomic } from "../../data/atomic.ts";
import type { StageContext } from "../stage.ts";

/** A file or folder of this stage: where to write it, and how an output names it. */
export interface OutputPlace {
  absolute: string;
  relative: string;
}

/** Place of `name` among this stage's outputs. */
export function outputPlace(context: Pick<StageContext, "id" | "folder">, name: string): OutputPlace {
  return { absolute: join(context.folder, name), relative: `stages/${context.id}/${name}` };
}

/** Folder of the rollouts of all steps: files of steps, or a store. */
export function stepRolloutsPlace(context: Pick<StageContext, "id" | "runFolder">): OutputPlace {
  const relative = `rollouts/${context.id}`;
  return { absolute: join(context.runFolder, relative), relative };
}

/** Place of the rollouts of one step. */
export function rolloutPlace(context: Pick<StageContext, "id" | "runFolder">, step: number): OutputPlace {
  const folder = stepRolloutsPlace(context);
  const name = `step-${step}.jsonl.gz`;
  return { absolute: join(folder.absolute, name), relative: `${folder.relative}/${name}` };
}

/** Absolute path of a path an output names. */
export function resolveOutput(context: Pick<StageContext, "runFolder">, path: string): string {
  return isAbsolute(path) ? path : join(context.runFolder, path);
}

/** Writes a value as JSON with two-space indent and returns its relative path. */
export function writeJsonOutput(place: OutputPlace, value: unknown): string {
  writeFileAtomic(place.absolute, `${JSON.stringify(value, null, 2)}\n`);
  return place.relative;
}
