/** `polaris run`: a recipe from files, in its run folder, from the start or from where it stopped. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { ConfigError } from "../../errors.ts";
import { runInForeground, type StageKinds } from "../run-session.ts";

interface RunOptions {
  runDir?: string;
  resume?: boolean;
  overwrite?: boolean;
  set?: string[];
  json?: boolean;
}

/** Options every command that runs a recipe has. */
export function addRunOptions(command: Command): Command {
  return command
    .option("--run-dir <folder>", "where the run is kept")
    .option("--resume", "continue the run in the folder")
    .option("--overwrite", "remove the run in the folder and start over")
    .option("--json", "print one JSON object per event instead of text");
}

/** Repeatable options collect their values. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** @throws {ConfigError} when both are given */
export function refuseBoth(options: { resume?: boolean; overwrite?: boolean }): void {
  if (options.resume && options.overwrite)
    throw new ConfigError("--resume and --overwrite contradict each other", {
      hint: "--resume continues the run, --overwrite removes it",
    });
}

/** @param kinds stage kinds; the package's own unless a test brings others */
export function createRunCommand(kinds?: StageKinds): Command {
  const command = new Command("run")
    .description("Runs a recipe. Several files are laid on each other, left to right; --set comes last.")
    .argument(
      "[recipe...]",
      "recipe files; may be left out with --resume, which then takes the run's own recipe.yaml",
    )
    .option(
      "--set <path=value>",
      "change one key, for example stages.rl.temperature=1.2; repeatable",
      collect,
    );
  return addRunOptions(command).action(async (files: string[], options: RunOptions) => {
    refuseBoth(options);
    const { runDir, resume, overwrite, set = [], json } = options;
    const own = runDir === undefined ? undefined : join(runDir, "recipe.yaml");
    let recipes = files;
    if (files.length === 0) {
      if (!resume || own === undefined)
        throw new ConfigError("expected a recipe file", {
          hint: "polaris run <recipe.yaml>, or --resume --run-dir <folder>",
        });
      if (!existsSync(own))
        throw new ConfigError(`${runDir} holds no recipe.yaml to continue`, {
          hint: "polaris runs ls lists the runs",
        });
      recipes = [own];
    }
    await runInForeground({
      files: recipes,
      overrides: set,
      runFolder: runDir,
      resume,
      overwrite,
      json,
      kinds,
    });
  });
}
