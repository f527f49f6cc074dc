/**
 * Cuts a batch into micro-batches and deals them to lanes. Responses that share a prompt stay together, sequences of
 * like length are neighbours (attention grids waste little), and every lane gets about the same work. The result depends
 * on the batch and the number of lanes only, never on how many threads serve them.
 */
import { groupByPrompt, type TokenSequence } from "./packed-batch.ts";

/** Indices into the batch. */
export type MicroBatch = number[];

export interface MicroBatchOptions {
  /** Number of equal shares the work is dealt into; sums are taken per lane, then over lanes in order. */
  lanes: number;
  /** Packed rows a micro-batch should not exceed: larger ones leave the cache. */
  targetRows: number;
}

interface Piece {
  members: number[];
  rows: number;
  longest: number;
}

/** Groups of equal prompt, cut where one alone exceeds the target. */
function pieces(sequences: readonly TokenSequence[], targetRows: number): Piece[] {
  return groupByPrompt(sequences).flatMap((group) => {
    const promptRows = (sequences[group[0] as number] as TokenSequence).promptTokens.length - 1;
    const result: Piece[] = [];
    const ordered = group.toSorted((a, b) => {
      const [left, right] = [sequences[a] as TokenSequence, sequences[b] as TokenSequence];
      return left.responseTokens.length - right.responseTokens.length || a - b;
    });
    let piece: Piece | null = null;
    for (const member of ordered) {
      const own = (sequences[member] as TokenSequence).responseTokens.length;
      if (!piece || piece.rows + own > targetRows) {
        piece = { members: [], rows: promptRows, longest: 0 };
        result.push(piece);
      }
      piece.members.push(member);
      piece.rows += own;
      piece.longest = Math.max(piece.longest, own);
    }
    return result;
  });
}

/** Micro-batches of each lane, in the order in which the lane runs them. */
export function planMicroBatches(
  sequences: readonly TokenSequence[],
  options: MicroBatchOptions,
): MicroBatch[][] {
  const { lanes, targetRows } = options;
  const ordered = pieces(sequences, targetRows).sort(
    (a, b) => b.longest - a.longest || b.rows - a.rows || (a.members[0] as number) - (b.members[0] as number),
  );
  const total = ordered.reduce((sum, piece) => sum + piece.rows, 0);
  const perLane = Math.max(1, Math.ceil(total / lanes / targetRows));
  const share = total / (perLane * lanes);
  const batches: { members: number[]; rows: number }[] = [];
  let done = 0;
  for (const piece of ordered) {
    // A piece belongs to the share its middle falls into, so shares differ by at most one piece.
    const slot = Math.min(perLane * lanes - 1, Math.floor((done + piece.rows / 2) / share));
    done += piece.rows;
    const batch = batches[slot] ?? { members: [], rows: 0 };
    batches[slot] = batch;
    batch.members.push(...piece.members);
    batch.rows += piece.rows;
  }
  const result: MicroBatch[][] = Array.from({ length: lanes }, () => []);
  const load = new Array<number>(lanes).fill(0);
  for (const batch of batches.filter((entry) => entry !== undefined).sort((a, b) => b.rows - a.rows)) {
    const lane = load.indexOf(Math.min(...load));
    result[lane]?.push(batch.members);
    load[lane] = (load[lane] as number) + batch.rows;
  }
  return result;
}
