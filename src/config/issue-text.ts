/** One line for one zod issue: what was expected and what was got, in the words of the recipe file. */
import type { z } from "zod";

/** Longest piece of a user's value repeated in a message. */
const MAX_SHOWN = 60;

/** A value as a message shows it. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a group of keys";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function limit(issue: { origin?: string; inclusive?: boolean }, word: string, bound: unknown): string {
  const noun =
    issue.origin === "string"
      ? " characters"
      : issue.origin === "array" || issue.origin === "set"
        ? " items"
        : "";
  const sign =
    word === "least"
      ? issue.inclusive === false
        ? "more than"
        : "at least"
      : issue.inclusive === false
        ? "less than"
        : "at most";
  return `expected ${sign} ${String(bound)}${noun}`;
}

const TYPE_NAMES: Record<string, string> = {
  int: "an integer",
  number: "a number",
  string: "text",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

/**
 * Wording of an issue other than `unrecognized_keys`.
 * @param got the value at the issue's path
 */
export function issueText(issue: z.core.$ZodIssue, got: unknown): string {
  const tail = `, got ${showValue(got)}`;
  switch (issue.code) {
    case "invalid_type": {
      const expected = TYPE_NAMES[issue.expected] ?? issue.expected;
      return got === undefined ? `missing; expected ${expected}` : `expected ${expected}${tail}`;
    }
    case "too_small":
      return limit(issue, "least", issue.minimum) + tail;
    case "too_big":
      return limit(issue, "most", issue.maximum) + tail;
    case "invalid_value": {
      const values = issue.values.map((value) => showValue(value));
      return `expected ${values.length > 1 ? `one of ${values.join(", ")}` : values[0]}${tail}`;
    }
    case "invalid_format":
      return (issue.message.startsWith("expected") ? issue.message : `expected ${issue.format}`) + tail;
    case "invalid_union": {
      if (issue.errors.length === 0 && issue.discriminator !== undefined) {
        const options = (issue as { options?: unknown[] }).options;
        return options
          ? `expected one of ${options.map(showValue).join(", ")}${tail}`
          : `unknown ${issue.discriminator}${tail}`;
      }
      const wants = issue.errors.flatMap((branch) =>
        branch.map((member) =>
          issueText(member, got)
            .replace(tail, "")
            .replace(/^expected /, ""),
        ),
      );
      return `expected ${[...new Set(wants)].join(" or ")}${tail}`;
    }
    default:
      return issue.message;
  }
}
