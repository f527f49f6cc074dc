/**
 * Turns sequences into the inputs of the whole-sequence graphs: packed rows without padding, prompts that several
 * responses share stored once, and the maps between rows and attention grids. Pure index arithmetic.
 *
 * Row 0 of each block is a dummy, and the last column of each grid is always padding. Padding cells point at the dummy
 * row and the dummy row points at a padding cell, so every gradient that padding could receive is exactly zero.
 */
import type { Feed } from "../runtime/session.ts";

/** Tokens of one sequence; both lists are non-empty. */
export interface TokenSequence {
  promptTokens: readonly number[];
  responseTokens: readonly number[];
}

export interface HeadCounts {
  attentionHeads: number;
  keyValueHeads: number;
}

/** Added to a masked score; finite, so that a row whose keys are all masked stays finite. */
export const MASKED = -1e9;

/** A batch ready to feed, and where each sequence's response rows are. */
export interface PackedBatch {
  feeds: Record<string, Feed>;
  /** All rows, dummies included: what the network computes. */
  rows: number;
  responseRows: number;
  /** First response row of each sequence, in the order given. */
  starts: number[];
}

/** @throws {RangeError} when there is no sequence, or one has an empty prompt or an empty response */
export function checkSequences(sequences: readonly TokenSequence[]): void {
  if (sequences.length === 0) throw new RangeError("expected at least one sequence, got none");
  sequences.forEach(({ promptTokens, responseTokens }, i) => {
    if (promptTokens.length === 0 || responseTokens.length === 0)
      throw new RangeError(
        `sequence ${i}: expected a non-empty prompt and a non-empty response, got ${promptTokens.length} and ${responseTokens.length} tokens`,
      );
  });
}

/** Rows of equal prompts, in order of first appearance: indices into the sequences. */
export function groupByPrompt(sequences: readonly TokenSequence[]): number[][] {
  const groups = new Map<string, number[]>();
  sequences.forEach((sequence, index) => {
    const key = sequence.promptTokens.join(",");
    const group = groups.get(key);
    if (group) group.push(index);
    else groups.set(key, [index]);
  });
  return [...groups.values()];
}

/** A grid [batch, heads, length] over rows of one block, with both maps. */
function createGrid(batch: number, length: number, rows: number, heads: number) {
  // Every cell starts as padding (the dummy row), every row's place as the padding column of batch 0.
  const cells = new Int32Array(batch * heads * length);
  const places = new Int32Array(rows * heads);
  for (let i = 0; i < cells.length; i++) cells[i] = Math.floor(i / length) % heads;
  for (let row = 0; row < rows; row++)
    for (let head = 0; head < heads; head++) places[row * heads + head] = head * length + length - 1;
  return {
    cells: { data: cells, shape: [batch, heads, length] },
    places: { data: places, shape: [rows * heads] },
    set(b: number, column: number, row: number): void {
      for (let head = 0; head < heads; head++) {
        const cell = (b * heads + head) * length + column;
        cells[cell] = row * heads + head;
        places[row * heads + head] = cell;
      }
    },
  };
}

interface PromptBlock {
  feeds: Record<string, Feed>;
  rows: number;
  /** Length of the grid, padding column included. */
  length: number;
  tokens: number[];
  positions: number[];
  /** First row of each prompt. */
  starts: number[];
}

/** The prompts without their last token, each once. */
export function packPrompts(prompts: readonly (readonly number[])[], heads: HeadCounts): PromptBlock {
  const lengths = prompts.map((prompt) => prompt.length - 1);
  const length = Math.max(...lengths) + 1;
  const rows = 1 + lengths.reduce((a, b) => a + b, 0);
  const queries = createGrid(prompts.length, length, rows, heads.attentionHeads);
  const keys = createGrid(prompts.length, length, rows, heads.keyValueHeads);
  const mask = new Float32Array(prompts.length * length * length).fill(MASKED);
  const tokens = [0];
  const positions = [0];
  const starts: number[] = [];
  prompts.forEach((prompt, p) => {
    starts.push(tokens.length);
    for (let t = 0; t < prompt.length - 1; t++) {
      queries.set(p, t, tokens.length);
      keys.set(p, t, tokens.length);
      tokens.push(prompt[t] as number);
      positions.push(t);
      mask.fill(0, (p * length + t) * length, (p * length + t) * length + t + 1);
    }
  });
  return {
    rows,
    length,
    tokens,
    positions,
    starts,
    feeds: {
      prompt_query_cells: queries.cells,
      prompt_query_places: queries.places,
      prompt_key_cells: keys.cells,
      prompt_key_places: keys.places,
      prompt_mask: { data: mask, shape: [prompts.length, 1, length, length] },
    },
  };
}

