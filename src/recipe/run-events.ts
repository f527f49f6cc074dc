/** What a run tells the world while it works. Faces (terminal, JSON lines, a server) render these and own no logic. */
import type { Json } from "../types.ts";

/** Before the run: `done` is skipped, `partial` continues from its checkpoint, `stale` is repeated, `new` is run. */
export type PlannedState = "done" | "partial" | "stale" | "new";

export interface PlannedStage {
  id: string;
  kind: string;
  state: PlannedState;
  /** Why a stale stage is repeated. */
  reason?: string;
  /** A stale stage that repeats only the parts the change touches. */
  keepsParts?: boolean;
}

export type RunEvent =
  | {
      event: "run-start";
      name: string;
      runFolder: string;
      seed: number;
      engine: Json;
      stages: PlannedStage[];
    }
  | {
      event: "stage-skip";
      stage: string;
      kind: string;
      index: number;
      total: number;
      numbers: Record<string, Json>;
    }
  | { event: "stage-start"; stage: string; kind: string; index: number; total: number; attempt: number }
  | {
      event: "stage-progress";
      stage: string;
      done: number;
      steps: number;
      values: Record<string, number>;
      /** Tokens sampled or trained in this stage so far, in this attempt. */
      tokens: number;
      seconds: number;
    }
  | { event: "stage-note"; stage: string; text: string }
  | {
      event: "stage-end";
      stage: string;
      kind: string;
      index: number;
      total: number;
      seconds: number;
      tokens: number;
      numbers: Record<string, Json>;
    }
  | { event: "run-end"; name: string; runFolder: string; seconds: number; ran: number; skipped: number };

export type RunObserver = (event: RunEvent) => void;
