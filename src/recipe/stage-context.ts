/** The world as one stage sees it: its folders, its inputs, the policy, its metrics, the way to report progress. */
import { isAbsolute } from "node:path";
import type { EngineConfig } from "../config/engine.ts";
import { ConfigError } from "../errors.ts";
import type { GraphStage } from "./graph.ts";
import type { RunLogs } from "./metrics-log.ts";
import { servedTemplate } from "./open-policy.ts";
import type { PolicySlot } from "./policy-slot.ts";
import { resolveReference, servedName } from "./references.ts";
import type { RunObserver } from "./run-events.ts";
import type { StageFolders } from "./run-folder.ts";
import type { StageContext, StageOutput } from "./stage.ts";
import { absoluteOutput } from "./stage-output.ts";

export interface StageContextOptions {
  stage: GraphStage;
  seed: number;
  runFolder: string;
  folders: StageFolders;
  keyParts: StageContext["keyParts"];
  /** Outputs of the stages that have finished. */
  outputs: ReadonlyMap<string, StageOutput>;
  logs: RunLogs;
  slot: PolicySlot;
  engine: EngineConfig;
  signal: AbortSignal;
  observe: RunObserver;
  /** Milliseconds between two progress events. */
  progressIntervalMs: number;
}

/** The context, the tokens counted so far, and the call that closes the stage's part of the logs. */
export function createStageContext(options: StageContextOptions): {
  context: StageContext;
  tokens(): number;
  finish(): void;
} {
  const { stage, runFolder, folders, outputs, logs, slot, engine, observe, progressIntervalMs } = options;
  const startedMs = performance.now();
  let tokens = 0;
  let lastUpdateMs = Number.NEGATIVE_INFINITY;
  const note = (text: string): void => observe({ event: "stage-note", stage: stage.id, text });
  const metrics = logs.writer(stage.id, (name) =>
    note(`${name} is not a finite number; left out of metrics.jsonl`),
  );
  /** Only declared inputs may be read: the content key covers no others. */
  const declared = (reference: string): string => {
    if (stage.inputs.has(reference)) return reference;
    throw new ConfigError(`stage ${stage.id} reads "${reference}" without naming it as an input`);
  };
  const output = (id: string): StageOutput => {
    const found = outputs.get(declared(id));
    if (found) return found;
    if (id.includes("@"))
      throw new ConfigError(`stage ${stage.id}: "${id}" names weights, and this key takes a stage or a path`);
    throw new ConfigError(`stage ${stage.id}: "${id}" is no stage of this recipe`);
  };
  const model = (reference: string): string => {
    // A folder the stage itself just wrote, for example a merged candidate, needs no declaration.
    if (
      isAbsolute(reference) &&
      [folders.partial, folders.checkpoints].some((own) => reference.startsWith(own))
    )
      return reference;
    const resolved = stage.inputs.get(declared(reference)) ?? resolveReference(reference, []);
    if (resolved.kind === "path") return resolved.path;
    if (resolved.kind === "served")
      throw new ConfigError(
        `stage ${stage.id}: ${reference} is held by a server; its weights are not on this disk`,
        {
          hint: "name a stage that trains or merges, builtin:<name>, or a checkpoint folder",
        },
      );
    // A stage named with `@` is declared under the whole reference.
    const { checkpoint, models } = outputs.get(resolved.id) ?? output(resolved.id);
    if (resolved.model !== undefined) {
      const kept = models?.[resolved.model];
      if (kept !== undefined) return absoluteOutput(runFolder, kept);
      const names = Object.keys(models ?? {}).map((name) => `${resolved.id}@${name}`);
      throw new ConfigError(`stage ${stage.id}: ${reference} was not kept`, {
        hint: `there are ${[resolved.id, ...names].join(", ")}`,
      });
    }
    if (checkpoint !== undefined) return absoluteOutput(runFolder, checkpoint);
    throw new ConfigError(`stage ${stage.id}: stage "${resolved.id}" leaves no model`, {
      hint: "name a stage that trains or merges, builtin:<name>, or a checkpoint folder",
    });
  };
  const context: StageContext = {
    id: stage.id,
    seed: options.seed,
    runFolder,
    folder: folders.partial,
    checkpointFolder: folders.checkpoints,
    keyParts: options.keyParts,
    output,
    model,
    policy: (reference) => slot.policy(model(reference)),
    reference: (reference) => slot.reference(model(reference)),
    sampler: (reference) => {
      const name = servedName(reference);
      if (name !== null) declared(reference);
      return name === null ? slot.policy(model(reference)) : slot.served(name);
    },
    template: (reference) => {
      if (servedName(reference) === null) return { by: "folder", folder: model(reference) };
      return engine.kind === "openai" ? servedTemplate(engine) : { by: "server" };
    },
    metrics,
    progress: {
      update(done, total, values = {}) {
        const nowMs = performance.now();
        if (nowMs - lastUpdateMs < progressIntervalMs && done < total) return;
        lastUpdateMs = nowMs;
        const seconds = (nowMs - startedMs) / 1000;
        observe({ event: "stage-progress", stage: stage.id, done, steps: total, values, tokens, seconds });
      },
      note,
      tokens(count) {
        tokens += count;
      },
    },
    signal: options.signal,
  };
  return { context, tokens: () => tokens, finish: () => metrics.finish() };
}
