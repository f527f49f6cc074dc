/**
 * metrics.jsonl and timings.jsonl: one line per stage and step, appended as the run goes, so that a viewer can follow
 * along. A resumed stage first forgets the lines its checkpoint does not know of; the file then ends byte for byte
 * like that of an undisturbed run.
 */
import { existsSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { appendToFile, writeFileAtomic } from "../data/atomic.ts";
import { DataError } from "../errors.ts";
import type { MetricsWriter } from "./stage.ts";

/** One append-only JSONL file of step records. */
interface StepLog {
  append(stage: string, step: number, values: Record<string, number>): void;
  /** Removes the lines of a stage after a step; -1 removes them all. */
  forget(stage: string, afterStep: number): void;
}

function openStepLog(path: string): StepLog {
  repairTail(path);
  return {
    append(stage, step, values) {
      appendToFile(path, `${JSON.stringify({ stage, step, ...values })}\n`);
    },
    forget(stage, afterStep) {
      if (!existsSync(path)) return;
      const lines = readFileSync(path, "utf8").split("\n");
      const kept = lines.filter((line, index) => {
        if (line === "") return index === lines.length - 1;
        let record: { stage?: unknown; step?: unknown };
        try {
          record = JSON.parse(line) as typeof record;
        } catch (cause) {
          throw new DataError(`${path}:${index + 1}: expected a JSON object`, {
            cause,
            hint: "remove the line, or start the run over with --overwrite",
          });
        }
        return record.stage !== stage || Number(record.step) <= afterStep;
      });
      if (kept.length < lines.length) writeFileAtomic(path, kept.join("\n"));
    },
  };
}

/** A killed process can leave half a line at the end: cut it off, since nothing may be appended to it. */
function repairTail(path: string): void {
  if (!existsSync(path)) return;
  const bytes = readFileSync(path);
  const complete = bytes.lastIndexOf(0x0a) + 1;
  if (complete < bytes.length) truncateSync(path, complete);
}

/** The two logs of a run folder. */
export interface RunLogs {
  /** Forgets everything a stage wrote. */
  clear(stage: string): void;
  /**
   * Writer of one stage. Until `rewind` says from where the stage continues, the first write means that it starts
   * over, and forgets what an earlier attempt wrote.
   * @param onDropped told once per metric that was not a finite number and is left out
   */
  writer(stage: string, onDropped: (name: string) => void): MetricsWriter & { finish(): void };
}

/** Opens both logs and repairs a torn last line. */
export function openRunLogs(runFolder: string): RunLogs {
  const metrics = openStepLog(join(runFolder, "metrics.jsonl"));
  const timings = openStepLog(join(runFolder, "timings.jsonl"));
  const forget = (stage: string, afterStep: number): void => {
    metrics.forget(stage, afterStep);
    timings.forget(stage, afterStep);
  };
  return {
    clear: (stage) => forget(stage, -1),
    writer(stage, onDropped) {
      let positioned = false;
      const dropped = new Set<string>();
      const position = (): void => {
        if (!positioned) forget(stage, -1);
        positioned = true;
      };
      const finite = (values: Record<string, number>): Record<string, number> => {
        const entries = Object.entries(values).filter(([name, value]) => {
          if (Number.isFinite(value)) return true;
          if (!dropped.has(name)) onDropped(name);
          dropped.add(name);
          return false;
        });
        return Object.fromEntries(entries);
      };
      return {
        write(step, values) {
          position();
          metrics.append(stage, step, finite(values));
        },
        timing(step, values) {
          position();
          timings.append(stage, step, finite(values));
        },
        rewind(step) {
          positioned = true;
          forget(stage, step);
        },
        finish: position,
      };
    },
  };
}
