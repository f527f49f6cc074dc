/** What a stage returns, checked and made relative to the run folder, so that a moved run folder stays readable. */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { StoreError } from "../errors.ts";
import type { Json } from "../types.ts";
import type { StageFolders } from "./run-folder.ts";
import type { StageOutput } from "./stage.ts";

const PATH_FIELDS = ["checkpoint", "problems", "rollouts", "consensus", "evaluation"] as const;

/** Every path of an output with the name it goes by. */
export function outputPaths(output: StageOutput): [name: string, path: string][] {
  const named: [string, string][] = [];
  for (const field of PATH_FIELDS) {
    const path = output[field];
    if (path !== undefined) named.push([field, path]);
  }
  const models = Object.entries(output.models ?? {}).map(([name, path]): [string, string] => [
    `@${name}`,
    path,
  ]);
  return [...named, ...models, ...Object.entries(output.files ?? {})];
}

/** The output with every path replaced. */
export function mapOutputPaths(output: StageOutput, map: (path: string) => string): StageOutput {
  const result: StageOutput = { ...output };
  for (const field of PATH_FIELDS) {
    const path = result[field];
    if (path !== undefined) result[field] = map(path);
  }
  for (const field of ["files", "models"] as const) {
    const paths = output[field];
    if (paths !== undefined)
      result[field] = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, map(path)]));
  }
  return result;
}

/** Absolute path of an output path. */
export function absoluteOutput(runFolder: string, path: string): string {
  return isAbsolute(path) ? path : join(runFolder, path);
}

/** Paths as they will be once the stage's partial folder has its final name, relative to the run folder when inside. */
export function settleOutput(runFolder: string, folders: StageFolders, output: StageOutput): StageOutput {
  return mapOutputPaths(output, (path) => {
    let absolute = absoluteOutput(runFolder, path);
    if (absolute === folders.partial || absolute.startsWith(folders.partial + sep))
      absolute = folders.final + absolute.slice(folders.partial.length);
    const inside = relative(runFolder, absolute);
    return inside.startsWith("..") || isAbsolute(inside) ? absolute : inside.split(sep).join("/");
  });
}

/** Names of outputs that are not on disk. */
export function missingOutputs(runFolder: string, output: StageOutput): string[] {
  return outputPaths(output)
    .filter(([, path]) => !existsSync(absoluteOutput(runFolder, path)))
    .map(([name, path]) => `${name} (${path})`);
}

/** @throws {StoreError} when a stage names an output it has not written */
export function requireOutputs(runFolder: string, stage: string, output: StageOutput): void {
  const missing = missingOutputs(runFolder, output);
  if (missing.length > 0)
    throw new StoreError(`stage ${stage} finished without writing ${missing.join(", ")}`);
}

/** The output as the ledger keeps it. */
export function outputToJson(output: StageOutput): Record<string, Json> {
  return JSON.parse(JSON.stringify(output)) as Record<string, Json>;
}
