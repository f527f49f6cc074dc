/**
 * Runs a recipe: plans against the ledger, skips what is done, runs the rest in order, and leaves at every moment a
 * folder that `resume` can continue. Owns order, keys, atomic outputs and the lock; a stage owns its own work.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { formatRecipe } from "../config/format-recipe.ts";
import type { Located } from "../config/located.ts";
import type { Recipe } from "../config/recipe.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import { InterruptedError, PolarisError, StoreError } from "../errors.ts";
import { isFileError, storeError } from "../store/file-errors.ts";
import { type Ledger, openLedger } from "../store/ledger.ts";
import { acquireRunLock, type RunLock } from "../store/run-lock.ts";
import type { Json } from "../types.ts";
import { type KeyParts, stageKeys, staleReason } from "./content-keys.ts";
import { describeEnvironment, environmentFile } from "./environment.ts";
import { type GraphStage, orderStages } from "./graph.ts";
import { openRunLogs, type RunLogs } from "./metrics-log.ts";
import { openPolicy } from "./open-policy.ts";
import { createPolicySlot, type OpenPolicy, type PolicySlot } from "./policy-slot.ts";
import type { PlannedStage, RunObserver } from "./run-events.ts";
import {
  clearRunFolder,
  clearStage,
  ledgerPath,
  prepareRunFolder,
  removeLedger,
  stageFolders,
} from "./run-folder.ts";
import type { StageKind, StageOutput } from "./stage.ts";
import { createStageContext } from "./stage-context.ts";
import { missingOutputs, outputToJson, requireOutputs, settleOutput } from "./stage-output.ts";

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
  /** How a policy is opened; the recipe's engine unless a test brings its own. */
  open?: OpenPolicy;
  /** Command line, for environment.json. */
  command?: readonly string[];
}

export interface FinishedStage {
  id: string;
  kind: string;
  skipped: boolean;
  seconds: number;
  output: StageOutput;
}

export interface RunResult {
  runFolder: string;
  seconds: number;
  /** In the order they ran. */
  stages: FinishedStage[];
}

interface Planned extends PlannedStage {
  stage: GraphStage;
  key: string;
  parts: KeyParts;
}

