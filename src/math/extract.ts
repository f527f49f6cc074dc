/**
 * Takes the final answer out of a model's response. Says why when there is none; a response cut at the token limit
 * is `truncated`, never `wrong`. It does not judge the answer: that is `verify`.
 * Source: recipe.md A11 (think-close rule, last balanced box) and grading.md section 5.
 */
import { closingBrace, skipSpaces } from "./braces.ts";
import { proseAnswer } from "./prose.ts";

/**
 * `last_boxed`: the last balanced `\boxed{}` or `\fbox{}` anywhere. `think_close`: only the text after the first
 * `</think>` counts (and before a second one), and its absence means no answer.
 */
export type ExtractMode = "last_boxed" | "think_close";

export interface ExtractOptions {
  /** @default "last_boxed" */
  mode?: ExtractMode;
  /** `last` takes one box; `all` joins boxes that form one enumeration, "\boxed{1} and \boxed{2}". @default "last" */
  boxes?: "last" | "all";
  /** Without a box, fall back to "the answer is ...", the last formula, the last number. @default false */
  prose?: boolean;
  /** Why generation ended; `length` and `cancelled` turn "nothing found" into `truncated`. */
  finishReason?: "stop" | "length" | "cancelled";
}

export interface Extraction {
  /** The answer as written, trimmed, or null. */
  answer: string | null;
  /**
   * `boxed`, `boxes`, `prose` when found; otherwise `empty`, `no_think_close`, `no_boxed`, `unclosed_boxed`,
   * `empty_boxed` or `truncated`.
   */
  reason: string;
}

/** Only the last part of a longer response is searched: an answer stands at the end. Characters. */
const MAX_TAIL_CHARS = 200_000;
/** No answer is longer; a larger box is a model that boxed its whole solution. Characters. */
const MAX_ANSWER_CHARS = 20_000;
/** Boxes joined by the `all` policy at most; more is enumeration of guesses. */
const MAX_BOXES = 64;

interface Box {
  /** Index of the backslash. */
  start: number;
  /** Index after the closing brace. */
  end: number;
  content: string;
}

/** All outermost balanced boxes in order, and whether a box stands open at the end. */
function findBoxes(text: string): { boxes: Box[]; unclosed: boolean } {
  const boxes: Box[] = [];
  let unclosed = false;
  // A failed search from one open box would repeat for each later one: after the first failure the remaining text
  // is searched with the knowledge that this brace level never closes, at most MAX_BOXES times.
  let failures = 0;
  const pattern = /\\(?:boxed|fbox)(?![A-Za-z])/g;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const open = skipSpaces(text, pattern.lastIndex);
    if (text.charCodeAt(open) !== 123) {
      // TeX takes the next token as the argument: `\boxed 7`.
      const token = /^[0-9A-Za-z]/.exec(text.slice(open, open + 1));
      if (token !== null && open > pattern.lastIndex)
        boxes.push({ start: match.index, end: open + 1, content: token[0] });
      continue;
    }
    const close = closingBrace(text, open);
    if (close < 0) {
      unclosed = true;
      if (++failures >= MAX_BOXES) break;
      continue;
    }
    boxes.push({ start: match.index, end: close + 1, content: text.slice(open + 1, close) });
    pattern.lastIndex = close + 1;
  }
  return { boxes, unclosed };
}

/** The final run of boxes joined by nothing but punctuation, conjunctions or one line of words. */
function joinBoxes(text: string, boxes: readonly Box[]): string {
  let first = boxes.length - 1;
  while (first > 0 && boxes.length - first < MAX_BOXES) {
    const between = text.slice((boxes[first - 1] as Box).end, (boxes[first] as Box).start);
    if (between.length > 120 || /\n\s*\n|[?]|\b(?:no|wrong|wait|actually|instead|not|but)\b/i.test(between))
      break;
    first--;
  }
  return boxes
    .slice(first)
    .map((box) => box.content)
    .join(", ");
}

/** The scope of `think_close`: text between the first and the second `</think>`; null without one. */
export function afterThink(response: string): string | null {
  const first = response.indexOf("</think>");
  if (first < 0) return null;
  const start = first + "</think>".length;
  const second = response.indexOf("</think>", start);
  return second < 0 ? response.slice(start) : response.slice(start, second);
}

/**
 * The final answer of a response.
 *
 * @param response text the model wrote, without the prompt
 */
export function extractAnswer(response: string, options: ExtractOptions = {}): Extraction {
  const { mode = "last_boxed", boxes: policy = "last", prose = false, finishReason } = options;
  const cut = finishReason === "length" || finishReason === "cancelled";
  const nothing = (reason: string): Extraction => ({ answer: null, reason: cut ? "truncated" : reason });
  let scope: string | null = response;
  if (mode === "think_close") scope = afterThink(response);
  if (scope === null) return nothing("no_think_close");
  if (scope.length > MAX_TAIL_CHARS) scope = scope.slice(-MAX_TAIL_CHARS);
  if (scope.trim() === "") return nothing("empty");
  const { boxes, unclosed } = findBoxes(scope);
  const last = boxes.at(-1);
  if (last !== undefined) {
    const joined = policy === "all" && boxes.length > 1 ? joinBoxes(scope, boxes) : last.content;
    const answer = joined.trim();
    if (answer === "") return nothing("empty_boxed");
    if (answer.length > MAX_ANSWER_CHARS) return nothing("no_boxed");
    return { answer, reason: joined === last.content ? "boxed" : "boxes" };
  }
  if (prose) {
    const found = proseAnswer(scope);
    if (found !== null) return { answer: found, reason: "prose" };
  }
  return nothing(unclosed ? "unclosed_boxed" : "no_boxed");
}
