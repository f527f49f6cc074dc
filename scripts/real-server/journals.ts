/** What the journals of a run hold: the samples that were paid for and must never be asked for again. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sampleName } from "./counting-proxy.ts";

/** Names of the samples in every journal of a run folder. */
export function journaledSamples(runFolder: string): Set<string> {
  const found = new Set<string>();
  const folder = join(runFolder, "checkpoints");
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".journal.jsonl")) continue;
    const [head, ...lines] = readFileSync(join(folder, name), "utf8").split("\n");
    const { temperature } = JSON.parse(head as string).settings;
    // The piece after the last line break is empty, or a line that a kill has torn.
    for (const line of lines.slice(0, -1)) {
      const { response } = JSON.parse(line);
      if (response !== undefined) found.add(sampleName(response.seed, temperature));
    }
  }
  return found;
}
