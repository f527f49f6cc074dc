/**
 * HTML that cannot be forgotten to be escaped: a template tag whose values are text unless they came from the tag.
 * Not a templating language, no attributes helper: every attribute in a template stands in double quotes.
 * Model output and stage names pass through here, so invisible and direction-changing characters are made visible too.
 */

const SAFE: unique symbol = Symbol("safe html");

/** Markup made by {@link html} or {@link trustedHtml}; a value parsed from a file can never be one. */
export interface SafeHtml {
  readonly [SAFE]: string;
}

/** What a template accepts; `null`, `undefined` and `false` print nothing. */
export type HtmlValue = SafeHtml | string | number | null | undefined | false | readonly HtmlValue[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

// Bidirectional controls can make a wrong answer read as a right one; zero-width characters hide text.
const INVISIBLE = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Control, zero-width and direction characters as visible signs; line feeds and tabs stay. */
export function visibleText(text: string): string {
  return text
    .replace(/\r\n/g, "\n")
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : codePointSign(code);
    })
    .replace(INVISIBLE, (character) => codePointSign(character.charCodeAt(0)))
    .replace(/\p{Surrogate}/gu, "\ufffd");
}

function codePointSign(code: number): string {
  return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
}

/** Text as HTML text or as the inside of a double-quoted attribute. */
export function escapeHtml(text: string): string {
  return visibleText(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] as string);
}

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(render).join("");
  return (value as SafeHtml)[SAFE] ?? "";
}

/** Template tag: literals are markup, values are escaped text, nested templates and lists of them are kept. */
export function html(literals: TemplateStringsArray, ...values: HtmlValue[]): SafeHtml {
  let text = literals[0] as string;
  values.forEach((value, i) => {
    text += render(value) + literals[i + 1];
  });
  return { [SAFE]: text };
}

/** Takes markup as it is. Only for markup a serialiser made (charts) or constants of this folder (the style sheet). */
export function trustedHtml(markup: string): SafeHtml {
  return { [SAFE]: markup };
}

/** The markup itself, for writing it to a file. */
export function htmlText(markup: SafeHtml): string {
  return markup[SAFE];
}

/** A fragment identifier from a name: lower-case letters, digits and dashes, never empty. */
export function fragmentId(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 60) || "section"
  );
}
