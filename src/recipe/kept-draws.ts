/**
 * Responses are what a run costs. A stage that is repeated for keys which do not change what is drawn keeps those it has:
 * of an unfinished stage they stay where they are, those of a finished one are set aside in its checkpoints.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "../store/canonical.ts";
import type { Json } from "../types.ts";
import type { KeyParts } from "./content-keys.ts";
import { clearStage, stageFolders } from "./run-folder.ts";

/** Folder of the earlier outputs below the checkpoints of a stage. */
const PREVIOUS = "previous";

/** All texts of a configuration, references among them. */
function textsOf(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

/** What decides the draws, as text. */
function drawKey(parts: Record<string, Json>, keysAfterDrawing: readonly string[]): string {
  const config = Object.fromEntries(
    Object.entries((parts["config"] ?? {}) as Record<string, Json>).filter(
      ([key]) => !keysAfterDrawing.includes(key),
    ),
  );
  const named = new Set(textsOf(config));
  const inputs = Object.fromEntries(
    Object.entries((parts["inputs"] ?? {}) as Record<string, Json>).filter(([reference]) =>
      named.has(reference),
    ),
  );
  return canonicalJson({ ...parts, config, inputs });
}

/**
 * True when two keys of a stage ask for the same responses.
 * @param keysAfterDrawing top-level keys of the configuration that only decide what becomes of them
 */
export function drawsUnchanged(
  before: Record<string, Json>,
  after: KeyParts,
  keysAfterDrawing: readonly string[],
): boolean {
  return (
    drawKey(before, keysAfterDrawing) === drawKey(after as unknown as Record<string, Json>, keysAfterDrawing)
  );
}

/** Where the outputs wait between two renames; found again by the next start if the process ends there. */
const waiting = (runFolder: string, id: string): string => `${stageFolders(runFolder, id).final}.previous`;

/** Clears a finished stage and sets its outputs aside. A kill in between leaves them where the next call finds them. */
export function setDrawsAside(runFolder: string, id: string): void {
  const folders = stageFolders(runFolder, id);
  const aside = waiting(runFolder, id);
  if (existsSync(folders.final)) {
    rmSync(aside, { recursive: true, force: true });
    renameSync(folders.final, aside);
  }
  clearStage(runFolder, id);
  if (!existsSync(aside)) return;
  mkdirSync(folders.checkpoints, { recursive: true });
  renameSync(aside, join(folders.checkpoints, PREVIOUS));
}

/** Clears a stage for good. */
export function clearDraws(runFolder: string, id: string): void {
  rmSync(waiting(runFolder, id), { recursive: true, force: true });
  clearStage(runFolder, id);
}

/** File or store of rollouts that was set aside, as references; none in most runs. */
export function previousRollouts(checkpointFolder: string): string[] {
  return ["rollouts.jsonl.gz", "rollouts"]
    .map((name) => join(checkpointFolder, PREVIOUS, name))
    .filter((path) => existsSync(path));
}

/** Removes what was set aside, once the new outputs are written. */
export function discardPrevious(checkpointFolder: string): void {
  rmSync(join(checkpointFolder, PREVIOUS), { recursive: true, force: true });
}
