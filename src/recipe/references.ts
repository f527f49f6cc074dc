/**
 * What a string in a recipe points to: a stage id, `<id>@best` or `<id>@step-40` (other weights a stage kept),
 * `builtin:<name>` (a folder shipped in `assets/`), `served:<name>`
 * (a model the engine's server holds), or a path.
 * A path has a slash or a dot in it, which a stage id never has, so a mistyped id is not taken for a missing file.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { didYouMean } from "../config/nearest.ts";
import { packageRoot } from "../config/package-root.ts";
import { ConfigError } from "../errors.ts";

const BUILTIN = /^builtin:([a-z0-9][a-z0-9_-]{0,63})$/;
const SERVED = "served:";
const KEPT_MODEL = /^([^@/.\\]+)@([a-z]+(?:-\d{1,9})?)$/;

export type Reference =
  /** `model` is what stands after `@`: weights the stage kept beside its output. */
  | { kind: "stage"; id: string; model?: string }
  /** A model of the engine's server; nothing on this disk. */
  | { kind: "served"; name: string }
  /** A shipped asset or a file of the user, absolute. */
  | { kind: "path"; path: string };

/** Name after `served:`, or null for any other reference. */
export function servedName(reference: string): string | null {
  return reference.startsWith(SERVED) ? reference.slice(SERVED.length) : null;
}

/** Names of the folders in `assets/`. */
export function builtinNames(assetFolder = join(packageRoot(), "assets")): string[] {
  if (!existsSync(assetFolder)) return [];
  const entries = readdirSync(assetFolder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/**
 * Resolves a reference; relative paths are relative to the working directory.
 * @param stageIds every stage of the recipe
 * @throws {ConfigError} when nothing of that name exists
 */
export function resolveReference(reference: string, stageIds: readonly string[]): Reference {
  if (stageIds.includes(reference)) return { kind: "stage", id: reference };
  const [, id, model] = KEPT_MODEL.exec(reference) ?? [];
  if (id !== undefined && stageIds.includes(id)) return { kind: "stage", id, model };
  const served = servedName(reference);
  if (served === "")
    throw new ConfigError("expected the name of a model after served:, for example served:default");
  if (served !== null) return { kind: "served", name: served };
  if (reference.startsWith("builtin:")) {
    const name = BUILTIN.exec(reference)?.[1];
    const names = builtinNames();
    if (name === undefined || !names.includes(name))
      throw new ConfigError(
        `nothing built in is called "${reference.slice(8, 100)}" (there are ${names.join(", ") || "none"})${didYouMean(reference.slice(8), names)}`,
      );
    return { kind: "path", path: join(packageRoot(), "assets", name) };
  }
  if (!/[./\\]/.test(reference))
    throw new ConfigError(
      `no stage is called "${reference.slice(0, 100)}"${didYouMean(reference, stageIds)}`,
      {
        hint: "a file or folder is written with a slash, for example ./model",
      },
    );
  const path = resolve(reference);
  if (!existsSync(path)) throw new ConfigError(`no such file or folder: ${reference}`);
  return { kind: "path", path };
}
