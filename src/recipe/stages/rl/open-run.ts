/** Opens an rl stage: what its configuration needs is there, and what may surprise is said before the first step. */
import type { RlConfig } from "../../../config/stages/rl.ts";
import { ConfigError } from "../../../errors.ts";
import type { StageContext } from "../../stage.ts";
import { requireCapabilities } from "../capabilities.ts";
import { createDataOrder } from "../data-order.ts";
import { readProblemsInput } from "../inputs.ts";
import { openStepRollouts } from "../kept-rollouts.ts";
import { createPromptText } from "../prompt-text.ts";
import type { RlRun } from "./batch.ts";
import { settingsOf } from "./score.ts";
import { RlState } from "./state.ts";

/** Fewer validations than this without a new best say little. */
const FEW_VALIDATIONS = 5;

/** What a user may not expect of the data order and the stage-end rule. */
function orderNotes(config: RlConfig, problems: number, order: RlRun["order"]): string[] {
  const notes: string[] = [];
  if (order.batchSize < config.batchSize)
    notes.push(`only ${problems} problems: batches hold ${order.batchSize}`);
  const rest = problems - order.batchesPerEpoch * order.batchSize;
  if (config.order === "given" && rest > 0)
    notes.push(`the last ${rest} of ${problems} problems never fill a batch: order: given leaves them out`);
  const { stop, validation } = config;
  if (stop.kind !== "plateau" || stop.metric !== "validation" || validation === undefined) return notes;
  const validations = Math.floor(stop.patienceSteps / validation.every);
  if (validations < FEW_VALIDATIONS)
    notes.push(
      `stop.patience_steps ${stop.patienceSteps} holds ${validations} validations: chance alone may end the stage`,
    );
  return notes;
}

/**
 * Checks the configuration against what there is, says what may surprise, and opens a run at step 0.
 *
 * @throws {ConfigError} when a key needs validation problems that are not given; {EngineError} when the engine lacks something
 */
export async function openRun(config: RlConfig, context: StageContext): Promise<RlRun> {
  if (config.output === "best" && config.validation === undefined)
    throw new ConfigError(`stage ${context.id}: output: best needs validation`, {
      hint: "give validation.problems, or set output: last",
    });
  const problems = await readProblemsInput(context, config.problems);
  if (
    config.stop.kind === "plateau" &&
    config.stop.metric === "validation" &&
    config.validation === undefined
  )
    throw new ConfigError(`stage ${context.id}: stop on a plateau of validation needs validation`, {
      hint: "give validation.problems, or set stop.metric: accuracy",
    });
  const policy = await context.policy(config.model);
  requireCapabilities(policy, {
    stage: context.id,
    sampling: config.sampling,
    tokenIds: true,
    samplerLogprobs: config.oldLogprobs === "sampler",
  });
  const settings = settingsOf(config);
  const order = createDataOrder(problems.length, config.batchSize, context.seed, "order", config.order);
  for (const note of orderNotes(config, problems.length, order)) context.progress.note(note);
  return {
    config,
    context,
    policy,
    reference:
      config.loss.klCoefficient === 0 ? null : await context.reference(config.reference ?? config.model),
    problems,
    promptOf: createPromptText(context.model(config.model), config.prompt),
    order,
    settings,
    state: new RlState(config, settings),
    kept: openStepRollouts(context, { format: config.rolloutFormat, every: config.keepRollouts }),
  };
}
