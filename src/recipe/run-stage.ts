/**
 * One stage of a run: skip it, or run it in its partial folder and settle what it wrote. The folder takes its final
 * name before the ledger says done, so a kill at any moment leaves a stage either done or to be run again.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { EngineConfig } from "../config/engine.ts";
import { InterruptedError, PolarisError } from "../errors.ts";
import { fileError, isFileError } from "../store/file-errors.ts";
import type { Ledger } from "../store/ledger.ts";
import type { Json } from "../types.ts";
import { clearDraws, drawsUnchanged, setDrawsAside } from "./kept-draws.ts";
import type { RunLogs } from "./metrics-log.ts";
import type { Planned } from "./plan.ts";
import type { PolicySlot } from "./policy-slot.ts";
import type { RunObserver } from "./run-events.ts";
import { stageFolders } from "./run-folder.ts";
import type { StageKind, StageOutput } from "./stage.ts";
import { createStageContext } from "./stage-context.ts";
import { absoluteOutput, outputToJson, requireOutputs, settleOutput } from "./stage-output.ts";
import { readSweep } from "./temperature/read-sweep.ts";
import { temperatureReferences, withTemperatures } from "./temperature-references.ts";

/** What one run holds open. */
export interface Run {
  kinds: Readonly<Record<string, StageKind>>;
  /** Seed of the recipe. */
  seed: number;
  runFolder: string;
  /** How to continue, as a command. */
  runHint: string;
  ledger: Ledger;
  logs: RunLogs;
  slot: PolicySlot;
  engine: EngineConfig;
  observe: RunObserver;
  progressIntervalMs: number;
  signal: AbortSignal;
  /** Outputs of finished stages by id. */
  outputs: Map<string, StageOutput>;
}

export interface FinishedStage {
  id: string;
  kind: string;
  skipped: boolean;
  seconds: number;
  output: StageOutput;
}

/** Runs one stage unless its output is there already; the ledger knows at every moment how far it came. */
export async function runOrSkip(
  run: Run,
  planned: Planned,
  index: number,
  total: number,
): Promise<FinishedStage> {
  const { id, kind } = planned;
  if (planned.state === "done") {
    const step = run.ledger.step(id)!;
    const output = (step.output ?? {}) as StageOutput;
    run.outputs.set(id, output);
    run.observe({ event: "stage-skip", stage: id, kind, index, total, numbers: output.numbers ?? {} });
    return { id, kind, skipped: true, seconds: step.seconds, output };
  }
  if (run.signal.aborted) throw interrupted(run, `stopped before stage ${id}`);
  const keepsParts = run.kinds[kind]?.keepsParts === true && run.ledger.step(id)?.kind === kind;
  // A new stage is cleared too: a run whose ledger was lost may have left files of another recipe.
  if (planned.state !== "partial" && !keepsParts) {
    clear(run, planned);
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

/** Makes room for a stage that starts anew; responses that would be drawn again as they are stay. */
function clear({ kinds, ledger, runFolder }: Run, { id, kind, parts }: Planned): void {
  const before = ledger.step(id);
  const { keysAfterDrawing } = kinds[kind]!;
  const same =
    before?.kind === kind &&
    keysAfterDrawing !== undefined &&
    drawsUnchanged(before.parts, parts, keysAfterDrawing);
  if (!same) clearDraws(runFolder, id);
  else if (before.status === "done") setDrawsAside(runFolder, id);
}

/** Runs one stage in its partial folder, which takes its final name before the ledger says done. */
async function runStage(run: Run, planned: Planned): Promise<{ output: StageOutput; tokens: number }> {
  const { runFolder } = run;
  const { stage } = planned;
  const folders = stageFolders(runFolder, stage.id);
  for (const folder of [folders.final, folders.partial]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [folders.partial, folders.checkpoints]) mkdirSync(folder, { recursive: true });
  const { context, tokens, finish } = createStageContext({
    ...run,
    stage,
    seed: stage.seed ?? run.seed,
    folders,
    keyParts: planned.parts,
  });
  const returned = await run.kinds[stage.kind]!.run(resolveTemperatures(run, planned), context);
  finish();
  const output = settleOutput(runFolder, folders, returned);
  mkdirSync(dirname(folders.final), { recursive: true });
  renameSync(folders.partial, folders.final);
  requireOutputs(runFolder, stage.id, output);
  return { output, tokens: tokens() };
}

/** The configuration with every `temperature_from` replaced by the number its sweep chose, which is noted. */
function resolveTemperatures(run: Run, { stage }: Planned): unknown {
  const references = temperatureReferences(stage.config);
  if (references.length === 0) return stage.config;
  const temperatures = new Map<string, number>();
  for (const reference of references) {
    const input = stage.inputs.get(reference);
    const path =
      input?.kind === "stage"
        ? absoluteOutput(run.runFolder, run.outputs.get(input.id)?.files?.["sweep"] ?? "")
        : input?.kind === "path"
          ? input.path
          : reference;
    const { temperature } = readSweep(path).decision;
    temperatures.set(reference, temperature);
    run.observe({
      event: "stage-note",
      stage: stage.id,
      text: `temperature ${temperature} from ${reference}`,
    });
  }
  return withTemperatures(stage.config, temperatures);
}

function interrupted(run: Run, message: string, cause?: unknown): InterruptedError {
  return new InterruptedError(message, {
    cause,
    hint: run.runHint,
    details: { runFolder: run.runFolder },
  });
}

/** An error of a stage as the user reads it: which stage, one line, what to do. */
function stageError(run: Run, id: string, cause: unknown): Error {
  const aborted = run.signal.aborted && (cause as Error)?.name === "AbortError";
  if (cause instanceof InterruptedError || aborted) {
    const detail = cause instanceof InterruptedError ? cause.message : "";
    if (detail.includes(`stage ${id}`)) return interrupted(run, detail, cause);
    return interrupted(run, `stopped in stage ${id}${detail === "" ? "" : `: ${detail}`}`, cause);
  }
  if (isFileError(cause)) return stageError(run, id, fileError(cause, run.runFolder));
  if (cause instanceof PolarisError) {
    if (!cause.message.includes(`stage ${id}`)) cause.message = `stage ${id}: ${cause.message}`;
    cause.details["stage"] = id;
    return cause;
  }
  return cause instanceof Error ? cause : new Error(String(cause));
}
