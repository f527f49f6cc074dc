/**
 * Runs a recipe: plans against the ledger, skips what is done, runs the rest in order, and leaves at every moment a
 * folder that `resume` can continue. Owns order, keys, atomic outputs and the lock; a stage owns its own work.
 */
import { join, resolve } from "node:path";
import { formatRecipe } from "../config/format-recipe.ts";
import type { Located } from "../config/located.ts";
import type { Recipe } from "../config/recipe.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import { StoreError } from "../errors.ts";
import { fileError, isFileError } from "../store/file-errors.ts";
import { type Ledger, openLedger } from "../store/ledger.ts";
import { acquireRunLock, type RunLock } from "../store/run-lock.ts";
import { stageKeys } from "./content-keys.ts";
import { describeEnvironment, environmentFile } from "./environment.ts";
import { orderStages } from "./graph.ts";
import { openRunLogs, type RunLogs } from "./metrics-log.ts";
import { openPolicy } from "./open-policy.ts";
import { pinStages } from "./pins.ts";
import { planStage } from "./plan.ts";
import { createPolicySlot, type OpenPolicy, type PolicySlot } from "./policy-slot.ts";
import type { RunObserver } from "./run-events.ts";
import { clearRunFolder, clearStage, ledgerPath, prepareRunFolder, removeLedger } from "./run-folder.ts";
import { type FinishedStage, runOrSkip } from "./run-stage.ts";
import type { StageKind } from "./stage.ts";

const PROGRESS_INTERVAL_MS = 50;

export interface RunRecipeOptions {
  recipe: Recipe;
  /** Where the recipe's values were written, for error lines. */
  tree: Located;
  kinds: Readonly<Record<string, StageKind>>;
  runFolder: string;
  /** Continue what the folder holds; starts from the beginning when it holds nothing. */
  resume?: boolean;
  /** Remove what the folder holds. */
  overwrite?: boolean;
  /** Fires when the user asks to stop: the stage finishes its step, the run folder stays resumable. */
  signal?: AbortSignal;
  observe?: RunObserver;
  /**
   * Progress is shown, never stored: its events come at most this often, so that a fast stage is not slowed down by the
   * terminal. Default: 50; 0 = every step.
   */
  progressIntervalMs?: number;
  /** How a policy is opened; the recipe's engine unless a test brings its own. */
  open?: OpenPolicy;
  /** Command line, for environment.json. */
  command?: readonly string[];
}

export interface RunResult {
  runFolder: string;
  seconds: number;
  /** In the order they ran. */
  stages: FinishedStage[];
}

/**
 * Runs every stage that is not done yet.
 * @throws {ConfigError} when the recipe cannot run: unknown reference, circle
 * @throws {StoreError} when the folder is in use, not ours, full or not writable
 * @throws {InterruptedError} after `signal`; the folder can be resumed
 * @throws whatever a stage throws; finished stages are kept
 */
export async function runRecipe(options: RunRecipeOptions): Promise<RunResult> {
  const { recipe, tree, kinds } = options;
  const runFolder = resolve(options.runFolder);
  const observe = options.observe ?? (() => {});
  const ordered = orderStages(recipe, kinds, tree);
  const startedMs = performance.now();
  const hadRun = prepareRunFolder(runFolder, options);
  const ledger = openRunLedger(runFolder, options.overwrite === true);
  let lock: RunLock | undefined;
  let slot: PolicySlot | undefined;
  try {
    const lost = new AbortController();
    lock = acquireRunLock(ledger, { onLost: () => lost.abort() });
    if (hadRun && options.overwrite) {
      clearRunFolder(runFolder);
      for (const step of ledger.steps()) ledger.forget(step.stage);
    }
    const { engine } = recipe;
    const signal = AbortSignal.any([lost.signal, ...(options.signal ? [options.signal] : [])]);
    const pinned = await pinStages(ordered, recipe, kinds, ledger, signal);
    const keys = await stageKeys(pinned.stages, recipe, kinds);
    const plan = pinned.stages.map((stage) => planStage(runFolder, ledger, stage, keys.get(stage.id)!));
    writeRunFiles(runFolder, pinned.recipe, options.command ?? process.argv);
    const logs = openRunLogs(runFolder);
    forgetRemovedStages(runFolder, ledger, logs, new Set(keys.keys()));
    slot = createPolicySlot(engine, options.open ?? openPolicy);
    const stages = plan.map(({ id, kind, state, reason }) => ({
      id,
      kind,
      state,
      ...(reason ? { reason } : {}),
      ...(kinds[kind]?.keepsParts ? { keepsParts: true } : {}),
    }));
    observe({
      event: "run-start",
      name: recipe.name,
      runFolder,
      seed: recipe.seed,
      engine: { ...engine },
      stages,
    });
    const runHint = `continue with: polaris run --resume --run-dir ${options.runFolder}`;
    const run = {
      kinds,
      seed: recipe.seed,
      runFolder,
      runHint,
      ledger,
      logs,
      slot,
      engine,
      observe,
      progressIntervalMs: options.progressIntervalMs ?? PROGRESS_INTERVAL_MS,
      signal,
      outputs: new Map(),
    };
    const finished: FinishedStage[] = [];
    for (const [index, planned] of plan.entries()) {
      finished.push(await runOrSkip(run, planned, index, plan.length));
      if (lock.lost) throw new StoreError(`${runFolder} was taken over by another process`);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    const skipped = finished.filter((stage) => stage.skipped).length;
    observe({
      event: "run-end",
      name: recipe.name,
      runFolder,
      seconds,
      ran: finished.length - skipped,
      skipped,
    });
    return { runFolder, seconds, stages: finished };
  } catch (error) {
    if (lock?.lost) throw new StoreError(`${runFolder} was taken over by another process`, { cause: error });
    throw isFileError(error) ? fileError(error, runFolder) : error;
  } finally {
    try {
      await slot?.close();
    } finally {
      lock?.release();
      ledger.close();
    }
  }
}

/** Opens the ledger; with `overwrite` a corrupt one is replaced, since everything is repeated anyway. */
function openRunLedger(runFolder: string, overwrite: boolean): Ledger {
  const path = ledgerPath(runFolder);
  try {
    return openLedger(path, { create: true });
  } catch (error) {
    const replaceable = error instanceof StoreError && error.details["corrupt"] === true;
    if (!overwrite || !replaceable) throw error;
    removeLedger(runFolder);
    return openLedger(path, { create: true });
  }
}

/** The resolved recipe and the environment, before anything starts. */
function writeRunFiles(runFolder: string, recipe: Recipe, command: readonly string[]): void {
  writeFileAtomic(join(runFolder, "recipe.yaml"), formatRecipe(recipe));
  const path = join(runFolder, "environment.json");
  writeFileAtomic(path, environmentFile(path, describeEnvironment(recipe.engine, command)));
}

/** Stages the recipe no longer has leave nothing behind that a report could take for current. */
function forgetRemovedStages(
  runFolder: string,
  ledger: Ledger,
  logs: RunLogs,
  current: ReadonlySet<string>,
): void {
  for (const { stage } of ledger.steps()) {
    if (current.has(stage)) continue;
    clearStage(runFolder, stage);
    logs.clear(stage);
    ledger.forget(stage);
  }
}
