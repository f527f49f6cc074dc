/**
 * Attention over packed rows. Rows are gathered into a padded grid [batch, heads, length], attended, and gathered back;
 * queries of one key-value head are stacked, so grouped-query attention copies no keys.
 */
import { add } from "../graph/elementwise.ts";
import { type Dimension, multiplyDimensions, type Value } from "../graph/graph.ts";
import { concat, gatherRows, relabel, reshape } from "../graph/layout.ts";
import { batchMatMul } from "../graph/linear.ts";
import { softmax } from "../graph/network.ts";

/** Two maps between head rows and the cells of a grid; each is the inverse of the other. */
export interface HeadGrid {
  /** Head row in each cell, int32 [batch, heads, length]. Padding cells point at the dummy row. */
  cells: Value;
  /** Cell of each head row, int32 [rows * heads] (or with a copies axis). */
  places: Value;
}

/** Repeats a mask for the stacked queries of one key-value head. */
export function stackMask(mask: Value, repeats: number): Value {
  if (repeats === 1) return mask;
  const [batch, one, length, keyLength] = mask.shape as [Dimension, Dimension, Dimension, Dimension];
  const stacked = concat(new Array<Value>(repeats).fill(mask), 2);
  return relabel(stacked, [batch, one, multiplyDimensions(repeats, length), keyLength]);
}

/**
 * softmax(q k^T / sqrt(headDim) + mask) v, back on packed rows.
 *
 * @param queries head rows [rows * heads, headDim] and their grid [batch, heads, length]
 * @param keys gathered keys [batch, keyValueHeads, keyLength, headDim]
 * @param values like keys
 * @param mask additive, [batch, 1, repeats * length, keyLength]
 * @returns head rows [rows * heads, headDim]
 */
export function attend(queries: Value, grid: HeadGrid, keys: Value, values: Value, mask: Value): Value {
  const [batch, heads, length] = grid.cells.shape as [Dimension, number, Dimension];
  const [, keyValueHeads, , headDim] = keys.shape as [Dimension, number, Dimension, number];
  const repeats = heads / keyValueHeads;
  const gathered = gatherRows(queries, grid.cells, grid.places);
  const stacked = reshape(gathered, [batch, keyValueHeads, multiplyDimensions(repeats, length), headDim]);
  const scores = batchMatMul(stacked, keys, { transB: true, alpha: 1 / Math.sqrt(headDim) });
  const attended = batchMatMul(softmax(add(scores, mask)), values);
  const flat = reshape(attended, ["cells", headDim]);
  // Cells back to rows: the same two maps with their roles exchanged.
  const cellsFlat = reshape(grid.cells, ["cells"]);
  return relabel(gatherRows(flat, grid.places, cellsFlat), queries.shape);
}
