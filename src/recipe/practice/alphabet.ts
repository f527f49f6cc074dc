/**
 * The alphabet of the practice tasks: 33 tokens whose texts, put one after the other, are the text itself. So the
 * parsers of `\underline{}` and `\boxed{}` read a practice response as they read any other.
 * Ids are the position in `PRACTICE_TOKENS` and are part of every shipped checkpoint: append, never reorder.
 */
import { DataError } from "../../errors.ts";

/** Opens an intermediate result; one token. */
export const UNDERLINE_OPEN = "\\underline{";
/** Opens the final answer; one token. */
export const BOXED_OPEN = "\\boxed{";

/** Digits: values and constants, all arithmetic being modulo 10. */
export const DIGITS = "0123456789";
/** Variables; a problem uses a random sample of them. */
export const LETTERS = "abcdefghij";

/** Texts of the three special tokens. */
export const PAD_TOKEN = "<pad>";
export const BOS_TOKEN = "<bos>";
export const EOS_TOKEN = "<eos>";

/** Token texts by id. */
export const PRACTICE_TOKENS: readonly string[] = [
  PAD_TOKEN,
  BOS_TOKEN,
  EOS_TOKEN,
  ...DIGITS,
  ...LETTERS,
  "+",
  "-",
  "*",
  "=",
  ";",
  "?",
  ":",
  "}",
  UNDERLINE_OPEN,
  BOXED_OPEN,
];

export const PAD_ID = 0;
export const BOS_ID = 1;
export const EOS_ID = 2;

const ID_OF_TOKEN: ReadonlyMap<string, number> = new Map(PRACTICE_TOKENS.map((token, id) => [token, id]));

/**
 * Ids of a practice text, special tokens excluded: what `tokenizer.json` gives, without loading it.
 * The generators call this for millions of tokens.
 *
 * @throws {DataError} at the first character outside the alphabet
 */
export function encodePractice(text: string): number[] {
  const ids: number[] = [];
  let position = 0;
  while (position < text.length) {
    let token = text[position] as string;
    if (token === "\\") {
      const macro = [UNDERLINE_OPEN, BOXED_OPEN].find((open) => text.startsWith(open, position));
      if (macro !== undefined) token = macro;
    }
    const id = ID_OF_TOKEN.get(token);
    if (id === undefined)
      throw new DataError(
        `practice text: expected one of the ${PRACTICE_TOKENS.length} tokens, got ${JSON.stringify(token)} at character ${position}`,
        { hint: "practice models read practice problems only; choose another model for other text" },
      );
    ids.push(id);
    position += token.length;
  }
  return ids;
}

/** Text of ids, special tokens left out. @throws {RangeError} when an id is outside the vocabulary */
export function decodePractice(ids: readonly number[]): string {
  let text = "";
  for (const id of ids) {
    const token = PRACTICE_TOKENS[id];
    if (token === undefined)
      throw new RangeError(`practice token id: expected 0..${PRACTICE_TOKENS.length - 1}, got ${id}`);
    if (id > EOS_ID) text += token;
  }
  return text;
}
