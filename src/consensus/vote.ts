/**
 * A vote: what one verified-correct trajectory says about a problem. Only keys decide; forms are for the reader.
 * Votes come from model output, so their number and length are capped here, once.
 */

/** A trajectory's vote: its id and the canonical keys of its steps. */
export interface ConsensusVote {
  /** Unique over the run, for example `stage/step/problem/sample`. */
  id: string;
  keys: readonly string[];
  /** Readable form of `keys[i]`; the first form seen represents the key. */
  forms?: readonly string[];
}

/** Keys of one trajectory that are read; the parser's own limit is 32 by default. */
const MAX_VOTE_KEYS = 1024;
/** Longest key; canonical keys have 32 characters, plug-in matchers may use text. */
const MAX_KEY_CHARS = 1024;
const MAX_FORM_CHARS = 200;

/** Distinct keys of a vote with the first form of each, in order; empty and overlong keys are left out. */
export function distinctKeys(vote: ConsensusVote): Map<string, string> {
  const keys = new Map<string, string>();
  for (const [i, key] of vote.keys.entries()) {
    if (i >= MAX_VOTE_KEYS) break;
    if (key === "" || key.length > MAX_KEY_CHARS || keys.has(key)) continue;
    keys.set(key, (vote.forms?.[i] ?? key).slice(0, MAX_FORM_CHARS));
  }
  return keys;
}
