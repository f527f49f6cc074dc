/**
 * Prints the `[prompt, response]` token counts of the rollout batch that `train-rollouts` trains on, as JSON, for the
 * peers' own command line. Usage: npx tsx bench/rollout-lengths.ts > bench/peers/lengths.json
 */
import { lengthsOf, rolloutBatch } from "./workloads.ts";

const lengths = lengthsOf(rolloutBatch(16, 8, 96));
console.log(`{"lengths": [\n${lengths.map((pair) => `  ${JSON.stringify(pair)}`).join(",\n")}\n]}`);
