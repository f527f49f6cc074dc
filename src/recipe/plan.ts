/** What a run will do with each stage, decided from the ledger before anything starts. */
import type { Ledger } from "../store/ledger.ts";
import { type KeyParts, staleReason } from "./content-keys.ts";
import type { GraphStage } from "./graph.ts";
import type { PlannedStage } from "./run-events.ts";
import type { StageOutput } from "./stage.ts";
import { missingOutputs } from "./stage-output.ts";

export interface Planned extends PlannedStage {
  stage: GraphStage;
  key: string;
  parts: KeyParts;
}

/** Compares a stage with what the ledger remembers of it. */
export function planStage(
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
