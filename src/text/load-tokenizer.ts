/**
 * Loads a checkpoint's tokenizer.json and tokenizer_config.json behind the Tokenizer seam.
 * The work is done by @huggingface/tokenizers (plain JavaScript); this file checks the files, answers for special
 * tokens, and refuses the few constructs that library would tokenise differently from the reference implementation.
 * Source: tokenizer.json as read by github.com/huggingface/tokenizers.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as TokenizerModel } from "@huggingface/tokenizers";
import { readJsonFile } from "../data/json-file.ts";
import { CheckpointError, DataError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** 1 MiB of text: ten times the longest response of the recipe; longer input is a mistake, not a prompt. */
export const MAX_TEXT_CHARACTERS = 2 ** 20;

/** 4 million: 15 times the largest published vocabulary. A table is made up to the largest id. */
const MAX_TOKEN_ID = 2 ** 22;

/** An entry of `added_tokens`. */
interface AddedToken {
  id: number;
  content: string;
  special: boolean;
}

/** JSON object or an empty one: the shapes below are checked field by field. */
function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** A token in tokenizer_config.json is a string, or an object with `content`; null when absent. */
function tokenContent(value: unknown): string | null {
  if (typeof value === "string") return value;
  const content = fieldsOf(value)["content"];
  return typeof content === "string" ? content : null;
}

function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TOKEN_ID;
}

/** Refuses a vocabulary with ids that are none; one huge id would make a table of that size. */
function checkVocabulary(json: Record<string, unknown>, path: string): void {
  for (const [word, id] of Object.entries(fieldsOf(fieldsOf(json["model"])["vocab"])))
    if (!isTokenId(id))
      throw new CheckpointError(
        `${path}: vocabulary: ${JSON.stringify(word.slice(0, 40))}: expected an id of 0..${MAX_TOKEN_ID}, got ${JSON.stringify(id)?.slice(0, 40)}`,
        { details: { file: path } },
      );
}

function readAddedTokens(json: Record<string, unknown>, path: string): AddedToken[] {
  const list = json["added_tokens"] ?? [];
  if (!Array.isArray(list)) throw new CheckpointError(`${path}: added_tokens: expected a list`);
  return list.map((item, index) => {
    const { id, content, special } = fieldsOf(item);
    if (!isTokenId(id) || typeof content !== "string" || content === "")
      throw new CheckpointError(`${path}: added_tokens[${index}]: expected {id, content}`);
    return { id, content, special: special === true };
  });
}

/** Parts of a possibly nested `Sequence` of pre-tokenizers. */
function preTokenizers(value: unknown): Record<string, unknown>[] {
  const fields = fieldsOf(value);
  return Array.isArray(fields["pretokenizers"]) ? fields["pretokenizers"].flatMap(preTokenizers) : [fields];
}

/** Refuses what the JavaScript library is known to treat differently from the reference. */
function refuseUnfaithful(json: Record<string, unknown>, path: string): void {
  for (const { type, behavior } of preTokenizers(json["pre_tokenizer"]))
    if (type === "Split" && !["Isolated", "Removed", undefined].includes(behavior as string | undefined))
      throw new CheckpointError(
        `${path}: pre_tokenizer: Split behavior ${JSON.stringify(behavior)} is not supported`,
      );
}

/**
 * Opens the tokenizer of a checkpoint folder.
 *
 * Text may contain special tokens literally (`<bos>`): they become their id, and `decode` leaves them out again.
 * The padding token falls back to the end token, as is usual for models without one.
 *
 * @throws {CheckpointError} when a file is missing, malformed or uses an unsupported construct, or when the end token
 * is not in the vocabulary
 */
export function loadTokenizer(folder: string): Tokenizer {
  const path = join(folder, "tokenizer.json");
  const configPath = join(folder, "tokenizer_config.json");
  const json = fieldsOf(readJsonFile(path, { kind: "checkpoint" }));
  const config = fieldsOf(existsSync(configPath) ? readJsonFile(configPath, { kind: "checkpoint" }) : {});
  const added = readAddedTokens(json, path);
  checkVocabulary(json, path);
  refuseUnfaithful(json, path);

  let model: TokenizerModel;
  try {
    // WordLevel keeps its unknown token in the model; the library looks for it in the configuration.
    const unknown = fieldsOf(json["model"])["unk_token"];
    const complete = {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      ...json,
      added_tokens: added.length === 0 ? [] : json["added_tokens"],
    };
    model = new TokenizerModel(complete, {
      ...config,
      unk_token: tokenContent(config["unk_token"]) ?? unknown,
    });
  } catch (cause) {
    throw new CheckpointError(
      `${path}: no usable tokenizer: ${String((cause as Error).message).slice(0, 160)}`,
      {
        cause,
        details: { file: path },
      },
    );
  }

  let vocabularySize = 0;
  for (const id of model.get_vocab().values()) vocabularySize = Math.max(vocabularySize, id + 1);
  const tokenId = (key: string): number | null => {
    const content = tokenContent(config[key]);
    if (content === null) return null;
    const id = model.token_to_id(content);
    if (id === undefined)
      throw new CheckpointError(`${configPath}: ${key} ${JSON.stringify(content)} is not in the vocabulary`);
    return id;
  };
  const eosTokenId = tokenId("eos_token");
  if (eosTokenId === null)
    throw new CheckpointError(`${configPath}: eos_token: expected a token, got nothing`, {
      hint: "responses end with it; add it to tokenizer_config.json",
    });
  const special = new Set(added.filter((token) => token.special).map((token) => token.id));
  const cleanUp = config["clean_up_tokenization_spaces"] === true;

  return {
    vocabularySize,
    padTokenId: tokenId("pad_token") ?? eosTokenId,
    bosTokenId: tokenId("bos_token"),
    eosTokenId,
    encode(text) {
      if (text === "") return [];
      if (text.length > MAX_TEXT_CHARACTERS)
        throw new DataError(
          `text to tokenise: expected at most ${MAX_TEXT_CHARACTERS} characters, got ${text.length}`,
        );
      const { ids, tokens } = model.encode(text, { add_special_tokens: false });
      for (let i = 0; i < ids.length; i++)
        if (ids[i] === undefined)
          throw new DataError(
            `${JSON.stringify(tokens[i]?.slice(0, 40))} is not in the vocabulary of ${folder}`,
            {
              hint: "this tokenizer has no token for unknown text; the model cannot read this prompt",
            },
          );
      return ids;
    },
    decode(ids) {
      // Models may be padded to more rows than the vocabulary has words; such ids have no text.
      const visible = ids.filter((id) => !special.has(id) && model.id_to_token(id) !== undefined);
      if (visible.length === 0) return "";
      return model.decode(visible, { skip_special_tokens: false, clean_up_tokenization_spaces: cleanUp });
    },
  };
}
