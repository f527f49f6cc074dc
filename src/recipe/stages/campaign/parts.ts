/**
 * The parts of a campaign on disk: one folder per round and part, complete or absent, each with the content key of all
 * that decides it. A part whose key still fits is kept when other keys of the campaign change, one that no longer fits
 * is removed with everything that was written after it.
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../../data/atomic.ts";
import { readJsonFile } from "../../../data/json-file.ts";
import { canonicalJson, contentKey } from "../../../store/canonical.ts";
import type { Json } from "../../../types.ts";
import { type KeyParts, staleReason } from "../../content-keys.ts";
import type { StageContext, StageKind, StageOutput } from "../../stage.ts";
import { missingOutputs } from "../../stage-output.ts";

/** What a campaign does in one round, in this order. */
export const PARTS = ["sweep", "train", "drop-easy", "difference"] as const;
export type Part = (typeof PARTS)[number];

/** How configurations name a part that has finished. No stage id holds a colon, so nothing of the recipe is hidden. */
export function partReference(round: number, part: Part): string {
  return `round-${round}:${part}`;
}

/** A key with what it is made of. */
export interface PartKey {
  key: string;
  parts: KeyParts;
}

/** A finished part. */
interface StoredPart extends PartKey {
  output: StageOutput;
}

/** Where one part lives. */
export interface PartPlace {
  /** Final folder: complete or absent. */
  folder: string;
  partial: string;
  /** Resumable state while it runs. */
  state: string;
  /** Rollouts of its steps. */
  rollouts: string;
}

/** File with key and output in the folder of a finished part. */
const FINISHED = "part.json";
/** File with the key in the folder of an unfinished part's state. */
const STARTED = "started.json";

type PlaceContext = Pick<StageContext, "id" | "runFolder" | "checkpointFolder">;

/** Place of a part. */
export function partPlace(context: PlaceContext, round: number, part: Part): PartPlace {
  const folder = join(context.checkpointFolder, `round-${round}`, part);
  return {
    folder,
    partial: `${folder}.partial`,
    state: `${folder}.state`,
    rollouts: join(context.runFolder, "rollouts", context.id, `round-${round}`, part),
  };
}

/**
 * Content key of a part.
 *
 * @param keyOf content key of a reference the configuration names: an input of the campaign or an earlier part
 */
export function partKey<Config>(options: {
  kind: Pick<StageKind<Config>, "kind" | "version" | "inputs">;
  config: Config;
  seed: number;
  engine: Json;
  keyOf: (reference: string) => string;
}): PartKey {
  const { kind, config, seed, engine, keyOf } = options;
  const parts: KeyParts = {
    kind: kind.kind,
    version: kind.version,
    config: JSON.parse(canonicalJson(config)) as Json,
    inputs: Object.fromEntries(kind.inputs(config).map((reference) => [reference, keyOf(reference)])),
    seed,
    engine,
  };
  return { key: contentKey(parts as unknown as Record<string, Json>), parts };
}

/** Writes what makes a partial folder a finished part. */
export function writeFinished(folder: string, part: StoredPart): void {
  writeFileAtomic(join(folder, FINISHED), `${JSON.stringify(part, null, 2)}\n`);
}

/** Marks the state of a part that begins. */
export function writeStarted(place: PartPlace, { key, parts }: PartKey): void {
  writeFileAtomic(join(place.state, STARTED), `${JSON.stringify({ key, parts }, null, 2)}\n`);
}

/**
 * What is there of a part: its output when it has finished under this key, and otherwise why not all of it can be used.
 * @returns `begun` is true when the state on disk belongs to this key and can be continued
 * @throws {CheckpointError} when the record of a part is no JSON
 */
export function findPart(
  runFolder: string,
  place: PartPlace,
  { key, parts }: PartKey,
): { output: StageOutput | null; begun: boolean; stale: string | null } {
  const read = (path: string): Partial<StoredPart> | null =>
    existsSync(path)
      ? (readJsonFile(path, {
          kind: "checkpoint",
          hint: `remove ${path} to run this part again`,
        }) as Partial<StoredPart>)
      : null;
  const reasonOf = (stored: Partial<StoredPart>): string =>
    stored.parts === undefined
      ? "its content key changed"
      : staleReason(stored.parts as unknown as Record<string, Json>, parts);
  const finished = read(join(place.folder, FINISHED));
  if (finished !== null) {
    if (finished.key !== key || finished.output === undefined)
      return { output: null, begun: false, stale: reasonOf(finished) };
    // Nothing of the campaign reads rollouts, and they are the first to be deleted when a disk fills.
    const missing = missingOutputs(runFolder, { ...finished.output, rollouts: undefined });
    if (missing.length === 0) return { output: finished.output, begun: false, stale: null };
    return { output: null, begun: false, stale: `missing ${missing.join(", ")}` };
  }
  const started = read(join(place.state, STARTED));
  if (started === null) return { output: null, begun: false, stale: null };
  return { output: null, begun: started.key === key, stale: started.key === key ? null : reasonOf(started) };
}

/** Removes a part. Its record goes first: a kill in between leaves no folder that looks finished. */
export function removePart({ folder, partial, state, rollouts }: PartPlace): void {
  rmSync(join(folder, FINISHED), { force: true });
  for (const path of [folder, partial, state, rollouts]) rmSync(path, { recursive: true, force: true });
}

/** Every round and part that has anything on disk. */
function partsOnDisk({ checkpointFolder }: PlaceContext): { round: number; part: Part }[] {
  if (!existsSync(checkpointFolder)) return [];
  return readdirSync(checkpointFolder).flatMap((name) => {
    const round = Number(/^round-(\d{1,6})$/.exec(name)?.[1] ?? 0);
    if (round === 0) return [];
    const entries = readdirSync(join(checkpointFolder, name)).map((entry) => entry.split(".")[0]);
    return PARTS.filter((part) => entries.includes(part)).map((part) => ({ round, part }));
  });
}

/** Removes the parts a predicate names, and folders of rounds that are empty then. */
export function removeParts(context: PlaceContext, goes: (round: number, part: Part) => boolean): void {
  for (const { round, part } of partsOnDisk(context)) {
    if (!goes(round, part)) continue;
    const place = partPlace(context, round, part);
    removePart(place);
    for (const parent of [dirname(place.folder), dirname(place.rollouts)])
      if (existsSync(parent) && readdirSync(parent).length === 0) rmdirSync(parent);
  }
}

/** Whether a part comes after the training of a round. */
export function comesAfterTraining(round: number, part: Part, training: number): boolean {
  return round > training || (round === training && PARTS.indexOf(part) > PARTS.indexOf("train"));
}
