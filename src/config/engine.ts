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
        "worker threads that sample and train side by side; auto = one per CPU core (divided by threads_per_worker), decided when the run folder is made",
      ),
    threadsPerWorker: z
      .int()
      .min(1)
      .max(256)
      .default(1)
      .describe("threads inside one worker's matrix products; 1 is fastest on small models"),
    lanes: z
      .int()
      .min(1)
      .max(4096)
      .default(64)
      .describe(
        "sequences one worker decodes at the same time; more is faster until memory bandwidth is used up",
      ),
  })
  .describe("the engine that runs inside the process");

/** A discriminated union on `kind`, so that further engines only add a member. */
export const engineSchema = z
  .discriminatedUnion("kind", [embeddedEngineSchema])
  .describe("who samples and trains");

export type EngineConfig = z.output<typeof engineSchema>;