/** What one run holds open. */
interface Run {
  options: RunRecipeOptions;
  runFolder: string;
  ledger: Ledger;
  logs: RunLogs;
  slot: PolicySlot;
  observe: RunObserver;
  signal: AbortSignal;
  outputs: Map<string, StageOutput>;
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
    const keys = await stageKeys(ordered, recipe, kinds);
    const plan = ordered.map((stage) => planStage(runFolder, ledger, stage, keys.get(stage.id)!));
    writeRunFiles(runFolder, recipe, options.command ?? process.argv);
    const logs = openRunLogs(runFolder);
    forgetRemovedStages(runFolder, ledger, logs, new Set(keys.keys()));
    slot = createPolicySlot(engine, options.open ?? openPolicy);
    const stages = plan.map(({ id, kind, state, reason }) => ({
      id,
      kind,
      state,
      ...(reason ? { reason } : {}),
    }));
    observe({
      event: "run-start",
      name: recipe.name,
      runFolder,
      seed: recipe.seed,
      engine: { ...engine },
      stages,
    });
    const signal = AbortSignal.any([lost.signal, ...(options.signal ? [options.signal] : [])]);
    const run: Run = { options, runFolder, ledger, logs, slot, observe, signal, outputs: new Map() };
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
    throw isFileError(error) ? storeError((error as NodeJS.ErrnoException).path ?? runFolder, error) : error;
  } finally {
    await slot?.close();
    lock?.release();
    ledger.close();
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

/** Compares a stage with what the ledger remembers of it. */
function planStage(
  runFolder: string,
  ledger: Ledger,
  stage: GraphStage,
  { key, parts }: { key: string; parts: KeyParts },
): Planned {
  const base = { id: stage.id, kind: stage.kind, stage, key, parts };
  const before = ledger.step(stage.id);
  if (!before) return { ...base, state: "new" };
  if (before.key !== key) return { ...base, state: "stale", reason: staleReason(before.parts, parts) };
  if (before.status !== "done") return { ...base, state: "partial" };
  const missing = missingOutputs(runFolder, (before.output ?? {}) as StageOutput);
  if (missing.length > 0) return { ...base, state: "stale", reason: `missing ${missing.join(", ")}` };
  return { ...base, state: "done" };
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

async function runOrSkip(run: Run, planned: Planned, index: number, total: number): Promise<FinishedStage> {
  const { id, kind } = planned;
  if (planned.state === "done") {
    const step = run.ledger.step(id)!;
    const output = (step.output ?? {}) as StageOutput;
    run.outputs.set(id, output);
    run.observe({ event: "stage-skip", stage: id, kind, index, total, numbers: output.numbers ?? {} });
    return { id, kind, skipped: true, seconds: step.seconds, output };
  }
  if (run.signal.aborted) throw interrupted(run, `stopped before stage ${id}`);
  // A new stage is cleared too: a run whose ledger was lost may have left files of another recipe.
  if (planned.state !== "partial") {
    clearStage(run.runFolder, id);
    run.logs.clear(id);
  }
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  const { attempt } = run.ledger.begin(
    id,
    kind,
    planned.key,
    planned.parts as unknown as Record<string, Json>,
  );
  run.observe({ event: "stage-start", stage: id, kind, index, total, attempt });
  try {
    const { output, tokens } = await runStage(run, planned);
    run.ledger.finish(id, outputToJson(output), seconds());
    run.outputs.set(id, output);
    const numbers = output.numbers ?? {};
    run.observe({ event: "stage-end", stage: id, kind, index, total, seconds: seconds(), tokens, numbers });
    return { id, kind, skipped: false, seconds: seconds(), output };
  } catch (cause) {
    const error = stageError(run, id, cause);
    try {
      run.ledger.stop(
        id,
        error instanceof InterruptedError ? "interrupted" : "failed",
        String(error.message),
        seconds(),
      );
    } catch {
      // On a full disk the note cannot be kept either; the stage still counts as unfinished.
    }
    throw error;
  }
}

/** Runs one stage in its partial folder, which takes its final name before the ledger says done. */
async function runStage(run: Run, planned: Planned): Promise<{ output: StageOutput; tokens: number }> {
  const { runFolder, options } = run;
  const { stage } = planned;
  const folders = stageFolders(runFolder, stage.id);
  for (const folder of [folders.final, folders.partial]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [folders.partial, folders.checkpoints]) mkdirSync(folder, { recursive: true });
  const { context, tokens, finish } = createStageContext({
    ...run,
    stage,
    seed: stage.seed ?? options.recipe.seed,
    folders,
  });
  const returned = await options.kinds[stage.kind]!.run(stage.config, context);
  finish();
  const output = settleOutput(runFolder, folders, returned);
  mkdirSync(dirname(folders.final), { recursive: true });
  renameSync(folders.partial, folders.final);
  requireOutputs(runFolder, stage.id, output);
  return { output, tokens: tokens() };
}

function interrupted(run: Run, message: string, cause?: unknown): InterruptedError {
  return new InterruptedError(message, {
    cause,
    hint: `continue with: polaris run --resume --run-dir ${run.options.runFolder}`,
    details: { runFolder: run.runFolder },
  });
}

/** An error of a stage as the user reads it: which stage, one line, what to do. */
function stageError(run: Run, id: string, cause: unknown): Error {
  const aborted = run.signal.aborted && (cause as Error)?.name === "AbortError";
  if (cause instanceof InterruptedError || aborted) {
    const detail = cause instanceof InterruptedError && cause.message !== "" ? `: ${cause.message}` : "";
    return interrupted(run, `stopped in stage ${id}${detail}`, cause);
  }
  if (isFileError(cause)) return stageError(run, id, storeError(cause.path ?? run.runFolder, cause));
  if (cause instanceof PolarisError) {
    if (!cause.message.includes(`stage ${id}`)) cause.message = `stage ${id}: ${cause.message}`;
    cause.details["stage"] = id;
    return cause;
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}
