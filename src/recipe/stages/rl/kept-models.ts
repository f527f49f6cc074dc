/**
 * Weights an rl stage keeps beside its output: the most accurate ones on validation, and those of every n-th step. They
 * wait below the stage's checkpoints while it runs and end up in its folder, where other stages name them as
 * `<id>@best`, `<id>@last` and `<id>@step-<n>`. Without the optimiser's state: to resume is another matter.
 */
import { constants, cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RlConfig } from "../../../config/stages/rl.ts";
import { writeFolderAtomic } from "../../../data/atomic.ts";
import type { StageContext } from "../../stage.ts";
import { outputPlace } from "../output-files.ts";
import type { RlRun } from "./batch.ts";

/** Where kept weights wait until the stage ends. */
function waitingFolder({ checkpointFolder }: Pick<StageContext, "checkpointFolder">, name: string): string {
  return join(checkpointFolder, "models", name);
}

/** Steps whose weights wait, ascending. */
function waitingSteps(context: Pick<StageContext, "checkpointFolder">): number[] {
  const folder = waitingFolder(context, "");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => /^step-(\d{1,9})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Mean over the benchmarks, which weigh the same; null when nothing was validated. */
export function validationAccuracy(validation: Record<string, number>): number | null {
  const values = Object.values(validation);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Keeps the weights of the step just done where the rules say so, and drops the oldest of too many. Steps repeated after
 * a kill write the same folders again.
 *
 * @param validation of this step; empty when it was not validated
 */
export async function keepModels(run: RlRun, validation: Record<string, number>): Promise<void> {
  const { config, context, policy, state } = run;
  const { best, every, newest } = config.keepModels;
  const save = (name: string): Promise<void> =>
    writeFolderAtomic(waitingFolder(context, name), (partial) => policy.save(partial));
  const accuracy = validationAccuracy(validation);
  if (accuracy !== null && (state.best === null || accuracy > state.best.accuracy)) {
    state.best = { step: state.step, accuracy };
    if (best || config.output === "best") await save("best");
  }
  if (every === 0 || state.step === 0 || state.step % every !== 0) return;
  await save(`step-${state.step}`);
  // Steps after this one are left over from before a kill: they will come again.
  const done = waitingSteps(context).filter((step) => step <= state.step);
  for (const step of done.slice(0, -newest))
    rmSync(waitingFolder(context, `step-${step}`), { recursive: true, force: true });
}

/** Where a finished stage's weights are, relative to the run folder: its own, and the other ones by name. */
export interface WrittenModels {
  checkpoint: string;
  models: Record<string, string>;
}

/**
 * Writes the stage's model and copies the kept ones beside it. What waited stays where it was: a kill before the ledger
 * knows that the stage is done makes it end once more.
 */
export async function writeModels(run: RlRun): Promise<WrittenModels> {
  const { config, context, policy, state } = run;
  const place = (name: string) => outputPlace(context, join("models", name));
  const copy = (name: string, target: { absolute: string; relative: string }): string => {
    // Copy on write where the file system can.
    const mode = constants.COPYFILE_FICLONE;
    cpSync(waitingFolder(context, name), target.absolute, { recursive: true, mode });
    return target.relative;
  };
  const output = outputPlace(context, "model");
  const models: Record<string, string> = {};
  if (config.output === "best") {
    copy("best", output);
    await policy.save(place("last").absolute);
    Object.assign(models, { best: output.relative, last: place("last").relative });
  } else {
    await policy.save(output.absolute);
    models["last"] = output.relative;
    if (config.keepModels.best && state.best !== null)
      models["best"] = state.best.step === state.step ? output.relative : copy("best", place("best"));
  }
  if (config.keepModels.every > 0)
    for (const step of waitingSteps(context))
      models[`step-${step}`] = copy(`step-${step}`, place(`step-${step}`));
  return { checkpoint: output.relative, models };
}

/** Why an rl stage will not keep weights of this name, as far as its configuration tells; null when it may. */
export function refusesModel(config: RlConfig, name: string): string | null {
  const { keepModels: rules, steps, stop } = config;
  if (name === "last") return null;
  if (name === "best") {
    if (config.validation === undefined) return "the stage is not validated; give it validation.problems";
    return rules.best || config.output === "best" ? null : "the stage has keep_models.best: false";
  }
  const step = Number(/^step-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (!(step >= 1)) return "an rl stage keeps best, last and step-<n>";
  if (step > steps) return `the stage has ${steps} steps`;
  if (rules.every === 0) return `the stage keeps no steps; set keep_models.every: ${step}`;
  if (step % rules.every !== 0) return `the stage keeps every ${rules.every}th step`;
  const later = Math.floor(steps / rules.every) - step / rules.every;
  return stop.kind === "steps" && later >= rules.newest
    ? `the stage keeps the newest ${rules.newest} of them; raise keep_models.newest to ${later + 1}`
    : null;
}
