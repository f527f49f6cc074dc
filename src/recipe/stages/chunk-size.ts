/** How many problems are drawn and held at a time: bounded by responses, and by tokens where responses are long. */

/** Responses per chunk: enough to fill an engine's batch many times, few enough to lose little. */
const CHUNK_RESPONSES = 2048;
/**
 * Tokens a chunk may hold: with ids, log-probabilities and text each costs some 20 bytes, so about 100 MB. 2048 responses
 * of up to 2048 tokens fit; of 32,768 tokens only 128.
 */
const CHUNK_TOKENS = 2048 * 2048;

/** Problems per chunk, one or more. */
export function problemsPerChunk(options: { samplesPerProblem: number; maxNewTokens: number }): number {
  const { samplesPerProblem, maxNewTokens } = options;
  const responses = Math.min(CHUNK_RESPONSES, Math.floor(CHUNK_TOKENS / maxNewTokens));
  return Math.max(1, Math.floor(responses / samplesPerProblem));
}
