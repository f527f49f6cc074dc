/** The run folder as paths and rules: what may be used, what is cleared, and never a file that is not ours. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../errors.ts";
import { storeError } from "../store/file-errors.ts";

/** Everything a run writes at the top of its folder; nothing else is ever removed. */
const OWN_ENTRIES = [
  "recipe.yaml",
  "environment.json",
  "metrics.jsonl",
  "timings.jsonl",
  "stages",
  "checkpoints",
  "rollouts",
  "evaluations",
  "summary.json",
  "report",
];
const LEDGER_ENTRIES = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];

export function ledgerPath(runFolder: string): string {
  return join(runFolder, "ledger.db");
}

/** `empty`: absent or nothing in it; `run`: holds a run; `foreign`: holds something else. */
export function inspectFolder(runFolder: string): "empty" | "run" | "foreign" {
  if (!existsSync(runFolder)) return "empty";
  if (!statSync(runFolder).isDirectory()) throw new StoreError(`${runFolder} is a file, expected a folder`);
  let entries: string[];
  try {
    entries = readdirSync(runFolder);
  } catch (cause) {
    throw storeError(runFolder, cause);
  }
  if (entries.length === 0) return "empty";
  return entries.some((name) => name === "ledger.db" || name === "recipe.yaml") ? "run" : "foreign";
}

/**
 * Makes the folder ready, or says why it cannot be used.
 * @returns true when it holds a run to continue or to clear
 * @throws {StoreError} when it holds a run and neither flag is set, or holds other things, or cannot be made
 */
export function prepareRunFolder(
  runFolder: string,
  options: { resume?: boolean; overwrite?: boolean },
): boolean {
  const state = inspectFolder(runFolder);
  if (state === "foreign")
    throw new StoreError(`${runFolder} is not empty and holds no run`, {
      hint: "choose another folder with --run-dir",
    });
  if (state === "run" && !options.resume && !options.overwrite)
    throw new StoreError(`${runFolder} already holds a run`, {
      hint: "--resume continues it, --overwrite starts over, --run-dir names another folder",
    });
  try {
    mkdirSync(runFolder, { recursive: true });
  } catch (cause) {
    throw storeError(runFolder, cause);
  }
  return state === "run";
}

/** Removes what a run wrote, except the ledger, which holds the lock. */
export function clearRunFolder(runFolder: string): void {
  for (const name of OWN_ENTRIES) {
    rmSync(join(runFolder, name), { recursive: true, force: true });
    rmSync(join(runFolder, `${name}.partial`), { recursive: true, force: true });
  }
}

/** Removes a ledger that cannot be opened. */
export function removeLedger(runFolder: string): void {
  for (const name of LEDGER_ENTRIES) rmSync(join(runFolder, name), { force: true });
}

export interface StageFolders {
  /** `stages/<id>`: complete or absent. */
  final: string;
  /** Where the stage writes until it has finished. */
  partial: string;
  checkpoints: string;
}

export function stageFolders(runFolder: string, id: string): StageFolders {
  const final = join(runFolder, "stages", id);
  return { final, partial: `${final}.partial`, checkpoints: join(runFolder, "checkpoints", id) };
}

/** Removes every trace of a stage but its ledger row and log lines. */
export function clearStage(runFolder: string, id: string): void {
  const folders = stageFolders(runFolder, id);
  for (const path of [folders.final, folders.partial, folders.checkpoints, join(runFolder, "rollouts", id)])
    rmSync(path, { recursive: true, force: true });
  rmSync(join(runFolder, "evaluations", `${id}.json`), { force: true });
}
