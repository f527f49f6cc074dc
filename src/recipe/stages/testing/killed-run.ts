/**
 * A child process for kill tests: runs a recipe file with the tabular policy and kills itself with SIGKILL when a stage
 * reports a step: what the step wrote is there, its checkpoint is not. Arguments: recipe, run folder, stage, step.
 */
import { loadRecipe } from "../../../config/load-recipe.ts";
import { runRecipe } from "../../runner.ts";
import { STAGE_KINDS } from "../index.ts";
import { openTabularPolicy } from "./tabular-policy.ts";

const [path, runFolder, stage, step] = process.argv.slice(2) as [string, string, string, string];
const schemas = Object.fromEntries(Object.values(STAGE_KINDS).map(({ kind, schema }) => [kind, schema]));
const { recipe, tree } = loadRecipe({ files: [path], schemas });
await runRecipe({
  recipe,
  tree,
  kinds: STAGE_KINDS,
  runFolder,
  resume: true,
  progressIntervalMs: 0,
  open: (checkpoint) => openTabularPolicy(checkpoint),
  observe: (event) => {
    if (event.event === "stage-progress" && event.stage === stage && event.done >= Number(step))
      process.kill(process.pid, "SIGKILL");
  },
});
