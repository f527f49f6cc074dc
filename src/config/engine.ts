/** The `engine:` section: who computes. The rest of a recipe says what is computed and stays the same everywhere. */
import { z } from "zod";

export const embeddedEngineSchema = z
  .strictObject({
    kind: z
      .literal("embedded")
      .default("embedded")
      .describe("ONNX Runtime in this process, on the CPU; needs nothing installed"),
    workers: z
      .union([z.literal("auto"), z.int().min(1).max(256)])
      .default("auto")
      .describe(
        "threads that sample and train side by side, at most one per lane; auto = one per CPU core. Changes the speed, never the results",
      ),
    threadsPerWorker: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe("threads inside one operator; 1 wastes least on small models"),
    lanes: z
      .int()
      .min(1)
      .max(256)
      .default(2)
      .describe(
        "shares into which sampling and gradients are dealt, and so the most workers that can help; part of what determines the bits of a result",
      ),
  })
  .describe("the engine that runs inside the process");

/** A discriminated union on `kind`, so that further engines only add a member. */
export const engineSchema = z
  .discriminatedUnion("kind", [embeddedEngineSchema])
  .describe("who samples and trains");

export type EngineConfig = z.output<typeof engineSchema>;
