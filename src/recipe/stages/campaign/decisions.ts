/**
 * The decisions of a campaign with the numbers each was made from, one JSON line each, and its rounds as they went. They
 * are functions of what the parts left, so a resumed campaign writes the same lines again.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../../data/atomic.ts";
import type { Json } from "../../../types.ts";
import type { CampaignDecision, CampaignRound, DecisionsFile } from "../../result-files.ts";
import type { StageContext } from "../../stage.ts";

export interface DecisionLog {
  /**
   * Adds a decision, tells it unless an earlier attempt did, and writes all so far where they can be followed.
   * @param files what the parts of this round have left for the report by now
   */
  add(decision: CampaignDecision, files?: Record<string, string>): void;
  /** Begins a round; how it ended is set on the same object, before the next decision is added. */
  beginRound(round: CampaignRound): void;
  text(): string;
  /** The file for the report. */
  file(): DecisionsFile;
}

/** Numbers of an output that are numbers. */
export function evidenceOf(numbers: Record<string, Json> | undefined): Record<string, number> {
  return Object.fromEntries(
    Object.entries(numbers ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

const percent = (share: number | undefined): string => `${(100 * (share ?? Number.NaN)).toFixed(1)}%`;

/** A decision as the terminal shows it; warnings that a part has told by itself are not repeated. */
export function describeDecision({ round, decision, choice, reason, evidence }: CampaignDecision): string {
  const why = reason.split("; ")[0];
  const change = (key: string): string =>
    `${percent(evidence[`${key}_start`])} -> ${percent(evidence[`${key}_end`])}`;
  switch (decision) {
    case "length":
      return `round ${round}: response limit ${choice} tokens (${reason})`;
    case "temperature":
      return `round ${round}: temperature ${choice} (${why})`;
    case "end_of_training":
      return `round ${round}: training ended: ${reason}; accuracy ${change("accuracy")}, cut ${change("clip_ratio")}`;
    case "drop_easy":
      return `round ${round}: easy problems: ${choice} (${reason})`;
    case "difference_filter":
      return `round ${round}: difference filter: ${choice} (${reason})`;
  }
}

/**
 * Opens the log; lines that an earlier attempt left count as told.
 *
 * @param replaying true while all parts so far were there before
 */
export function createDecisionLog(context: StageContext, replaying: () => boolean): DecisionLog {
  const path = join(context.checkpointFolder, "decisions.jsonl");
  const told = new Set(existsSync(path) ? readFileSync(path, "utf8").split("\n") : []);
  const lines: string[] = [];
  const decisions: CampaignDecision[] = [];
  const rounds: CampaignRound[] = [];
  const file = (): DecisionsFile => ({ stage: context.id, decisions, rounds });
  const writeFile = (): void =>
    writeFileAtomic(join(context.checkpointFolder, "decisions.json"), `${JSON.stringify(file(), null, 2)}\n`);
  return {
    add(decision, files) {
      const current = rounds.at(-1);
      if (files !== undefined && current?.round === decision.round) current.files = files;
      const line = JSON.stringify(decision);
      decisions.push(decision);
      lines.push(`${line}\n`);
      if (!replaying() || !told.has(line)) context.progress.note(describeDecision(decision));
      writeFileAtomic(path, lines.join(""));
      writeFile();
    },
    beginRound(round) {
      rounds.push(round);
      writeFile();
    },
    text: () => lines.join(""),
    file,
  };
}
