/** Which weights gave a response, for its record: the name they have in the recipe, and which bytes or label that was. */
import { basename } from "node:path";
import { servedName } from "../references.ts";
import type { StageContext } from "../stage.ts";

/** Hexadecimal digits of a content key that tell weights apart. */
const KEY_DIGITS = 12;

/**
 * `sft@1f0c…` for the weights of a stage or a folder, with the start of their content key; `Qwen/Qwen3-4B@2025-05` for a
 * served model, whose bytes cannot be seen, with the recipe's label. Folders go by their last name, so that a record does
 * not depend on where they stand.
 */
export function modelVersion({ keyParts }: Pick<StageContext, "keyParts">, reference: string): string {
  const served = servedName(reference);
  if (served !== null) {
    const { model, revision } = keyParts.engine as { model?: string | null; revision?: string };
    const name = served === "default" ? (model ?? served) : served;
    return revision === undefined || revision === "" ? name : `${name}@${revision}`;
  }
  const key = keyParts.inputs[reference];
  const name = basename(reference);
  return key === undefined ? name : `${name}@${key.slice(0, KEY_DIGITS)}`;
}
