/** Keys of an rl stage that say which weights are kept beside its output, for other stages to name. */
import { z } from "zod";
import { MAX_STEPS } from "./common.ts";

export const keepModelsSchema = z
  .strictObject({
    best: z
      .boolean()
      .default(true)
      .describe(
        "Keep the most accurate weights on the validation problems as `<id>@best`; of equal ones the first. Nothing is kept without `validation`.",
      ),
    every: z
      .int()
      .min(0)
      .max(MAX_STEPS)
      .default(0)
      .describe("Keep the weights of every n-th step as `<id>@step-<n>`; 0 = none."),
    newest: z
      .int()
      .min(1)
      .max(1000)
      .default(5)
      .describe("Of these only the newest are kept, which bounds the disk."),
  })
  .prefault({})
  .describe("Weights kept beside the stage's output; another stage names them as its model.");
