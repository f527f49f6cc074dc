/**
 * Intermediate results: the `\underline{}` spans of a response with their canonical keys. Brace-matched, outermost,
 * in order, positions kept. What is dropped is counted by reason, never silently.
 * Source: recipe.md B4 (parser), C2 (keys), C3 rows 3 to 5 (givens, final answer, information).
 */
import type { Answer } from "../types.ts";
import { closingBraces, skipSpaces } from "./braces.ts";
import { canonicalKey } from "./key.ts";
import { verify } from "./verify.ts";

/** One underlined span; `start` and `end` delimit its content in the response. */
export interface StepSpan {
  text: string;
  start: number;
  end: number;
}

export interface StepOptions {
  /** Which part of the response is read, relative to the last `</think>`. @default "both" */
  scope?: "think" | "answer" | "both";
  /** The problem's text: spans that restate it are dropped. */
  dropGivens?: string;
  /** The gold answer: spans that state it are dropped. */
  excludeFinalAnswer?: Answer;
  /** Drop bare integers of at most 12 in size, which match by accident. @default true */
  minInformation?: boolean;
  /** Longer spans are dropped. Characters. @default 200 */
  maxSpanChars?: number;
  /** Only the first that many kept spans count. @default 32 */
  maxSpans?: number;
  /** `keep`: `n=2` and `k=2` differ; `rhs`: only the right side counts. @default "keep" */
  equationMode?: "keep" | "rhs";
}

/** Why spans were not kept, each with how many. */
export interface DroppedSteps {
  /** `\underline{` that never closes. */
  unclosed: number;
  empty: number;
  tooLong: number;
  /** Beyond `maxSpans`. */
  tooMany: number;
  given: number;
  finalAnswer: number;
  littleInformation: number;
}

export interface ExtractedSteps {
  /** Kept spans in order of appearance; repeated results stay, sets are the caller's business. */
  spans: StepSpan[];
  /** `keys[i]` is the canonical key of `spans[i]`. */
  keys: string[];
  /** Outermost, closed, non-empty spans before any filter: what format compliance counts. */
  found: number;
  dropped: DroppedSteps;
}

/** A response is searched up to here. Characters. */
const MAX_RESPONSE_CHARS = 1_000_000;
/** After this many spans a response is spam: the rest is counted as `tooMany` unread. */
const MAX_FOUND = 1024;
/** Parts of a problem whose keys count as givens. */
const MAX_GIVENS = 64;

function findSpans(response: string, from: number, to: number, dropped: DroppedSteps): StepSpan[] {
  const opens: number[] = [];
  const pattern = /\\underline(?![A-Za-z])/g;
  pattern.lastIndex = from;
  for (
    let match = pattern.exec(response);
    match !== null && match.index < to;
    match = pattern.exec(response)
  ) {
    const open = skipSpaces(response, pattern.lastIndex);
    if (response.charCodeAt(open) === 123) opens.push(open);
  }
  const closes = closingBraces(response, opens, from, to);
  const spans: StepSpan[] = [];
  let end = 0;
  for (const open of opens) {
    if (open < end) continue;
    const close = closes.get(open);
    if (close === undefined) {
      dropped.unclosed++;
      continue;
    }
    end = close;
    const text = response.slice(open + 1, close).trim();
    if (text === "") dropped.empty++;
    else if (spans.length >= MAX_FOUND) dropped.tooMany++;
    else spans.push({ text, start: open + 1, end: close });
  }
  return spans;
}

/** Text and keys of everything a problem states: formulas, and statements between separators. */
function givensOf(
  problem: string,
  equationMode: "keep" | "rhs",
): { compact: string; keys: ReadonlySet<string> } {
  const text = problem.slice(0, 20_000);
  const keys = new Set<string>();
  const parts = [...text.matchAll(/\$([^$]{1,400})\$/g)].map((match) => match[1] as string);
  for (const part of [...parts, ...text.split(/[;\n$]|,\s/)]) {
    const trimmed = part.trim();
    if (trimmed === "" || trimmed.length > 200 || keys.size >= MAX_GIVENS) continue;
    keys.add(canonicalKey(trimmed, { equationMode }));
  }
  return { compact: text.replace(/\s+/g, ""), keys };
}

/** Does the span stand in the problem word for word, not as a part of a longer number or word? */
function restates(compactProblem: string, span: string): boolean {
  const needle = span.replace(/[\s$]+/g, "");
  if (needle === "") return true;
  for (let at = compactProblem.indexOf(needle); at >= 0; at = compactProblem.indexOf(needle, at + 1)) {
    const before = compactProblem.charAt(at - 1);
    const after = compactProblem.charAt(at + needle.length);
    if (!/[\w.\\^+\-*/=]/.test(before) && !/[\w^+\-*/=]/.test(after)) return true;
  }
  return false;
}

/**
 * The intermediate results of a response.
 *
 * @param response text the model wrote, without the prompt (the instruction itself contains `\underline{}`)
 */
export function extractSteps(response: string, options: StepOptions = {}): ExtractedSteps {
  const { scope = "both", minInformation = true, maxSpanChars = 200, maxSpans = 32 } = options;
  const { equationMode = "keep", dropGivens, excludeFinalAnswer } = options;
  const text = response.length > MAX_RESPONSE_CHARS ? response.slice(0, MAX_RESPONSE_CHARS) : response;
  const dropped: DroppedSteps = {
    unclosed: 0,
    empty: 0,
    tooLong: 0,
    tooMany: 0,
    given: 0,
    finalAnswer: 0,
    littleInformation: 0,
  };
  const boundary = scope === "both" ? -1 : text.lastIndexOf("</think>");
  const from = scope === "answer" && boundary >= 0 ? boundary : 0;
  const to = scope === "think" && boundary >= 0 ? boundary : text.length;
  const found = findSpans(text, from, to, dropped);
  const givens = dropGivens === undefined ? null : givensOf(dropGivens, equationMode);
  const spans: StepSpan[] = [];
  const keys: string[] = [];
  for (const span of found) {
    if (spans.length >= maxSpans) {
      dropped.tooMany++;
      continue;
    }
    if (span.text.length > maxSpanChars) {
      dropped.tooLong++;
      continue;
    }
    if (minInformation && /^\$?\s*[-+]?\s*0*(?:\d|1[0-2])\s*\$?\.?$/.test(span.text)) {
      dropped.littleInformation++;
      continue;
    }
    const key = canonicalKey(span.text, { equationMode });
    if (givens !== null && (givens.keys.has(key) || restates(givens.compact, span.text))) {
      dropped.given++;
      continue;
    }
    if (excludeFinalAnswer !== undefined && verify(excludeFinalAnswer, span.text).equal) {
      dropped.finalAnswer++;
      continue;
    }
    spans.push(span);
    keys.push(key);
  }
  return { spans, keys, found: found.length, dropped };
}

/**
 * Share of responses with at least `minSteps` closed, non-empty underlines, in [0, 1]; 0 for no responses.
 *
 * @param minSteps recipe.md B3 leaves the required number open; 3 is the default there
 */
export function complianceRate(responses: readonly string[], minSteps = 3): number {
  if (responses.length === 0) return 0;
  let compliant = 0;
  for (const response of responses)
    if (extractSteps(response, { maxSpanChars: 100_000 }).found >= minSteps) compliant++;
  return compliant / responses.length;
}
