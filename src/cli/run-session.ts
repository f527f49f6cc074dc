/** What `run` and `quickstart` share: load the recipe, run it with a renderer and Ctrl-C, show where the results are. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { StageSchemas } from "../config/recipe.ts";
import type { StageKind } from "../recipe/stage.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { createRenderer } from "./render.ts";
import { readSummaryRows, resultsTable } from "./results-table.ts";
import { createStyle, wantsColor } from "./style.ts";

export type StageKinds = Readonly<Record<string, StageKind>>;

/** Every stage kind of the package; imported late, because the stages pull in the whole recipe. */
export async function loadStageKinds(): Promise<StageKinds> {
  return (await import("../recipe/stages/index.ts")).STAGE_KINDS;
}

/** The configuration schema of each kind. */
export function schemasOf(kinds: StageKinds): StageSchemas {
  return Object.fromEntries(Object.entries(kinds).map(([kind, stage]) => [kind, stage.schema]));
}

export interface RunSessionOptions {
  files: readonly string[];
  overrides: readonly string[];
  /** Default: runs/<name of the recipe>. */
  runFolder?: string;
  resume?: boolean;
  overwrite?: boolean;
  json?: boolean;
  kinds?: StageKinds;
}

/**
 * Runs a recipe in the foreground.
 * @throws {PolarisError} shown by the caller
 */
export async function runInForeground(options: RunSessionOptions): Promise<void> {
  const { json = false } = options;
  const [{ loadRecipe }, { runRecipe }, kinds] = await Promise.all([
    import("../config/load-recipe.ts"),
    import("../recipe/runner.ts"),
    options.kinds ?? loadStageKinds(),
  ]);
  const { recipe, tree } = loadRecipe({
    files: options.files,
    overrides: options.overrides,
    schemas: schemasOf(kinds),
  });
  const runFolder = options.runFolder ?? join("runs", recipe.name);
  const renderer = createRenderer({ json });
  const interrupt = listenForInterrupt(() =>
    renderer.line("stopping after the step in hand; press Ctrl-C again to stop now"),
  );
  try {
    const { resume, overwrite } = options;
    const { signal } = interrupt;
    await runRecipe({ recipe, tree, kinds, runFolder, resume, overwrite, signal, observe: renderer.observe });
    if (!json) showResults(runFolder, renderer.line);
  } finally {
    renderer.close();
    interrupt.dispose();
  }
}

function showResults(runFolder: string, line: (text: string) => void): void {
  const style = createStyle(wantsColor(process.stdout.isTTY === true));
  const table = resultsTable(readSummaryRows(runFolder), style);
  if (table.length > 0) for (const row of ["", ...table, ""]) line(row);
  const report = join(runFolder, "report", "index.html");
  const shown = (path: string): string => {
    const fromHere = relative(".", path);
    return fromHere.startsWith("..") ? path : fromHere;
  };
  line(existsSync(report) ? `report  ${shown(report)}` : `run folder  ${shown(runFolder)}`);
}
