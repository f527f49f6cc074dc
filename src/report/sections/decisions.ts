/**
 * What a campaign decided between its rounds, and from which numbers: a row per decision, the numbers in words with their
 * units, and from where to where those that changed.
 */
import type { CampaignDecision, DecisionsFile } from "../../recipe/result-files.ts";
import { table } from "../components.ts";
import { formatCount, formatNumber, formatShare } from "../format.ts";
import { html, type SafeHtml } from "../html.ts";

/** Rows shown of a campaign; the longest has 32 rounds of five decisions. */
const MAX_ROWS = 200;
const ARROW = " \u2192 ";

const words = (text: string): string => text.replaceAll("_", " ");

const share = (value: number): string => `${formatShare(value)}%`;
const nats = (value: number): string => formatNumber(value, 3);
const plain = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(4)));

/** Why a training ended, as a reader says it. */
const ENDS: Record<string, string> = {
  steps: "all steps done",
  plateau: "plateau",
  length_too_short: "limit too short",
};

/** A phrase of the evidence: its words and how its one or two numbers are written. */
interface Phrase {
  keys: readonly [string] | readonly [string, string];
  text: (numbers: string) => string;
  format: (value: number) => string;
}

/** In this order; a key no phrase names is shown by its own words. */
const PHRASES: readonly Phrase[] = [
  { keys: ["before"], text: (n) => `${n} tokens before`, format: formatCount },
  { keys: ["steps"], text: (n) => `${n} steps`, format: formatCount },
  { keys: ["best_value"], text: (n) => `best ${n}`, format: share },
  { keys: ["best_step"], text: (n) => `at step ${n}`, format: formatCount },
  { keys: ["steps_since_best"], text: (n) => `${n} steps since`, format: formatCount },
  { keys: ["accuracy_start", "accuracy_end"], text: (n) => `accuracy ${n}`, format: share },
  { keys: ["accuracy"], text: (n) => `accuracy ${n}`, format: share },
  { keys: ["diversity"], text: (n) => `diversity ${n}`, format: share },
  { keys: ["target_diversity"], text: (n) => `to reach ${n}`, format: share },
  { keys: ["entropy_start", "entropy_end"], text: (n) => `entropy ${n} nats`, format: nats },
  { keys: ["entropy_before", "entropy_after"], text: (n) => `entropy ${n} nats`, format: nats },
  { keys: ["length_end"], text: (n) => `length ${n} tokens`, format: (v) => formatNumber(v, 0) },
  { keys: ["clip_ratio_start", "clip_ratio_end"], text: (n) => `cut ${n}`, format: share },
  { keys: ["robust_to"], text: (n) => `robust zone to ${n}`, format: plain },
  { keys: ["exploration_to"], text: (n) => `exploration zone to ${n}`, format: plain },
  { keys: ["tried"], text: (n) => `${n} tried`, format: formatCount },
  { keys: ["problems"], text: (n) => `${n} problems`, format: formatCount },
  { keys: ["visited"], text: (n) => `${n} visited`, format: formatCount },
  { keys: ["too_easy"], text: (n) => `${n} too easy`, format: formatCount },
  { keys: ["kept"], text: (n) => `${n} kept`, format: formatCount },
  { keys: ["threshold"], text: (n) => `threshold ${n}`, format: plain },
];

/** The numbers of a decision in words. */
export function describeEvidence({ decision, choice, evidence }: CampaignDecision): string {
  const rest = new Map(Object.entries(evidence));
  const parts: string[] = [];
  // Said by the choice, or by its absence.
  if (decision === "temperature" && rest.get("temperature") === choice) rest.delete("temperature");
  const cut = rest.get("length_too_short");
  rest.delete("length_too_short");
  if (decision === "end_of_training" && !rest.has("best_step")) rest.delete("steps_since_best");
  for (const { keys, text, format } of PHRASES) {
    if (!keys.every((key) => rest.has(key))) continue;
    parts.push(text(keys.map((key) => format(rest.get(key) as number)).join(ARROW)));
    for (const key of keys) rest.delete(key);
  }
  for (const [key, value] of rest) parts.push(`${words(key)} ${plain(value)}`);
  if (cut === 1) parts.push("responses cut while accuracy falls");
  return parts.join(", ");
}

/** What was decided, with its unit. */
function choiceOf({ decision, choice }: CampaignDecision): string {
  if (typeof choice === "string")
    return decision === "end_of_training" ? (ENDS[choice] ?? words(choice)) : choice;
  return decision === "length" ? `${formatCount(choice)} tokens` : plain(choice);
}

/** What each kind of decision is called. */
const NAMES: Record<CampaignDecision["decision"], string> = {
  length: "response\u00a0limit",
  temperature: "temperature",
  end_of_training: "training\u00a0ended",
  drop_easy: "easy\u00a0problems",
  difference_filter: "difference\u00a0filter",
};

/** The reason, below it the evidence, and what the sweep warned of. */
function prose(decision: CampaignDecision): SafeHtml {
  const [reason = "", ...warnings] = decision.reason.split("; ");
  const warned = warnings.length === 0 ? "" : html`<div class="unit">Warned: ${warnings.join("; ")}.</div>`;
  return html`<div class="prose">${reason}<div class="unit">${describeEvidence(decision)}</div>${warned}</div>`;
}

/** The table of one campaign. */
export function decisionsTable({ stage, decisions, rounds }: DecisionsFile, finished: boolean): SafeHtml {
  return table({
    columns: [
      { title: "Round", align: "left" },
      { title: "Decision", align: "left" },
      { title: "Choice", align: "left" },
      { title: "Why, and the evidence", align: "left" },
    ],
    rows: decisions.slice(0, MAX_ROWS).map((decision) => ({
      cells: [
        String(decision.round),
        NAMES[decision.decision],
        html`<span class="value">${choiceOf(decision)}</span>`,
        prose(decision),
      ],
    })),
    caption: html`What was decided over ${String(Math.max(rounds.length, 1))} ${rounds.length === 1 ? "round" : "rounds"}, in order, and the numbers it was decided from. The same lines stand in <code>${finished ? "stages" : "checkpoints"}/${stage}/decisions.jsonl</code>.`,
  });
}

/** Why a round ended, in a word or two; empty while it trains. */
export function endWords(stopped: string | null): string {
  return stopped === null ? "" : (ENDS[stopped] ?? words(stopped));
}
