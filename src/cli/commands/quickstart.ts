/** `polaris quickstart`: the shipped recipe that takes a small model through everything. */
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { packageRoot } from "../../config/package-root.ts";
import { runInForeground } from "../run-session.ts";
import { addRunOptions, refuseBoth } from "./run.ts";

interface QuickstartOptions {
  smoke?: boolean;
  seed?: number;
  runDir?: string;
  resume?: boolean;
  overwrite?: boolean;
  json?: boolean;
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 4294967295)
    throw new InvalidArgumentError("Expected 0 to 4294967295.");
  return Number(text);
}

export function createQuickstartCommand(): Command {
  const command = new Command("quickstart")
    .description(
      "Runs the whole recipe on a small model: base, SFT, RL, CORE, filter, distil, merge, evaluate, report.",
    )
    .option("--smoke", "a much smaller version that only shows that everything works")
    .option("--seed <n>", "seed of the run", parseSeed);
  return addRunOptions(command).action(async (options: QuickstartOptions) => {
    refuseBoth(options);
    const { smoke, seed, runDir, resume, overwrite, json } = options;
    const name = smoke ? "quickstart-smoke" : "quickstart";
    await runInForeground({
      files: [join(packageRoot(), "recipes", `${name}.yaml`)],
      overrides: seed === undefined ? [] : [`seed=${seed}`],
      runFolder: runDir ?? join("runs", name),
      resume,
      overwrite,
      json,
    });
  });
}