/** Prompt keys as each response sees them, and for each prompt row its copies. */
function shareKeys(
  prompts: PromptBlock,
  promptLengths: number[],
  groupOf: number[],
  keyValueHeads: number,
  copies: number,
) {
  const { length, rows } = prompts;
  const cells = new Int32Array(groupOf.length * keyValueHeads * length);
  const places = new Int32Array(rows * keyValueHeads * copies);
  for (let i = 0; i < cells.length; i++) cells[i] = Math.floor(i / length) % keyValueHeads;
  for (let i = 0; i < places.length; i++)
    places[i] = (Math.floor(i / copies) % keyValueHeads) * length + length - 1;
  const used = new Int32Array(promptLengths.length);
  groupOf.forEach((group, b) => {
    const copy = used[group]++ as number;
    const start = prompts.starts[group] as number;
    for (let t = 0; t < (promptLengths[group] as number) - 1; t++)
      for (let head = 0; head < keyValueHeads; head++) {
        const cell = (b * keyValueHeads + head) * length + t;
        cells[cell] = (start + t) * keyValueHeads + head;
        places[((start + t) * keyValueHeads + head) * copies + copy] = cell;
      }
  });
  return {
    cells: { data: cells, shape: [groupOf.length, keyValueHeads, length] },
    places: { data: places, shape: [rows * keyValueHeads, copies] },
  };
}

const int64 = (values: readonly number[], shape: readonly number[]): Feed => ({
  data: BigInt64Array.from(values, BigInt),
  shape,
});

/**
 * Packs sequences into one batch.
 *
 * @param sequences prompts and responses, none empty
 * @throws {RangeError} when a prompt or a response is empty
 */
export function packSequences(sequences: readonly TokenSequence[], heads: HeadCounts): PackedBatch {
  checkSequences(sequences);
  const groups = groupByPrompt(sequences);
  const groupPrompts = groups.map((group) => (sequences[group[0] as number] as TokenSequence).promptTokens);
  const prompts = packPrompts(groupPrompts, heads);
  const copies = Math.max(...groups.map((group) => group.length));
  const length = Math.max(...sequences.map((s) => s.responseTokens.length)) + 1;
  const responseRows = 1 + sequences.reduce((sum, s) => sum + s.responseTokens.length, 0);
  const queries = createGrid(sequences.length, length, responseRows, heads.attentionHeads);
  const keys = createGrid(sequences.length, length, responseRows, heads.keyValueHeads);
  const width = prompts.length + length;
  const mask = new Float32Array(sequences.length * length * width).fill(MASKED);
  const tokens = [0];
  const positions = [0];
  const targets = new Int32Array(responseRows);
  const starts: number[] = [];
  const groupOf = new Array<number>(sequences.length);
  for (const [group, members] of groups.entries()) for (const member of members) groupOf[member] = group;
  sequences.forEach(({ promptTokens, responseTokens }, b) => {
    starts.push(tokens.length);
    for (let t = 0; t < responseTokens.length; t++) {
      const row = tokens.length;
      queries.set(b, t, row);
      keys.set(b, t, row);
      tokens.push((t === 0 ? promptTokens[promptTokens.length - 1] : responseTokens[t - 1]) as number);
      positions.push(promptTokens.length - 1 + t);
      targets[row] = responseTokens[t] as number;
      const line = (b * length + t) * width;
      mask.fill(0, line, line + promptTokens.length - 1);
      mask.fill(0, line + prompts.length, line + prompts.length + t + 1);
    }
  });
  const promptLengths = groupPrompts.map((prompt) => prompt.length);
  const shared = shareKeys(prompts, promptLengths, groupOf, heads.keyValueHeads, copies);
  const rows = prompts.rows + responseRows;
  return {
    rows,
    responseRows,
    starts,
    feeds: {
      ...prompts.feeds,
      tokens: { data: Int32Array.from([...prompts.tokens, ...tokens]), shape: [rows] },
      positions: int64([...prompts.positions, ...positions], [rows, 1]),
      response_positions: int64(positions, [responseRows, 1]),
      block_rows: int64([prompts.rows, responseRows], [2]),
      response_query_cells: queries.cells,
      response_query_places: queries.places,
      response_key_cells: keys.cells,
      response_key_places: keys.places,
      response_mask: { data: mask, shape: [sequences.length, 1, length, width] },
      shared_key_cells: shared.cells,
      shared_key_places: shared.places,
      targets: { data: targets, shape: [responseRows] },
    },
  };
}
