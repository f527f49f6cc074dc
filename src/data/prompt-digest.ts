/** When two questions are the same one: the normalised text, its digest, and the id made of it. Source: recipe A1.6. */
import { hash } from "node:crypto";
import { stripInstructions } from "../text/prompts.ts";

/** Anything but printable ASCII with single spaces, which is normal as it is. */
const NOT_PLAIN = /[^ -~]| {2}/;

/** Text that is equal for two spellings of one question: instructions off, Unicode composed, spaces collapsed. */
export function normalizePrompt(prompt: string): string {
  const text = stripInstructions(prompt);
  // Looking is cheaper than normalising and replacing.
  return (NOT_PLAIN.test(text) ? text.normalize("NFC").replace(/\s+/g, " ") : text).trim();
}

/** The last question's digest: reading, deduplication and ids ask for the same one in turn. */
let lastDigest = { prompt: "", digest: "" };

/** SHA-256 of the normalised text in hexadecimal digits: equal for two spellings of one question. */
export function promptDigest(prompt: string): string {
  if (lastDigest.digest === "" || lastDigest.prompt !== prompt) {
    const digest = hash("sha256", normalizePrompt(prompt), "hex");
    lastDigest = { prompt, digest };
  }
  return lastDigest.digest;
}

/** Id of a question that brings none: the first 64 bits of its digest. */
export function promptId(prompt: string): string {
  return `p-${promptDigest(prompt).slice(0, 16)}`;
}
