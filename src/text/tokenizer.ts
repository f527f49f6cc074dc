/** The tokenizer seam: text to ids and back, as the model's `tokenizer.json` defines it. */

export interface Tokenizer {
  readonly vocabularySize: number;
  readonly padTokenId: number;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number;
  /** Ids of a text; no special token is added. */
  encode(text: string): number[];
  /** Text of ids; special tokens are left out. */
  decode(ids: readonly number[]): string;
}
